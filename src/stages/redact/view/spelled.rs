//! Addresses written for people only: "jane at example dot com", "jane [at] example (dot) com".
//!
//! Not here: parsing the address (`detect::contact` sees it with `@` and dots in place).
//!
//! Always: the text is searched for words that stand for a dot and for "at" in brackets; all else
//! happens near those.

use aho_corasick::{AhoCorasick, MatchKind, packed};

use super::map::{Units, View};
use crate::stages::redact::glance::{AT, CALL, COLON, DIGIT, DOLLAR, DOT, EQUALS, Glance, LINE, QUOTE, SLASH};

/// What people say for the characters of an address. Those of one letter in other scripts stand
/// among ASCII words only.
const WORDS: [(&str, &str); 37] = [
    ("at", "@"),
    ("arroba", "@"),
    ("arobase", "@"),
    ("arobas", "@"),
    ("chiocciola", "@"),
    ("klammeraffe", "@"),
    ("apenstaartje", "@"),
    ("snabel-a", "@"),
    ("małpa", "@"),
    ("zavináč", "@"),
    ("kukac", "@"),
    ("собака", "@"),
    ("골뱅이", "@"),
    ("アットマーク", "@"),
    ("アット", "@"),
    ("艾特", "@"),
    ("dot", "."),
    ("punkt", "."),
    ("punto", "."),
    ("ponto", "."),
    ("point", "."),
    ("punt", "."),
    ("piste", "."),
    ("tečka", "."),
    ("kropka", "."),
    ("точка", "."),
    ("점", "."),
    ("닷", "."),
    ("ドット", "."),
    ("点", "."),
    ("underscore", "_"),
    ("dash", "-"),
    ("hyphen", "-"),
    ("minus", "-"),
    ("plus", "+"),
    ("bindestrich", "-"),
    ("unterstrich", "_"),
];

/// What the whole text is searched for, as it is. Four bytes or more and no common words, so that
/// vector instructions rarely stop: of other languages than English the words for "at".
const SIGNS: [&str; 30] = [
    "dot ",
    "DOT ",
    "Dot ",
    "dot)",
    "dot]",
    "dot}",
    "dot>",
    "DOT)",
    "DOT]",
    "dot-",
    "dot_",
    "(at)",
    "[at]",
    "{at}",
    "<at>",
    "(AT)",
    "[AT]",
    "{AT}",
    "arroba",
    "arobas",
    "chiocciola",
    "klammeraffe",
    "apenstaartje",
    "snabel-a",
    "małpa",
    "zavináč",
    "собака",
    "골뱅이",
    "アット",
    "艾特",
];

/// After these "at" tells where somebody is.
const BEFORE_AT: [&str; 24] = [
    "me",
    "us",
    "him",
    "her",
    "them",
    "it",
    "is",
    "are",
    "was",
    "be",
    "you",
    "reach",
    "contact",
    "email",
    "mail",
    "write",
    "address",
    "look",
    "looking",
    "meet",
    "live",
    "work",
    "arrive",
    "available",
];

/// Top-level domains that are said; two letters are a country's.
const TOP_LEVELS: [&str; 24] = [
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "name", "pro", "app", "dev", "tech", "online",
    "site", "shop", "store", "cloud", "email", "example", "test", "invalid", "museum",
];

pub(super) struct Spelled {
    signs: Option<packed::Searcher>,
    /// Those that hold nothing but letters, for texts in which no other can stand.
    plain: Option<packed::Searcher>,
    words: AhoCorasick,
}

impl Spelled {
    pub(super) fn new() -> Result<Spelled, String> {
        let words = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(WORDS.map(|(word, _)| word))
            .map_err(|error| format!("spelled addresses: {error}"))?;
        let plain = SIGNS.into_iter().filter(|sign| Glance::of(sign).has_only(0));
        Ok(Spelled { signs: packed::Searcher::new(SIGNS), plain: packed::Searcher::new(plain), words })
    }

    pub(super) fn view(&self, text: &str, glance: Glance) -> Option<View> {
        /// An address of several words.
        const NEAR_BYTES: usize = 96;
        const IN_NO_SIGN: u32 = DIGIT | LINE | DOT | CALL | AT | COLON | EQUALS | SLASH | DOLLAR | QUOTE;
        let signs = if glance.has_only(IN_NO_SIGN) { &self.plain } else { &self.signs }.as_ref()?;
        let mut units = Units::default();
        let mut done = 0;
        for sign in signs.find_iter(text) {
            if sign.start() < done.max(1)
                || text.as_bytes()[sign.start() - 1].is_ascii_alphanumeric()
                    && !text.as_bytes()[sign.start()].is_ascii_punctuation()
            {
                continue;
            }
            let from = text.floor_char_boundary(sign.start().saturating_sub(NEAR_BYTES).max(done));
            let to = text.ceil_char_boundary((sign.end() + NEAR_BYTES).min(text.len()));
            for word in self.words.find_iter(&text[from..to]) {
                let (start, end) = (from + word.start(), from + word.end());
                let symbol = WORDS[word.pattern().as_usize()].1;
                if let Some((start, end)) = unit(text, start, end, symbol).filter(|(start, _)| *start >= done) {
                    units.add(start..end, symbol, true);
                    done = end;
                }
            }
            done = done.max(to);
        }
        units.view(text)
    }
}

/// No letter is glued to the word.
fn parted(text: &str, start: usize, end: usize) -> bool {
    let ascii = text[start..end].is_ascii();
    let glued = |c: char| if ascii { c.is_alphanumeric() } else { c.is_alphanumeric() && !c.is_ascii() };
    !text[..start].ends_with(glued) && !text[end..].starts_with(glued)
}

/// The word with its spaces and brackets, if words stand on both sides of it.
fn unit(text: &str, start: usize, end: usize, symbol: &str) -> Option<(usize, usize)> {
    if !parted(text, start, end) {
        return None;
    }
    let (before, after) = (text[..start].trim_end_matches(' '), text[end..].trim_start_matches(' '));
    let opened = before.ends_with(['(', '[', '{', '<']);
    let closed = after.starts_with([')', ']', '}', '>']);
    let (before, after) = match (opened, closed) {
        (true, true) => (before[..before.len() - 1].trim_end_matches(' '), after[1..].trim_start_matches(' ')),
        (false, false) if before.len() < start && after.len() < text.len() - end => (before, after),
        // `-at-`, `_dot_`.
        (false, false) if before.ends_with(['-', '_']) && after.starts_with(['-', '_']) => {
            (&before[..before.len() - 1], &after[1..])
        }
        _ => return None,
    };
    let wordy = |c: char| c.is_alphanumeric();
    let stands = before.ends_with(wordy) && after.starts_with(wordy);
    let last = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let place = symbol == "@" && !opened && BEFORE_AT.iter().any(|word| last.eq_ignore_ascii_case(word));
    (stands && !place).then(|| (before.len(), text.len() - after.len()))
}

/// Words near an address that is spelled out.
const SAID: [&str; 14] = [
    "mail",
    "e-mail",
    "email",
    "contact",
    "reach",
    "write",
    "address",
    "correo",
    "courriel",
    "adresse",
    "почта",
    "메일",
    "邮箱",
    "メール",
];

/// Whether an address that came out of words was meant as one. `raw` is how it stood in the text,
/// `before` what stood before it.
pub(super) fn is_meant(raw: &str, address: &str, before: &str) -> bool {
    let top = address.rsplit('.').next().unwrap_or("");
    let known = TOP_LEVELS.iter().any(|known| top.eq_ignore_ascii_case(known));
    let country = top.len() == 2 && top.is_ascii();
    if !(known || country) {
        return false;
    }
    let marked = raw.contains(['[', '(', '{', '<', '@', '_']) || raw.contains(" AT ") || raw.contains(" DOT ");
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(80))..];
    let near = near.to_lowercase();
    let local = address.split('@').next().unwrap_or("");
    let said = SAID.iter().any(|word| near.contains(word));
    marked || said || (known && local.contains(|c: char| c.is_ascii_digit() || ".-+".contains(c)))
}

#[cfg(test)]
mod tests {
    use crate::stages::redact::detect::tests::finds;
    use crate::stages::redact::kind::Kind;

    #[test]
    fn spelled_addresses_are_found() {
        for (text, found) in [
            ("my email is jane at example dot com ok", &["jane at example dot com"][..]),
            ("write to jane dot doe at mail dot example dot org.", &["jane dot doe at mail dot example dot org"]),
            ("jane [at] example (dot) com", &["jane [at] example (dot) com"]),
            ("jane(at)example.com", &["jane(at)example.com"]),
            ("jane AT example DOT com", &["jane AT example DOT com"]),
            ("jane@example dot com", &["jane@example dot com"]),
            ("mi correo: jane arroba example punto es", &["jane arroba example punto es"]),
            ("adresse: jane arobase example point fr", &["jane arobase example point fr"]),
            ("메일 jane 골뱅이 example 점 kr", &["jane 골뱅이 example 점 kr"]),
            ("email me at jane underscore doe at example dot com", &["jane underscore doe at example dot com"]),
        ] {
            finds(text, Kind::Email, found);
        }
    }

    #[test]
    fn prose_is_left() {
        for text in [
            "We looked at the dot product of two vectors.",
            "Meet me at some point in the day, at dot com offices",
            "Look at the dot in the corner",
            "She arrived at noon dot com was down",
            "shop at amazon dot com",
            "point at the dot and connect dot to dot",
        ] {
            finds(text, Kind::Email, &[]);
        }
    }
}
