//! The labels of a token classifier: what they say of a token, and which may follow which.
//!
//! Not here: which type of personal data a label's entity is (`stages::redact::detect::model`).
//!
//! Always: there is an outside label, and it may stand anywhere, so every row of tokens can be
//! labeled.

use std::collections::BTreeMap;

use crate::config::Scheme;

/// What a label says of a token; numbers are types, see [`Labels::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    Outside,
    Begin(usize),
    Inside(usize),
    End(usize),
    Single(usize),
}

impl Tag {
    /// The type of the entity that a token of this tag is part of.
    pub const fn kind(self) -> Option<usize> {
        match self {
            Tag::Outside => None,
            Tag::Begin(kind) | Tag::Inside(kind) | Tag::End(kind) | Tag::Single(kind) => Some(kind),
        }
    }
}

/// All labels of a model, in the order of its scores.
#[derive(Clone, Debug)]
pub struct Labels {
    types: Vec<String>,
    tags: Vec<Tag>,
    scheme: Scheme,
}

impl Labels {
    /// `names` are those of `id2label`, in order. The error says which label makes no sense.
    pub fn new(names: &[String], scheme: Scheme) -> Result<Labels, String> {
        let scheme = match scheme {
            Scheme::Auto => told(names),
            scheme => scheme,
        };
        let mut labels = Labels { types: Vec::new(), tags: Vec::new(), scheme };
        let mut known = BTreeMap::new();
        for name in names {
            let tag = labels.tag(name, &mut known)?;
            labels.tags.push(tag);
        }
        if !labels.tags.contains(&Tag::Outside) {
            return Err("has no label O, which stands for what is no entity".to_owned());
        }
        Ok(labels)
    }

    /// Names of types, without `B-` and the like.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// One for each label.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Whether a token of one tag may follow one of another; before the first token stands `None`,
    /// behind the last one, too.
    pub fn follows(&self, before: Option<Tag>, next: Option<Tag>) -> bool {
        match self.scheme {
            Scheme::Bioes => match before {
                Some(Tag::Begin(kind) | Tag::Inside(kind)) => {
                    matches!(next, Some(Tag::Inside(same) | Tag::End(same)) if same == kind)
                }
                _ => matches!(next, None | Some(Tag::Outside | Tag::Begin(_) | Tag::Single(_))),
            },
            Scheme::Bio => match next {
                Some(Tag::Inside(kind)) => {
                    matches!(before, Some(Tag::Begin(same) | Tag::Inside(same)) if same == kind)
                }
                _ => true,
            },
            Scheme::Iob1 | Scheme::Io | Scheme::Auto => true,
        }
    }

    fn tag(&mut self, name: &str, known: &mut BTreeMap<String, usize>) -> Result<Tag, String> {
        if name.eq_ignore_ascii_case("O") {
            return Ok(Tag::Outside);
        }
        let (letter, kind) = prefix(name).unwrap_or(('I', name));
        let types = &mut self.types;
        let kind = *known.entry(kind.to_owned()).or_insert_with(|| {
            types.push(kind.to_owned());
            types.len() - 1
        });
        let fits = match self.scheme {
            Scheme::Bioes => prefix(name).is_some(),
            Scheme::Bio | Scheme::Iob1 => matches!(letter, 'B' | 'I') && prefix(name).is_some(),
            Scheme::Io | Scheme::Auto => letter == 'I',
        };
        match letter {
            _ if !fits => Err(format!("has the label {name:?}, which does not fit the scheme {:?}", self.scheme)),
            'B' => Ok(Tag::Begin(kind)),
            'E' | 'L' => Ok(Tag::End(kind)),
            'S' | 'U' => Ok(Tag::Single(kind)),
            _ => Ok(Tag::Inside(kind)),
        }
    }
}

/// `B-PER` is `B` of `PER`.
fn prefix(name: &str) -> Option<(char, &str)> {
    let (letter, kind) = name.split_once(['-', '_'])?;
    let letter = letter.chars().next().filter(|first| letter.len() == first.len_utf8())?;
    ("BIELSU".contains(letter) && !kind.is_empty()).then_some((letter, kind))
}

fn told(names: &[String]) -> Scheme {
    let has = |letters: &str| names.iter().filter_map(|name| prefix(name)).any(|(letter, _)| letters.contains(letter));
    if has("ELSU") {
        Scheme::Bioes
    } else if has("B") {
        Scheme::Bio
    } else {
        Scheme::Io
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &str, scheme: Scheme) -> Result<Labels, String> {
        Labels::new(&names.split(' ').map(str::to_owned).collect::<Vec<_>>(), scheme)
    }

    #[test]
    fn schemes_are_told_by_the_labels() {
        for (names, scheme, types) in [
            ("O B-PER I-PER E-PER S-PER", Scheme::Bioes, &["PER"][..]),
            ("O B-PER I-PER L-PER U-PER", Scheme::Bioes, &["PER"]),
            (
                "O B-private_person I-private_person E-private_person S-private_person",
                Scheme::Bioes,
                &["private_person"],
            ),
            ("B-LOC O I-LOC B-PER I-PER", Scheme::Bio, &["LOC", "PER"]),
            ("O I-GIVENNAME I-SURNAME", Scheme::Io, &["GIVENNAME", "SURNAME"]),
            ("O PERSON EMAIL", Scheme::Io, &["PERSON", "EMAIL"]),
        ] {
            let labels = labels(names, Scheme::Auto).unwrap();
            assert_eq!(
                (labels.scheme, labels.types()),
                (scheme, &types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..])
            );
        }
    }

    #[test]
    fn labels_that_make_no_sense_are_named() {
        for (names, scheme, what) in [
            ("B-PER I-PER", Scheme::Auto, "no label O"),
            ("O B-PER MISC", Scheme::Auto, "\"MISC\""),
            ("O B-PER I-PER E-PER", Scheme::Bio, "\"E-PER\""),
            ("O B-PER", Scheme::Io, "\"B-PER\""),
        ] {
            let error = labels(names, scheme).err().unwrap_or_else(|| panic!("{names} is taken"));
            assert!(error.contains(what), "{names}: {error}");
        }
    }

    /// From left to right: before the text, the tags of this scheme, behind the text. A row says
    /// after which of them a tag may stand.
    #[test]
    fn what_may_follow_what() {
        for (names, table) in [
            (
                "O B-A I-A E-A S-A B-B",
                &[
                    ("^", "O B-A S-A B-B $"),
                    ("O", "O B-A S-A B-B $"),
                    ("B-A", "I-A E-A"),
                    ("I-A", "I-A E-A"),
                    ("E-A", "O B-A S-A B-B $"),
                    ("S-A", "O B-A S-A B-B $"),
                    ("B-B", ""),
                ][..],
            ),
            (
                "O B-A I-A B-B I-B",
                &[
                    ("^", "O B-A B-B $"),
                    ("O", "O B-A B-B $"),
                    ("B-A", "O B-A I-A B-B $"),
                    ("I-A", "O B-A I-A B-B $"),
                    ("I-B", "O B-A B-B I-B $"),
                ],
            ),
            ("O A B", &[("^", "O A B $"), ("O", "O A B $"), ("A", "O A B $")]),
        ] {
            let labels = labels(names, Scheme::Auto).unwrap();
            let all: Vec<&str> = names.split(' ').collect();
            let tag = |name: &str| all.iter().position(|one| *one == name).map(|at| labels.tags()[at]);
            for (before, after) in table {
                let may = all.iter().chain([&"$"]).filter(|next| labels.follows(tag(before), tag(next)));
                assert_eq!(may.copied().collect::<Vec<_>>().join(" "), *after, "after {before} of {names}");
            }
        }
    }
}
