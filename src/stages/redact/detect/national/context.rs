//! The words around a number, folded so that one spelling in a table meets all of them.
//!
//! Not here: which words speak for which number (the tables beside this file).
//!
//! Always: only a bounded window is read; folding is done once a stretch of numbers, and only for
//! numbers whose digits already passed.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use unicode_normalization::UnicodeNormalization;

const BEFORE_BYTES: usize = 64;
const AFTER_BYTES: usize = 28;

/// A word behind a number speaks less for it than one before.
const BEHIND: usize = 20;

/// All words of all rules, looked for at once.
pub(in super::super) struct Labels {
    machine: AhoCorasick,
    words: Vec<&'static str>,
}

impl Labels {
    pub(in super::super) fn new(words: impl Iterator<Item = &'static str>) -> Result<Labels, String> {
        let mut words: Vec<_> = words.collect();
        words.sort_unstable();
        words.dedup();
        let machine = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words.iter().map(|word| stem(word)))
            .map_err(|error| format!("the words of national numbers: {error}"))?;
        Ok(Labels { machine, words })
    }

    /// The places of words in this list.
    pub(super) fn ids(&self, words: &[&str]) -> Vec<u16> {
        words.iter().filter_map(|word| self.words.binary_search(word).ok()).map(|place| place as u16).collect()
    }

    /// The words that stand whole in a folded text, and where they begin and end. A word ends where
    /// it ends here, unless it ends in `*`; words of scripts without spaces may stand anywhere.
    fn hits(&self, folded: &str) -> impl Iterator<Item = (u16, usize, usize)> {
        let open = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b' ' || !byte.is_ascii());
        self.machine.find_overlapping_iter(folded).filter_map(move |hit| {
            let (word, bytes) = (self.words[hit.pattern().as_usize()], folded.as_bytes());
            let whole = !word.is_ascii()
                || (open(bytes.get(hit.start().wrapping_sub(1)))
                    && (word.ends_with('*') || open(bytes.get(hit.end()))));
            whole.then(|| (hit.pattern().as_u32() as u16, hit.start(), hit.end()))
        })
    }
}

fn stem(word: &str) -> &str {
    word.strip_suffix('*').unwrap_or(word)
}

/// The words in and around a stretch of a text, and where they begin and end in the text. Numbers
/// of one stretch share it, so a text full of numbers is folded about twice, not once a number.
pub(in super::super) struct Context(Vec<(u16, usize, usize)>);

impl Context {
    /// Of the numbers between `start` and `end`.
    pub(in super::super) fn around(labels: &Labels, text: &str, start: usize, end: usize) -> Context {
        let mut from = start.saturating_sub(BEFORE_BYTES);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        // A word that is cut in two would look like another one.
        if text[..from].ends_with(|c: char| c.is_ascii_alphanumeric()) {
            from += text[from..start].bytes().take_while(u8::is_ascii_alphanumeric).count();
        }
        let mut to = text.len().min(end + AFTER_BYTES);
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        let (folded, places) = folded(&text[from..to]);
        let place = |(word, start, end): (u16, usize, usize)| {
            (word, from + places[start] as usize, from + places[end - 1] as usize + 1)
        };
        Context(labels.hits(&folded).map(place).collect())
    }

    /// Some word stands there.
    pub(in super::super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// How far from the number the nearest of `words` is.
    pub(super) fn nearest(&self, words: &[u16], text: &str, start: usize, end: usize) -> Option<usize> {
        // What stands behind the next number, line or sentence belongs to something else.
        let apart = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'\n' | b'.' | b';' | b'"');
        let distance = |(word, first, last): &(u16, usize, usize)| {
            if !words.contains(word) {
                None
            } else if *last <= start {
                Some(start - last).filter(|distance| *distance <= BEFORE_BYTES)
            } else if *first >= end && first - end <= AFTER_BYTES {
                (!text.as_bytes()[end..*first].iter().any(apart)).then_some(first - end + BEHIND)
            } else {
                None
            }
        };
        self.0.iter().filter_map(distance).min()
    }
}

/// Lower-case words without accents and punctuation, one space around each: `"Cust_taxId":` is
/// ` cust tax id `, and "C.P.F. nº" is ` cpf no `.
///
/// Beside it, for every byte, the last byte in the text of the character it comes from.
fn folded(text: &str) -> (String, Vec<u32>) {
    let mut out = String::with_capacity(text.len() + 2);
    let mut places = Vec::with_capacity(text.len() + 2);
    out.push(' ');
    let mut chars = text.char_indices().peekable();
    let (mut lower_before, mut initials) = (false, false);
    while let Some((at, c)) = chars.next() {
        places.resize(out.len(), at.saturating_sub(1) as u32);
        // `taxId` is two words.
        if lower_before && c.is_ascii_uppercase() {
            out.push(' ');
        }
        lower_before = c.is_ascii_lowercase();
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            '\'' | '’' => {}
            // Initials: c.p.f.
            '.' if (initials || initial(&out)) && chars.peek().is_some_and(|(_, next)| next.is_alphabetic()) => {
                initials = true;
                continue;
            }
            _ if c.is_ascii() => space(&mut out),
            '\u{c0}'..='\u{24f}' => fold_latin(c, &mut out),
            'º' | '°' => out.push('o'),
            _ if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            // Marks of Indic and Thai words.
            '\u{900}'..='\u{e7f}' => out.push(c),
            _ => space(&mut out),
        }
        places.resize(out.len(), (at + c.len_utf8() - 1) as u32);
        initials &= !out.ends_with(' ');
    }
    space(&mut out);
    places.resize(out.len(), text.len().saturating_sub(1) as u32);
    (out, places)
}

fn space(out: &mut String) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
}

/// The word being written has one letter so far.
fn initial(out: &str) -> bool {
    let mut back = out.chars().rev();
    back.next().is_some_and(|letter| letter != ' ') && back.next() == Some(' ')
}

fn fold_latin(c: char, out: &mut String) {
    match c {
        'ß' => out.push_str("ss"),
        'ł' | 'Ł' => out.push('l'),
        'ø' | 'Ø' => out.push('o'),
        'æ' | 'Æ' => out.push_str("ae"),
        'đ' | 'Đ' => out.push('d'),
        'ı' => out.push('i'),
        _ => out.extend(
            c.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).flat_map(char::to_lowercase).filter(char::is_ascii),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_meet() {
        for (text, words) in [
            ("\"custTaxId\": \"", " cust tax id "),
            ("Numéro de Sécurité-Sociale", " numero de securite sociale "),
            ("C.P.F. nº", " cpf no "),
            ("RODNÉ ČÍSLO:", " rodne cislo "),
            ("driver's license", " drivers license "),
            ("身份证号：", " 身份证号 "),
            ("ת.ז. ", " תז "),
        ] {
            assert_eq!(folded(text).0, words);
        }
    }

    #[test]
    fn words_are_met_whole_and_near() {
        let near = |text: &str, words: &[&str]| {
            let at = text.find('#').unwrap();
            let words: Vec<&'static str> = words.iter().map(|word| &*String::leak((*word).to_owned())).collect();
            let labels = Labels::new(words.iter().copied()).unwrap();
            Context::around(&labels, text, at, at + 1).nearest(&labels.ids(&words), text, at, at + 1)
        };
        assert_eq!(near("since #", &["sin"]), None);
        assert_eq!(near("my sin: #", &["sin"]), Some(2));
        assert_eq!(near("Personalausweisnummer #", &["personalausweis*"]), Some(7));
        assert_eq!(near("#（身份证）", &["身份证"]), Some(25));
        assert!(near("# is my SIN", &["sin"]) > near("my SIN is #", &["sin"]));
        assert_eq!(near("# and 5 SIN", &["sin"]), None);
        // 70 bytes before is another sentence; a word cut by the window is no word.
        assert_eq!(near(&format!("sin {} #", "x ".repeat(40)), &["sin"]), None);
        assert_eq!(near(&format!("moccasin{}#", " ".repeat(61)), &["sin"]), None);
    }
}
