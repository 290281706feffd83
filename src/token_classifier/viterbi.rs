//! The likeliest row of labels in which every label may follow the one before it (A. J. Viterbi,
//! "Error bounds for convolutional codes", 1967): transitions weigh nothing, or forbid.
//!
//! Always: the row is one that the labels allow; of equally likely ones that with the smaller
//! labels, from the last token on; the work is tokens × labels.

use super::labels::{Labels, Tag};

/// Which labels may follow which, ready to be looked up.
#[derive(Debug)]
pub struct Transitions {
    /// Rows of labels that may stand before one; most labels share one.
    befores: Vec<Vec<usize>>,
    /// By label: which of `befores`.
    before: Vec<usize>,
    first: Vec<bool>,
    last: Vec<bool>,
}

impl Transitions {
    pub fn new(labels: &Labels) -> Transitions {
        let tags = labels.tags();
        let (mut befores, mut before) = (Vec::<Vec<usize>>::new(), Vec::new());
        for next in tags {
            let may: Vec<usize> = (0..tags.len()).filter(|at| labels.follows(Some(tags[*at]), Some(*next))).collect();
            let known = befores.iter().position(|one| *one == may);
            before.push(known.unwrap_or(befores.len()));
            if known.is_none() {
                befores.push(may);
            }
        }
        let first = tags.iter().map(|tag| labels.follows(None, Some(*tag))).collect();
        let last = tags.iter().map(|tag| labels.follows(Some(*tag), None)).collect();
        Transitions { befores, before, first, last }
    }

    /// A label for each token. `log_probs` are tokens × labels, each at most 0.
    pub fn decode(&self, log_probs: &[f32]) -> Vec<usize> {
        let labels = self.before.len();
        let Some((head, rest)) = log_probs.split_at_checked(labels).filter(|(head, _)| !head.is_empty()) else {
            return Vec::new();
        };
        let start = |(score, may): (&f32, &bool)| if *may { f64::from(*score) } else { f64::NEG_INFINITY };
        let mut scores: Vec<f64> = head.iter().zip(&self.first).map(start).collect();
        // By token from the second on, by row of labels before: the best of them.
        let mut best = Vec::with_capacity(rest.len() / labels * self.befores.len());
        for row in rest.chunks_exact(labels) {
            let from = best.len();
            best.extend(self.befores.iter().map(|before| likeliest(before.iter().copied(), &scores)));
            let step = |(score, before): (&f32, &usize)| {
                best[from + before].map_or(f64::NEG_INFINITY, |at: usize| scores[at] + f64::from(*score))
            };
            scores = row.iter().zip(&self.before).map(step).collect();
        }
        let ends = (0..labels).filter(|label| self.last[*label]);
        // An outside label may end every row.
        let mut path = vec![likeliest(ends, &scores).unwrap_or_default()];
        for befores in best.chunks_exact(self.befores.len().max(1)).rev() {
            let label = path[path.len() - 1];
            path.push(befores[self.before[label]].unwrap_or_default());
        }
        path.reverse();
        path
    }
}

/// The first of the likeliest that are possible at all.
fn likeliest(labels: impl Iterator<Item = usize>, scores: &[f64]) -> Option<usize> {
    let possible = labels.filter(|label| scores[*label] > f64::NEG_INFINITY);
    possible.reduce(|best, label| if scores[label] > scores[best] { label } else { best })
}

/// Entities of a row of labels: their type, and their first token and the one behind the last.
pub fn entities(tags: impl Iterator<Item = Tag>) -> Vec<(usize, usize, usize)> {
    let mut entities: Vec<(usize, usize, usize)> = Vec::new();
    let mut open = None;
    for (at, tag) in tags.enumerate() {
        let goes_on = matches!(tag, Tag::Inside(kind) | Tag::End(kind) if open == Some(kind));
        match (tag.kind(), entities.last_mut()) {
            (Some(_), Some(last)) if goes_on => last.2 = at + 1,
            (Some(kind), _) => entities.push((kind, at, at + 1)),
            (None, _) => {}
        }
        open = match tag {
            Tag::Begin(kind) | Tag::Inside(kind) => Some(kind),
            _ => None,
        };
    }
    entities
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Scheme;

    fn labels(names: &str) -> Labels {
        Labels::new(&names.split(' ').map(str::to_owned).collect::<Vec<_>>(), Scheme::Auto).unwrap()
    }

    const BIOES: &str = "O B-A I-A E-A S-A B-B I-B E-B S-B";
    const BIO: &str = "O B-A I-A B-B I-B";

    /// Each token is likeliest to have the label of that name; what is allowed wins.
    #[test]
    fn what_is_not_allowed_is_not_said() {
        for (names, likely, said) in [
            (BIOES, "O B-A I-A E-A O", "O B-A I-A E-A O"),
            (BIOES, "S-A S-B", "S-A S-B"),
            (BIOES, "B-A E-B O", "B-A E-A O"),
            (BIOES, "I-A", "O"),
            (BIOES, "O I-A I-A E-A", "O B-A I-A E-A"),
            (BIOES, "B-A", "O"),
            (BIO, "I-A I-A O", "B-A I-A O"),
            (BIO, "B-A I-B O", "B-A O O"),
            (BIO, "B-A B-A I-A", "B-A B-A I-A"),
            ("O A B", "A A B O", "A A B O"),
        ] {
            let all: Vec<&str> = names.split(' ').collect();
            let number = |name: &str| all.iter().position(|one| *one == name).unwrap();
            let log_probs: Vec<f32> = likely
                .split(' ')
                .flat_map(|name| (0..all.len()).map(move |label| if label == number(name) { -0.1 } else { -3.0 }))
                .collect();
            let path = Transitions::new(&labels(names)).decode(&log_probs);
            assert_eq!(path.iter().map(|label| all[*label]).collect::<Vec<_>>().join(" "), said, "{likely}");
        }
    }

    #[test]
    fn rows_of_labels_are_entities() {
        for (names, row, expected) in [
            (BIOES, "O B-A I-A E-A S-A O B-B E-B", &[(0, 1, 4), (0, 4, 5), (1, 6, 8)][..]),
            (BIO, "B-A I-A B-A O B-B", &[(0, 0, 2), (0, 2, 3), (1, 4, 5)]),
            ("O A B", "A A O B A A", &[(0, 0, 2), (1, 3, 4), (0, 4, 6)]),
            ("O A B", "O O", &[]),
        ] {
            let (all, labels) = (names.split(' ').collect::<Vec<_>>(), labels(names));
            let tags = row.split(' ').map(|name| labels.tags()[all.iter().position(|one| *one == name).unwrap()]);
            assert_eq!(entities(tags), expected, "{row}");
        }
    }

    #[test]
    fn no_token_has_no_label() {
        assert!(Transitions::new(&labels(BIO)).decode(&[]).is_empty());
    }

    fn score(labels: &Labels, log_probs: &[f32], path: &[usize]) -> f64 {
        let tags: Vec<Option<Tag>> = path.iter().map(|label| Some(labels.tags()[*label])).collect();
        let ends: Vec<Option<Tag>> = [None].into_iter().chain(tags).chain([None]).collect();
        match ends.windows(2).all(|two| labels.follows(two[0], two[1])) {
            true => {
                path.iter().enumerate().map(|(at, label)| f64::from(log_probs[at * labels.tags().len() + label])).sum()
            }
            false => f64::NEG_INFINITY,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_row_is_always_allowed(which in 0..3usize, scores in proptest::collection::vec(-30.0f32..0.0, 0..200)) {
            let labels = labels([BIOES, BIO, "O A B"][which]);
            let tokens = scores.len() / labels.tags().len();
            let log_probs = &scores[..tokens * labels.tags().len()];
            let path = Transitions::new(&labels).decode(log_probs);
            prop_assert_eq!(path.len(), tokens);
            prop_assert!(tokens == 0 || score(&labels, log_probs, &path) > f64::NEG_INFINITY);
        }

        #[test]
        fn no_row_is_likelier(
            which in 0..3usize,
            scores in proptest::collection::vec(prop_oneof![-9.0f32..0.0, Just(f32::NEG_INFINITY)], 3 * 4),
        ) {
            // With what cannot be, too; an outside label is always possible, as after a softmax.
            let labels = labels(["O B-A E-A", "O B-A I-A", "O A B"][which]);
            let log_probs: Vec<f32> = scores.iter().enumerate().map(|(at, score)| if at % 3 == 0 { score.max(-9.0) } else { *score }).collect();
            let all = (0..81).map(|n| [n / 27, n / 9 % 3, n / 3 % 3, n % 3]);
            let best = all.map(|path| score(&labels, &log_probs, &path)).fold(f64::NEG_INFINITY, f64::max);
            let path = Transitions::new(&labels).decode(&log_probs);
            prop_assert!((score(&labels, &log_probs, &path) - best).abs() < 1e-9);
        }
    }
}
