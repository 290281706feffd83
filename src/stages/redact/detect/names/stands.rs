//! Whether what the model or a cue takes for a name can be one where it stands: not glued to the
//! signs of code, and with more to show for itself on ground that is code.
//!
//! Not here: what the ground is (`ground`), how likely a name is (`crf`).
//!
//! Always: bounded work for a name; training does not know of this.

use std::sync::LazyLock;

use super::features::sorted;
use super::ground::Ground;
use super::lexicon::Case;
use super::model::PERSON;
use super::words::{Shape, Word};

/// `row` is the words of the name; `told`: a phrase gives it away.
pub(super) fn stands(text: &[u8], row: &[Word], label: usize, ground: Ground, told: bool) -> bool {
    let (Some(first), Some(last)) = (row.first(), row.last()) else { return false };
    if glued(text, first.start as usize, last.end as usize, row.len()) {
        return false;
    }
    if let [word] = row
        && label == PERSON
        && (word.shape == Shape::Initial
            || word.shape == Shape::Camel && !two_parts(&text[word.start as usize..word.end as usize]))
    {
        return false;
    }
    // A row of abbreviations: the days above a calendar.
    if row.len() > 2 && row.iter().all(|word| word.end - word.start <= 2 && word.shape != Shape::Initial) {
        return false;
    }
    if is_term(row) || label != PERSON && row.len() > 1 && row.iter().all(|word| word.shape == Shape::Upper) {
        return false;
    }
    match ground {
        Ground::Prose => true,
        Ground::Beside if told => true,
        Ground::Beside | Ground::Code => label == PERSON && is_full(row),
    }
}

/// Words of computing that are written like names, none of which is a common name of a person.
const TERMS: [&str; 91] = [
    "ctrl-c",
    "json",
    "csv",
    "xml",
    "html",
    "css",
    "http",
    "https",
    "ip",
    "tcp",
    "udp",
    "url",
    "uri",
    "api",
    "apis",
    "sql",
    "utf",
    "ascii",
    "pdf",
    "cpu",
    "gpu",
    "usb",
    "ssl",
    "tls",
    "ssh",
    "dns",
    "ftp",
    "rest",
    "yaml",
    "toml",
    "regex",
    "unicode",
    "python",
    "javascript",
    "typescript",
    "java",
    "rust",
    "golang",
    "perl",
    "php",
    "numpy",
    "pandas",
    "django",
    "flask",
    "react",
    "node",
    "git",
    "github",
    "linux",
    "unix",
    "docker",
    "kubernetes",
    "mysql",
    "postgresql",
    "redis",
    "sqlite",
    "mongodb",
    "bash",
    "excel",
    "id",
    "ids",
    "uuid",
    "sdk",
    "cli",
    "gui",
    "ide",
    "orm",
    "license",
    "none",
    "null",
    "true",
    "false",
    "nan",
    "fahrenheit",
    "celsius",
    "bitcoin",
    "ethereum",
    "fibonacci",
    "doppler",
    "twitter",
    "facebook",
    "youtube",
    "google",
    "wikipedia",
    "lorem",
    "wolfram",
    "tower",
    "ctrl",
    "sigint",
    "sigterm",
    "beatles",
];

static TERM_HASHES: LazyLock<Vec<u64>> = LazyLock::new(|| sorted(&TERMS));

/// The last word is one of computing: `JSON`, `Java SDK`, `Apache License`.
fn is_term(row: &[Word]) -> bool {
    row.last().is_some_and(|word| word.end - word.start <= 10 && TERM_HASHES.binary_search(&word.hash).is_ok())
}

/// `McDonald`, `DeVito`: a capital behind a known beginning.
fn two_parts(word: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 14] =
        [b"Mc", b"Mac", b"De", b"Di", b"Du", b"La", b"Le", b"Van", b"Von", b"Fitz", b"San", b"St", b"Al", b"El"];
    let capital = word.iter().skip(1).position(u8::is_ascii_uppercase).map_or(0, |at| at + 1);
    let rest = word.get(capital + 1..).unwrap_or_default();
    !word.is_ascii()
        || BEGINNINGS.contains(&&word[..capital]) && rest.len() >= 2 && rest.iter().all(u8::is_ascii_lowercase)
}

/// A given name and a surname, both in a list and no common words.
fn is_full(row: &[Word]) -> bool {
    let written = |word: &Word| matches!(word.shape, Shape::Title | Shape::Initial);
    let [first, .., last] = row else { return false };
    let common = |word: &Word| matches!(word.entry.case(), Case::Small | Case::Mixed);
    let known = first.entry.first() > 0 && last.entry.last() > 0;
    known && !common(first) && !common(last) && row.len() <= 4 && row.iter().all(written)
}

/// The signs beside it are those of an identifier, a path or quoted code.
fn glued(text: &[u8], start: usize, end: usize, words: usize) -> bool {
    let at = |place: Option<usize>| place.and_then(|place| text.get(place)).copied().unwrap_or(b' ');
    let (before, far) = (at(start.checked_sub(1)), at(start.checked_sub(2)));
    let (after, behind) = (at(Some(end)), at(Some(end + 1)));
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b')' | b']' | b'_');
    let left = match before {
        b'_' | b'`' | b'$' | b'\\' => true,
        b'.' => inner(far),
        b':' => far == b':',
        b'>' => matches!(far, b'-' | b'=' | b'?'),
        b'<' | b'=' | b'&' => words == 1,
        _ => false,
    };
    left || match after {
        b'_' | b'`' | b'\\' if !(after == b'\\' && matches!(behind, b'n' | b'r' | b't' | b'"' | b'\'')) => true,
        b'.' => behind.is_ascii_lowercase() || behind == b'_',
        b':' => behind == b':',
        b'-' => behind == b'>',
        b'(' | b'[' | b'<' | b'=' | b'{' | b'>' => words == 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_glued_to_code() {
        for (text, expected) in [
            ("see ‹Json›::Null", true),
            ("`‹Parquet›`", true),
            ("a ‹HashMap›<K, V>", true),
            ("self.‹Dummy›()", true),
            ("path\\‹Karen›", true),
            ("ask ‹Karen›.", false),
            ("ask (‹Karen›)", false),
            ("ask \"‹Karen›\":", false),
            ("**‹Karen›**", false),
            ("‹Karen›/Bob", false),
        ] {
            let (start, end) = (text.find('‹').unwrap(), text.find('›').unwrap() - '‹'.len_utf8());
            let text = text.replace(['‹', '›'], "");
            assert_eq!(glued(text.as_bytes(), start, end, 1), expected, "{text}");
        }
    }

    #[test]
    fn inner_capitals_of_people() {
        for (word, expected) in [
            ("McDonald", true),
            ("DeVito", true),
            ("MacArthur", true),
            ("HashMap", false),
            ("GitHub", false),
            ("DeX", false),
        ] {
            assert_eq!(two_parts(word.as_bytes()), expected, "{word}");
        }
    }
}
