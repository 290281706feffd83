//! One search over a text for the words that lead to secrets which are no rows of their own: stems
//! of names (`label`) and the beginnings of forms (`grammar`).
//!
//! Not here: what a word leads to.
//!
//! Always: a word that holds a stem leads to both; without the table nothing may pass as clean, so
//! `ready` is asked when a detector is made.

use std::sync::LazyLock;

use super::words::Words;
use super::{Span, grammar, label, sealed};
use crate::stages::redact::glance::{DOLLAR, Glance, HIGH};

/// Stems first, then forms.
static CLUES: LazyLock<Option<Words>> = LazyLock::new(|| {
    let words: Vec<&str> = label::STEMS.iter().chain(&grammar::WORDS).copied().collect();
    Words::new(&words)
});

pub(super) fn ready() -> Result<(), String> {
    label::ready()?;
    if CLUES.is_some() { Ok(()) } else { Err("the table of words of secrets cannot be built".to_owned()) }
}

/// Adds what stands behind such words.
pub(super) fn find(text: &str, glance: Glance, out: &mut Vec<Span>) {
    let Some(clues) = &*CLUES else { return };
    let (mut forms, mut labels) = (grammar::Forms::default(), label::Labels::default());
    clues.each(text, |word, start, end| {
        let Some(form) = word.checked_sub(label::STEMS.len()) else { return labels.find(text, start, out) };
        forms.find(text, form, start, end, out);
        if let Some(stem) = STEM_IN_FORM[form] {
            labels.find(text, start + stem, out);
        }
    });
    if glance.has(HIGH) {
        label::foreign(text, &mut labels, out);
    }
    if forms.keys {
        sealed::private_keys(text, out);
    }
    if glance.has(DOLLAR) {
        grammar::hashes(text, out);
    }
}

/// Where the first stem begins in each form: a search that takes the form does not see it.
const STEM_IN_FORM: [Option<usize>; grammar::WORDS.len()] =
    [None, None, None, None, None, None, Some(7), Some(3), None, None, Some(11), None];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_in_forms_are_known() {
        for (form, word) in grammar::WORDS.iter().enumerate() {
            let stem = label::STEMS.iter().filter_map(|stem| word.find(stem)).min();
            assert_eq!(STEM_IN_FORM[form], stem, "{word}");
        }
    }
}
