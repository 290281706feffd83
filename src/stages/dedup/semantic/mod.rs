//! Near-duplicates by vectors that the user brings: the exact cosine of a pair, and what its texts say
//! against folding it.
//!
//! Not here: which pairs are looked at (`hyperplanes`); the plans (`plan`); running them (`runner`).
//! No vector is made here: embeddings come from the user's own model.
//!
//! Always: a cosine is computed in f64, in one order of additions, so it is the same number in every
//! process; a pair whose texts are another answer to one prompt, nearly one answer to another prompt, or
//! hold other digits, is kept.

pub mod hyperplanes;
pub mod plan;

use super::shingle::Side;
use super::verify::{Rule, Verified, verify};

/// Version of everything in this folder; part of the key of what is decided by vectors.
/// - 1: first release.
/// - 2: other amounts in other words, and canned answers, are kept.
pub const VERSION: u32 = 2;

/// Sums that run beside each other, so that the processor does not wait for each addition.
const LANES: usize = 8;

/// Why a vector has no direction that could be compared; nothing if it has one.
pub fn flaw(vector: &[f64]) -> Option<&'static str> {
    let length = dot(vector, vector);
    match length {
        // Also where the squares do not fit.
        length if !length.is_finite() => Some("not_finite"),
        length if length < f64::MIN_POSITIVE => Some("zero"),
        _ => None,
    }
}

/// The cosine of the angle between two vectors of one length; of equal ones exactly 1.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    if a == b { 1.0 } else { (dot(a, b) / lengths).clamp(-1.0, 1.0) }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (x, y) in whole_a.iter().zip(whole_b) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// Decides a pair whose cosine is high enough, from its texts. The word overlap is told beside it.
pub fn judge(a: (&Side, &Side), b: (&Side, &Side), min_jaccard: f64, short_tokens: u32) -> Verified {
    let verified = verify(a, b, min_jaccard, short_tokens);
    let rule = match verified.rule {
        _ if digits_differ(a.0, b.0) || digits_differ(a.1, b.1) => Rule::DigitsDiffer,
        // Users say nearly the same and assistants do not: two answers to one prompt. Or assistants do and
        // users do not: mostly a canned answer (a refusal, a template), and as it is most of what is said,
        // the vector is mostly its own and hardly tells what was asked.
        one_side @ (Rule::SamePrompt | Rule::BoilerplateAnswer) => one_side,
        _ => Rule::Semantic,
    };
    Verified { rule, ..verified }
}

/// Amounts, dates and symbols are content, and vectors hardly see them. One side alone is enough: a
/// paraphrase of the question does not make another amount the same answer, whatever the words around it.
/// Who writes the same amount in another way (1,000 and 1000, twelve and 12) is kept, too.
fn digits_differ(a: &Side, b: &Side) -> bool {
    a.digits != b.digits || a.text != b.text && a.skeleton == b.skeleton
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::dedup::shingle;

    fn side(text: &str) -> Side {
        shingle::tests::side(&[text])
    }

    fn rule(a: (&str, &str), b: (&str, &str)) -> Rule {
        judge((&side(a.0), &side(a.1)), (&side(b.0), &side(b.1)), 0.8, 10).rule
    }

    #[test]
    fn cosines_are_those_of_the_angle() {
        for (a, b, expected) in [
            (&[1.0, 0.0][..], &[0.0, 2.0][..], 0.0),
            (&[1.0, 1.0], &[-1.0, -1.0], -1.0),
            (&[3.0, 4.0], &[4.0, 3.0], 0.96),
            (&[0.1; 19], &[0.7; 19], 1.0),
        ] {
            assert!((cosine(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}");
            assert_eq!(cosine(a, b), cosine(b, a));
        }
        assert_eq!(cosine(&[0.1, 0.2, 0.7], &[0.1, 0.2, 0.7]), 1.0);
    }

    #[test]
    fn a_vector_without_a_direction_is_told() {
        for (vector, expected) in [
            (&[0.5, -0.5][..], None),
            (&[0.0, 0.0], Some("zero")),
            (&[], Some("zero")),
            (&[f64::NAN, 1.0], Some("not_finite")),
            (&[f64::INFINITY, 1.0], Some("not_finite")),
            (&[1e200, 1.0], Some("not_finite")),
            (&[1e-200, 0.0], Some("zero")),
        ] {
            assert_eq!(flaw(vector), expected, "{vector:?}");
        }
    }

    #[test]
    fn texts_may_speak_against_a_high_cosine() {
        let ask = "How can I set a new password when I no longer know the old one?";
        let other = "I forgot what I log in with and need to choose a fresh one, what do I do?";
        let answer = "Open the settings, choose security, then follow the link that we send you by mail.";
        let paid = "We have sent you 12 euros back, they will be on your account by the end of the week.";
        for (a, b, expected) in [
            ((ask, answer), (other, answer), Rule::BoilerplateAnswer),
            ((ask, "We sent you 12 euros back."), (other, "90 euros are on the way to you."), Rule::DigitsDiffer),
            ((ask, "We sent you 12 euros back."), (other, "12 euros are on the way to you."), Rule::Semantic),
            ((ask, "We sent you something back."), (other, "90 euros are on the way to you."), Rule::DigitsDiffer),
            ((ask, answer), (other, "Go to security in your settings and take the link in our mail."), Rule::Semantic),
            (
                (ask, answer),
                (ask, "Please write to the support desk, they will help you within a day or two."),
                Rule::SamePrompt,
            ),
            (
                ("hi", "Hello, what can I do?"),
                ("Hi!", "Good morning, how may I help you today, dear customer?"),
                Rule::SamePrompt,
            ),
            ((ask, paid), (other, &paid.replace("12", "90")), Rule::DigitsDiffer),
            (
                ("what is 2 + 2", answer),
                ("what is 3 + 5", "Something else entirely was said here."),
                Rule::DigitsDiffer,
            ),
        ] {
            assert_eq!(rule(a, b), expected, "{a:?} {b:?}");
            assert_eq!(rule(b, a), expected);
        }
    }
}
