//! Decides a candidate pair exactly, on both sides.
//!
//! Always: an edge is `near_duplicate` only if users and assistants both say nearly the same;
//! one side alone is evidence (`same_prompt`, `boilerplate_answer`), not a duplicate.

use super::shingle::Side;

/// A pair's relation, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verified {
    pub rule: Rule,
    pub jaccard_user: f64,
    pub jaccard_assistant: f64,
    /// Shared shingles over those of the smaller conversation.
    pub containment: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    NearDuplicate,
    /// The vectors that the user brought have a high cosine, and nothing in the texts speaks against it.
    Semantic,
    /// Users say the same, assistants do not: regenerations, kept.
    SamePrompt,
    /// Assistants say the same, users do not: canned answers, kept.
    BoilerplateAnswer,
    /// Only digits or symbols differ: amounts, dates and operators are the content, kept.
    DigitsDiffer,
    Different,
}

impl Rule {
    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::NearDuplicate => "near_duplicate",
            Rule::Semantic => "semantic_duplicate",
            Rule::SamePrompt => "same_prompt",
            Rule::BoilerplateAnswer => "boilerplate_answer",
            Rule::DigitsDiffer => "digits_differ",
            Rule::Different => "different",
        }
    }
}

/// Lengths further apart than this are not near-duplicates, whatever the sets say.
const MIN_LENGTH_RATIO: f64 = 0.5;

pub fn verify(a: (&Side, &Side), b: (&Side, &Side), min_jaccard: f64, short_tokens: u32) -> Verified {
    let (jaccard_user, user_shared) = compare(a.0, b.0, short_tokens);
    let (jaccard_assistant, assistant_shared) = compare(a.1, b.1, short_tokens);
    let sizes = [a, b].map(|(user, assistant)| user.shingles.len() + assistant.shingles.len());
    let smaller = sizes[0].min(sizes[1]).max(1);
    let containment = (user_shared + assistant_shared) as f64 / smaller as f64;
    let near = |jaccard: f64| jaccard >= min_jaccard;
    let rule = match (near(jaccard_user), near(jaccard_assistant)) {
        (true, true) if digits_only(a, b) => Rule::DigitsDiffer,
        (true, true) if !long_enough(a, b) => Rule::Different,
        (true, true) => Rule::NearDuplicate,
        (true, false) => Rule::SamePrompt,
        (false, true) => Rule::BoilerplateAnswer,
        (false, false) => Rule::Different,
    };
    Verified { rule, jaccard_user, jaccard_assistant, containment }
}

/// Whether two answers to one prompt are one answer: nearly the same, and not only in words.
/// Regenerations that differ are never duplicates, however much history they share.
pub fn same_answer(a: &Side, b: &Side, min_jaccard: f64, short_tokens: u32) -> bool {
    let digits_differ = a.text != b.text && a.skeleton == b.skeleton;
    compare(a, b, short_tokens).0 >= min_jaccard && !digits_differ
}

/// Exact Jaccard and the number of shared shingles. A short side must be equal, token by token.
fn compare(a: &Side, b: &Side, short_tokens: u32) -> (f64, usize) {
    let shared = shared(&a.shingles, &b.shingles);
    if a.tokens < short_tokens || b.tokens < short_tokens {
        return (if a.text == b.text { 1.0 } else { 0.0 }, shared);
    }
    let union = a.shingles.len() + b.shingles.len() - shared;
    (shared as f64 / union.max(1) as f64, shared)
}

/// Both lists are sorted and distinct.
fn shared(a: &[u64], b: &[u64]) -> usize {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        shared += usize::from(a[i] == b[j]);
        let (x, y) = (a[i], b[j]);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    shared
}

fn digits_only(a: (&Side, &Side), b: (&Side, &Side)) -> bool {
    let texts = |side: (&Side, &Side)| (side.0.text, side.1.text);
    let skeletons = |side: (&Side, &Side)| (side.0.skeleton, side.1.skeleton);
    texts(a) != texts(b) && skeletons(a) == skeletons(b)
}

fn long_enough(a: (&Side, &Side), b: (&Side, &Side)) -> bool {
    let tokens = |side: (&Side, &Side)| f64::from(side.0.tokens + side.1.tokens);
    tokens(a).min(tokens(b)) >= MIN_LENGTH_RATIO * tokens(a).max(tokens(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::dedup::shingle;

    fn side(text: &str) -> Side {
        shingle::tests::side(&[text])
    }

    fn words(from: u32, to: u32) -> String {
        let letters = |n: u32| -> String { n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).collect() };
        (from..to).map(|n| format!("w{} ", letters(n))).collect()
    }

    fn rule(a: (&str, &str), b: (&str, &str)) -> Rule {
        verify((&side(a.0), &side(a.1)), (&side(b.0), &side(b.1)), 0.8, 10).rule
    }

    #[test]
    fn both_sides_must_be_near() {
        let (long, other) = (words(0, 60), words(100, 160));
        let changed = long.replacen("wda ", "changed ", 1);
        assert_eq!(rule((&long, &long), (&changed, &changed)), Rule::NearDuplicate);
        assert_eq!(rule((&long, &long), (&long, &other)), Rule::SamePrompt);
        assert_eq!(rule((&long, &long), (&other, &long)), Rule::BoilerplateAnswer);
        assert_eq!(rule((&long, &long), (&other, &other)), Rule::Different);
    }

    #[test]
    fn a_short_side_must_be_equal() {
        let long = words(0, 60);
        assert_eq!(rule(("yes please do", &long), ("Yes, please do!", &long)), Rule::NearDuplicate);
        assert_eq!(rule(("yes please do", &long), ("yes please stop", &long)), Rule::BoilerplateAnswer);
    }

    #[test]
    fn a_difference_in_digits_alone_is_none_to_drop_for() {
        let long = words(0, 60);
        assert_eq!(rule((&format!("{long} 12"), &long), (&format!("{long} 13"), &long)), Rule::DigitsDiffer);
    }

    #[test]
    fn an_answer_is_the_same_or_another() {
        let long = words(0, 60);
        let same = |a: &str, b: &str| same_answer(&side(a), &side(b), 0.8, 10);
        assert!(same(&long, &long.replacen("wda ", "changed ", 1)));
        assert!(same("Yes, do.", "yes do"));
        assert!(!same(&long, &words(30, 90)));
        assert!(!same("yes", "no"));
        assert!(!same(&format!("{long} 12"), &format!("{long} 13")));
    }

    #[test]
    fn jaccard_counts_the_sets() {
        assert_eq!(shared(&[1, 3, 5], &[1, 2, 5, 9]), 2);
        assert_eq!(shared(&[], &[1]), 0);
    }
}
