//! What a rule says about itself: the row of the catalogue that `gristmill rules` shows and tests.
//!
//! Not here: how a rule finds (`detect`, where each rule stands beside its code).
//!
//! Always: a rule of the program (not of a model) has at least one text in which it finds and one look-alike in which its kind
//! must not be found; no text holds a secret that looks live (`{b62:36}` is filled in at run time).

use super::detect::Span;
use super::kind::Kind;

/// One way of finding one kind.
#[derive(Debug)]
pub struct Rule {
    /// `provider.what` or `kind.how`; stands in data for ever.
    pub id: &'static str,
    /// Raised when the rule finds something else than before; stands with every finding.
    pub version: u16,
    pub kind: Kind,
    /// ISO 3166 code of the state whose documents it knows; empty: none in particular.
    pub country: &'static str,
    /// How sure a finding is, 0 to 1; context may lift or lower it.
    pub score: f32,
    /// What is verified beyond the shape, in words.
    pub check: &'static str,
    /// Words near a value that the rule needs or that make it surer.
    pub context: &'static [&'static str],
    /// Where the format is published.
    pub source: &'static str,
    /// Texts with what must be found between `‹` and `›`; see [`expand`].
    pub finds: &'static [&'static str],
    /// Look-alikes: texts in which nothing of this kind may be found.
    pub passes: &'static [&'static str],
}

impl Rule {
    /// A finding of this rule. Bytes, half-open.
    pub(super) const fn at(&self, start: usize, end: usize) -> Span {
        Span {
            start_byte: start as u32,
            end_byte: end as u32,
            kind: self.kind,
            rule: self.id,
            rule_version: self.version,
            score: self.score,
        }
    }

    /// The texts of `finds`, ready to be searched, each with the ranges that must be found.
    pub fn examples(&self) -> impl Iterator<Item = (String, Vec<std::ops::Range<usize>>)> {
        self.finds.iter().map(|text| marked(&expand(text)))
    }

    pub fn look_alikes(&self) -> impl Iterator<Item = String> {
        self.passes.iter().map(|text| expand(text))
    }
}

/// Takes the marks out of a text and says where they stood.
fn marked(text: &str) -> (String, Vec<std::ops::Range<usize>>) {
    let (mut plain, mut ranges, mut open) = (String::with_capacity(text.len()), Vec::new(), 0);
    for c in text.chars() {
        match c {
            '‹' => open = plain.len(),
            '›' => ranges.push(open..plain.len()),
            _ => plain.push(c),
        }
    }
    (plain, ranges)
}

/// The characters of a class named in an example.
fn class(name: &str) -> Option<&'static [u8]> {
    const DIGITS_LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    Some(match name {
        "d" => &DIGITS_LETTERS[..10],
        "hex" => &DIGITS_LETTERS[..16],
        "HEX" => b"0123456789ABCDEF",
        "lower" => &DIGITS_LETTERS[10..36],
        "upper" => &DIGITS_LETTERS[36..62],
        // Digits and lower-case, upper-case, all letters.
        "b36" => &DIGITS_LETTERS[..36],
        "B36" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "b58" => b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        "b62" => &DIGITS_LETTERS[..62],
        "b32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "b64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "b64url" => DIGITS_LETTERS,
        _ => return None,
    })
}

/// Fills in `{CLASS:LENGTH}` with characters that look random and are the same every time; other
/// braces stay. Classes: d, hex, HEX, lower, upper, b36, B36, b58, b62, b32, b64, b64url.
pub fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let filled = rest.find('}').and_then(|close| {
            let (name, length) = rest[1..close].split_once(':')?;
            Some((class(name)?, length.parse::<usize>().ok()?, close + 1))
        });
        let Some((class, length, next)) = filled else {
            out.push('{');
            rest = &rest[1..];
            continue;
        };
        for _ in 0..length {
            // Marsaglia's xorshift64: spread is all that is asked of it.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            out.push(char::from(class[(state >> 33) as usize % class.len()]));
        }
        rest = &rest[next..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_filled_and_marked() {
        let text = expand("key={b62:12} {\"a\":{hex:4}} {x}");
        assert_eq!(text.len(), "key= {\"a\":} {x}".len() + 12 + 4);
        assert!(text.starts_with("key=") && text.ends_with(" {x}"));
        assert_eq!(text, expand("key={b62:12} {\"a\":{hex:4}} {x}"));
        assert_eq!(marked("a ‹bé› c‹d›"), ("a bé cd".to_owned(), vec![2..5, 7..8]));
    }
}
