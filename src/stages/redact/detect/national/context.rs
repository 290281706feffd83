//! The words around a number, folded so that one spelling in a table meets all of them.
//!
//! Not here: which words speak for which number (the tables beside this file).
//!
//! Always: only a bounded window is read; folding is done once a number, and only for numbers
//! whose digits already passed.

use unicode_normalization::UnicodeNormalization;

const BEFORE_BYTES: usize = 64;
const AFTER_BYTES: usize = 28;

/// Lower-case words without accents and punctuation, one space around each: `"Cust_taxId":` is
/// ` cust tax id `, and "C.P.F. nº" is ` cpf no `.
#[derive(Default)]
pub(super) struct Context {
    before: String,
    after: String,
}

impl Context {
    pub(super) fn around(text: &str, start: usize, end: usize) -> Context {
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
        // What stands behind the next number, line or sentence belongs to something else.
        let after = &text[end..to];
        let stop =
            after.find(|c: char| c.is_ascii_digit() || matches!(c, '\n' | '.' | ';' | '"')).unwrap_or(after.len());
        Context { before: folded(&text[from..start]), after: folded(&after[..stop]) }
    }

    /// How many bytes away the nearest of `words` stands. A word ends where it ends here, unless it
    /// ends in `*`; words of scripts without spaces may stand anywhere.
    pub(super) fn nearest(&self, words: &[&str]) -> Option<usize> {
        words.iter().filter_map(|word| self.distance(word)).min()
    }

    fn distance(&self, word: &str) -> Option<usize> {
        let stem = word.strip_suffix('*').unwrap_or(word);
        let fits = |heap: &str, at: usize| {
            let bytes = heap.as_bytes();
            !stem.is_ascii()
                || (bytes.get(at.wrapping_sub(1)).is_none_or(|before| *before == b' ' || !before.is_ascii())
                    && (stem.len() < word.len()
                        || bytes.get(at + stem.len()).is_none_or(|after| *after == b' ' || !after.is_ascii())))
        };
        let before = self.before.rmatch_indices(stem).find(|(at, _)| fits(&self.before, *at));
        if let Some((at, _)) = before {
            return Some(self.before.len() - at - stem.len());
        }
        /// A word behind a number speaks less for it than one before.
        const BEHIND: usize = 20;
        self.after.match_indices(stem).find(|(at, _)| fits(&self.after, *at)).map(|(at, _)| at + BEHIND)
    }
}

fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    let mut chars = text.chars().peekable();
    let (mut lower_before, mut initials) = (false, false);
    while let Some(c) = chars.next() {
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
            '.' if (initials || initial(&out)) && chars.peek().is_some_and(|next| next.is_alphabetic()) => {
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
        initials &= !out.ends_with(' ');
    }
    space(&mut out);
    out
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
            assert_eq!(folded(text), words);
        }
    }

    #[test]
    fn words_are_met_whole_and_near() {
        let near = |text: &str, words: &[&str]| {
            let at = text.find('#').unwrap();
            Context::around(text, at, at + 1).nearest(words)
        };
        assert_eq!(near("since #", &["sin"]), None);
        assert_eq!(near("my sin: #", &["sin"]), Some(1));
        assert_eq!(near("Personalausweisnummer #", &["personalausweis*"]), Some(7));
        assert_eq!(near("#（身份证）", &["身份证"]), Some(21));
        assert!(near("# is my SIN", &["sin"]) > near("my SIN is #", &["sin"]));
        assert_eq!(near("# and 5 SIN", &["sin"]), None);
        // 70 bytes before is another sentence; a word cut by the window is no word.
        assert_eq!(near(&format!("sin {} #", "x ".repeat(40)), &["sin"]), None);
        assert_eq!(near(&format!("moccasin{}#", " ".repeat(61)), &["sin"]), None);
    }
}
