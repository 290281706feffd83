//! Characters written as escapes: `\u0040`, `\x40`, `\_`, `%40`, `&#64;`, `&commat;`.
//!
//! Not here: whole runs in another alphabet (`encoded`).
//!
//! Always: one pass that stops only at `%`, `&` and `\`; what is no valid escape stays as it is.

use super::map::Units;

/// The longest name below, or a number with leading zeros.
const ENTITY_MAX_BYTES: usize = 12;

/// HTML names of characters that values are made of, and of those that stand around values.
const NAMES: [(&str, &str); 40] = [
    ("commat", "@"),
    ("period", "."),
    ("lowbar", "_"),
    ("UnderBar", "_"),
    ("hyphen", "-"),
    ("dash", "-"),
    ("ndash", "-"),
    ("minus", "-"),
    ("plus", "+"),
    ("num", "#"),
    ("percnt", "%"),
    ("dollar", "$"),
    ("equals", "="),
    ("colon", ":"),
    ("semi", ";"),
    ("comma", ","),
    ("sol", "/"),
    ("bsol", "\\"),
    ("lpar", "("),
    ("rpar", ")"),
    ("lsqb", "["),
    ("lbrack", "["),
    ("rsqb", "]"),
    ("rbrack", "]"),
    ("lcub", "{"),
    ("rcub", "}"),
    ("nbsp", " "),
    ("ensp", " "),
    ("emsp", " "),
    ("thinsp", " "),
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("shy", ""),
    ("zwnj", ""),
    ("zwj", ""),
    ("amp", "&"),
    ("quot", "\""),
    ("apos", "'"),
    ("lt", "<"),
    ("gt", ">"),
];

/// Marks of text, which hide no value.
const FRAMES: [&str; 4] = ["quot", "apos", "lt", "gt"];

pub(super) fn collect(text: &str, units: &mut Units) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(place) = memchr::memchr3(b'%', b'&', b'\\', &bytes[at..]) {
        at += place;
        let end = match bytes[at] {
            b'%' => percent(text, at, units),
            b'&' => entity(text, at, units),
            _ => backslash(text, at, units),
        };
        at = end.unwrap_or(at + 1);
    }
}

/// The value of `digits` hexadecimal digits at `at`.
fn hex(bytes: &[u8], at: usize, digits: usize) -> Option<u32> {
    bytes
        .get(at..at + digits)?
        .iter()
        .try_fold(0, |value: u32, byte| Some(value << 4 | char::from(*byte).to_digit(16)?))
}

/// The character of a number, but no control character: those are no text.
fn character(value: u32) -> Option<char> {
    char::from_u32(value).filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))
}

fn percent(text: &str, at: usize, units: &mut Units) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(at + 1) == Some(&b'u') {
        let end = at + 6;
        units.add_char(at..end, character(hex(bytes, at + 2, 4)?)?, true);
        return Some(end);
    }
    let first = hex(bytes, at + 1, 2)?;
    let len = match first {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut utf8 = [0u8; 4];
    for (place, byte) in utf8[..len].iter_mut().enumerate() {
        let escape = at + 3 * place;
        *byte = (bytes.get(escape) == Some(&b'%')).then(|| hex(bytes, escape + 1, 2)).flatten()? as u8;
    }
    let decoded = std::str::from_utf8(&utf8[..len]).ok()?.chars().next()?;
    let end = at + 3 * len;
    units.add_char(at..end, character(u32::from(decoded))?, true);
    Some(end)
}

fn entity(text: &str, at: usize, units: &mut Units) -> Option<usize> {
    let bytes = text.as_bytes();
    let head = &bytes[at + 1..bytes.len().min(at + 1 + ENTITY_MAX_BYTES)];
    if head.first() == Some(&b'#') {
        let hexadecimal = matches!(head.get(1), Some(b'x' | b'X'));
        let (from, radix) = if hexadecimal { (2, 16) } else { (1, 10) };
        let digits = head[from..].iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let number = std::str::from_utf8(&head[from..from + digits]).ok()?;
        let decoded = character(u32::from_str_radix(number, radix).ok()?)?;
        // Browsers forgive a missing semicolon.
        let end = at + 1 + from + digits;
        let end = end + usize::from(bytes.get(end) == Some(&b';'));
        units.add_char(at..end, decoded, true);
        return Some(end);
    }
    let len = memchr::memchr(b';', head)?;
    let (name, decoded) = NAMES.iter().find(|(name, _)| name.as_bytes() == &head[..len])?;
    let end = at + 1 + len + 1;
    units.add(at..end, decoded, !FRAMES.contains(name));
    Some(end)
}

fn backslash(text: &str, at: usize, units: &mut Units) -> Option<usize> {
    let bytes = text.as_bytes();
    let escaped = *bytes.get(at + 1)?;
    let (decoded, end, tells) = match escaped {
        b'u' if bytes.get(at + 2) == Some(&b'{') => {
            let digits = bytes[at + 3..].iter().take(8).take_while(|byte| byte.is_ascii_hexdigit()).count();
            let end = at + 3 + digits;
            (bytes.get(end) == Some(&b'}')).then_some(())?;
            (character(hex(bytes, at + 3, digits)?)?, end + 1, true)
        }
        b'u' => {
            let (decoded, end) = utf16(bytes, at)?;
            (decoded, end, true)
        }
        b'U' => (character(hex(bytes, at + 2, 8)?)?, at + 10, true),
        b'x' => (character(hex(bytes, at + 2, 2)?)?, at + 4, true),
        b'n' => ('\n', at + 2, false),
        b't' => ('\t', at + 2, false),
        b'r' => ('\r', at + 2, false),
        // A string inside a string: what follows is an escape at the next depth.
        b'\\' => ('\\', at + 2, escapes_deeper(bytes, at + 2)),
        // Markdown puts one before `_`, PHP's JSON before `/`.
        b'_' | b'.' | b'-' | b'@' | b'+' | b'/' => (char::from(escaped), at + 2, true),
        _ if escaped.is_ascii_punctuation() => (char::from(escaped), at + 2, false),
        _ => return None,
    };
    units.add_char(at..end, decoded, tells);
    Some(end)
}

/// Behind at most so many more backslashes stands the letter of an escape.
fn escapes_deeper(bytes: &[u8], at: usize) -> bool {
    let letter = bytes[at..].iter().take(8).find(|byte| **byte != b'\\');
    letter.is_some_and(|letter| b"uUx/".contains(letter))
}

/// `\u0040`, or two of them that make one character.
fn utf16(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let first = hex(bytes, at + 2, 4)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((character(first)?, at + 6));
    }
    let pair = bytes.get(at + 6..at + 8) == Some(b"\\u");
    let second = pair.then(|| hex(bytes, at + 8, 4)).flatten().filter(|second| (0xdc00..0xe000).contains(second))?;
    Some((character(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, at + 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<String> {
        let mut units = Units::default();
        collect(text, &mut units);
        units.view(text).map(|view| view.text)
    }

    #[test]
    fn escapes_are_decoded() {
        for (text, plain) in [
            ("jane%40example%2ecom", "jane@example.com"),
            ("%e2%80%8b%C3%A9 %u0040", "\u{200b}é @"),
            ("jane&#64;example&#x2E;com &#x00040 &commat;&period;", "jane@example.com @ @."),
            (r"jane\u0040example\u002Ecom", "jane@example.com"),
            (r"\ud83d\ude00 \U0001F600 \u{1F600} \x40", "😀 😀 😀 @"),
            (r"jane\_doe@example\.com \*bold\*", "jane_doe@example.com *bold*"),
            (r"\ud83d\u0040", r"\ud83d@"),
            (r"a\\u0040b\n", "a\\u0040b\n"),
            ("a&lt;b&amp;#64;", "a<b&#64;"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(plain), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "100% & more \\ C:\\new \\d+ &lt;p&gt;",
            "%",
            "%4",
            "%zz",
            "%ff%fe",
            "%c3x",
            "%00",
            "&",
            "&#",
            "&#;",
            "&#x;",
            "&#99999999999;",
            "&nosuch;",
            "\\",
            "\\u",
            "\\u00",
            "\\u00g0",
            "\\ud83d",
            "\\u{",
            "\\u{}",
            "\\u{110000}",
            "\\x4",
            "\\x00",
            "&é;",
            "%é",
            "\\é",
        ] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
