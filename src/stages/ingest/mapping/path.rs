//! Paths into JSON: `a.b[0].c`, `a[*].b`, `"strange key".x`, `$.top`.
//!
//! Always: an absent place and a null are told apart; what is found comes in document order.

use super::super::tree::Json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
    /// Each item of a list.
    Every,
}

/// A parsed path. Without steps it is the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    pub steps: Vec<Step>,
    /// It began with `$`: it starts at the record, also where it stands for a message.
    pub from_record: bool,
}

impl Path {
    /// Reads a path as it stands in a pipeline file.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("is empty; write a path such as \"turns[*]\", or `$` for the record itself".to_owned());
        }
        let from_record = rest == "$" || rest.starts_with("$.") || rest.starts_with("$[");
        if from_record {
            rest = rest[1..].strip_prefix('.').unwrap_or(&rest[1..]);
        }
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, left) = step(rest).map_err(|what| format!("is {text:?}: {what}"))?;
            steps.push(step);
            rest = match left.strip_prefix('.') {
                Some("") => return Err(format!("is {text:?}: take away the dot at its end")),
                Some(after) if after.starts_with('[') => return Err(format!("is {text:?}: write `a[0]`, not `a.[0]`")),
                Some(after) => after,
                None if left.is_empty() || left.starts_with('[') => left,
                None => return Err(format!("is {text:?}: put a dot between two keys")),
            };
        }
        Ok(Path { steps, from_record })
    }

    /// Whether it can lead to more than one value.
    pub fn is_many(&self) -> bool {
        self.steps.contains(&Step::Every)
    }

    /// All values it leads to; nothing if a key or an index on the way is missing. A null at its
    /// end is a value.
    pub fn all<'v, 'j>(&self, value: &'v Json<'j>) -> Option<Vec<&'v Json<'j>>> {
        let mut found = Vec::new();
        select(&self.steps, value, &mut found).then_some(found)
    }

    /// The only value it leads to, if it is there and not null.
    pub fn one<'v, 'j>(&self, value: &'v Json<'j>) -> Option<&'v Json<'j>> {
        self.all(value)?.into_iter().next().filter(|value| **value != Json::Null)
    }
}

fn select<'v, 'j>(steps: &[Step], value: &'v Json<'j>, found: &mut Vec<&'v Json<'j>>) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return true;
    };
    match step {
        Step::Key(key) => value
            .entries()
            .and_then(|entries| entries.iter().find(|(name, _)| name == key))
            .is_some_and(|(_, value)| select(rest, value, found)),
        Step::Index(at) => {
            value.list().and_then(|items| items.get(*at)).is_some_and(|value| select(rest, value, found))
        }
        Step::Every => value.list().is_some_and(|items| items.iter().all(|item| select(rest, item, found))),
    }
}

/// The first step of a path that is not empty, and what follows it.
fn step(text: &str) -> Result<(Step, &str), &'static str> {
    if let Some(inside) = text.strip_prefix('[') {
        let (index, left) = inside.split_once(']').ok_or("close the bracket")?;
        let every = index.trim() == "*";
        let step = if every { Some(Step::Every) } else { index.trim().parse().ok().map(Step::Index) };
        return step.map(|step| (step, left)).ok_or("only [*] or a number from 0 may stand in brackets");
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_key(quoted);
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let key = &text[..end];
    if key.is_empty() {
        return Err("a key is missing between two dots; write \"\" for a key without a name");
    }
    if key.contains(['"', ']', '*']) {
        return Err("put keys with quotes, brackets or stars into double quotes");
    }
    Ok((Step::Key(key.to_owned()), &text[end..]))
}

/// A key behind its opening quote; `\"` and `\\` stand for themselves.
fn quoted_key(text: &str) -> Result<(Step, &str), &'static str> {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((Step::Key(key), &text[at + 1..])),
            '\\' => key.push(chars.next().map(|(_, next)| next).ok_or("close the quote")?),
            other => key.push(other),
        }
    }
    Err("close the quote")
}

/// A key as it stands in a path: quoted if it has to be.
pub fn quoted(key: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "_- ".contains(char);
    if !key.is_empty() && key.trim() == key && key.chars().all(plain) {
        return key.to_owned();
    }
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The value without what lies at the paths in `used`; nothing if nothing is left. Items keep
/// their places in a list: one that was used up becomes null.
pub fn prune<'j>(value: &Json<'j>, used: &[&[Step]]) -> Option<Json<'j>> {
    if *value == Json::Null || used.iter().any(|steps| steps.is_empty()) {
        return None;
    }
    match value {
        Json::Object(entries) if !used.is_empty() => {
            let left: Vec<_> = entries
                .iter()
                .filter_map(|(key, value)| {
                    let below = below(used, |step| matches!(step, Step::Key(own) if own == key));
                    Some((key.clone(), prune(value, &below)?))
                })
                .collect();
            (!left.is_empty()).then_some(Json::Object(left))
        }
        Json::List(items) if !used.is_empty() => {
            let item = |(at, item)| {
                let below = below(used, |step| matches!(step, Step::Every) || *step == Step::Index(at));
                prune(item, &below).unwrap_or(Json::Null)
            };
            let left: Vec<_> = items.iter().enumerate().map(item).collect();
            left.iter().any(|item| *item != Json::Null).then_some(Json::List(left))
        }
        _ => Some(value.clone()),
    }
}

/// What follows the first step in those paths whose first step goes here.
fn below<'p>(used: &[&'p [Step]], here: impl Fn(&Step) -> bool) -> Vec<&'p [Step]> {
    used.iter().filter_map(|steps| steps.split_first()).filter(|(first, _)| here(first)).map(|(_, rest)| rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn paths_find_values() {
        let value = json(r#"{"a":{"b":[{"c":1},{"c":2}]},"x.y":{"\"":3},"n":null,"":4,"a b":5}"#);
        for (path, found) in [
            ("a.b[0].c", Some("1")),
            ("$.a.b[1].c", Some("2")),
            ("a.b[*].c", Some("1 2")),
            ("\"x.y\".\"\\\"\"", Some("3")),
            ("n", Some("null")),
            ("\"\"", Some("4")),
            ("a b", Some("5")),
            ("a.b[2].c", None),
            ("a[*]", None),
            ("n.x", None),
            ("a.b[*].d", None),
        ] {
            let all = Path::parse(path).unwrap().all(&value);
            let all = all.map(|all| all.iter().map(|value| value.json()).collect::<Vec<_>>().join(" "));
            assert_eq!(all.as_deref(), found, "{path}");
        }
    }

    #[test]
    fn bad_paths_say_what_to_do() {
        for (path, hint) in [
            ("", "is empty"),
            ("a..b", "between two dots"),
            ("a.", "dot at its end"),
            ("a[", "close the bracket"),
            ("a[x]", "only [*]"),
            ("a[0]b", "dot between"),
            ("a.[0]", "not `a.[0]`"),
            ("\"a", "close the quote"),
            ("\"a\"b", "dot between"),
            ("a*", "double quotes"),
        ] {
            let err = Path::parse(path).unwrap_err();
            assert!(err.contains(hint), "{path}: {err}");
        }
    }

    #[test]
    fn quoted_keys_lead_back_to_themselves() {
        for key in ["a", "a b", "", "x.y", "\"\\", "[*]", " a", "$", "é"] {
            assert_eq!(Path::parse(&quoted(key)).unwrap().steps, [Step::Key(key.to_owned())], "{key}");
        }
    }

    #[test]
    fn what_is_left_keeps_its_place() {
        for (used, left) in [
            (vec!["a[*].t"], r#"{"a":[null,{"k":1}],"z":[]}"#),
            (vec!["a[*].t", "a[*].k"], r#"{"z":[]}"#),
            (vec!["a", "z"], "none"),
            (vec!["a[1]"], r#"{"a":[{"t":"x"},null],"z":[]}"#),
            (vec!["q"], r#"{"a":[{"t":"x"},{"t":"y","k":1}],"z":[]}"#),
        ] {
            let paths: Vec<Path> = used.iter().map(|path| Path::parse(path).unwrap()).collect();
            let steps: Vec<&[Step]> = paths.iter().map(|path| &path.steps[..]).collect();
            let value = json(r#"{"a":[{"t":"x"},{"t":"y","k":1}],"n":null,"z":[]}"#);
            assert_eq!(prune(&value, &steps).map_or("none".to_owned(), |left| left.json()), left, "{used:?}");
        }
    }
}
