//! Holds every rule to its own table: it finds its examples whole and leaves its look-alikes.
//!
//! Not here: the rows (each stands beside its rule's code).
//!
//! Always: all rules search together, as in a run, so a rule that takes another's value shows; a
//! rule without examples or without look-alikes is wrong. What a model finds is the model's: its rules have none.

use super::detect::{Detector, Span, built_in};
use super::kind::Kind;
use super::rule::Rule;

/// How a rule did.
#[derive(Debug)]
pub struct Tested {
    pub rule: &'static Rule,
    /// What is wrong, by the number of the example, from 1.
    pub wrong: Vec<String>,
}

/// Searches the examples of all rules that need no model with every type on. Regions are those that examples of
/// national phone numbers are from.
pub fn test_rules() -> Result<Vec<Tested>, String> {
    let detector = Detector::new(Kind::ALL, &["US", "GB", "FR", "KR"].map(str::to_owned))?;
    Ok(built_in().map(|rule| Tested { rule, wrong: wrong(rule, &detector) }).collect())
}

pub(super) fn wrong(rule: &Rule, detector: &Detector) -> Vec<String> {
    let (mut wrong, mut spans) = (Vec::new(), Vec::<Span>::new());
    if rule.finds.is_empty() || rule.passes.is_empty() {
        wrong.push("has no examples, or no look-alikes".to_owned());
    }
    let mut of_kind = |text: &str| -> Vec<_> {
        // Without a model no search fails; a failed one would have found nothing.
        detector.find_by(&|_, _| {}, text, Vec::new(), &mut spans).unwrap_or_default();
        let own = spans.iter().filter(|span| span.kind == rule.kind);
        own.map(|span| span.start_byte as usize..span.end_byte as usize).collect()
    };
    for (n, (text, expected)) in rule.examples().enumerate() {
        let found = of_kind(&text);
        if found != expected {
            wrong.push(format!("example {}: finds {found:?}, not {expected:?}", n + 1));
        }
    }
    for (n, text) in rule.look_alikes().enumerate() {
        let found = of_kind(&text);
        if !found.is_empty() {
            wrong.push(format!("look-alike {}: finds {found:?}", n + 1));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_find_their_examples_and_leave_look_alikes() {
        let wrong: Vec<_> = test_rules().unwrap().into_iter().filter(|tested| !tested.wrong.is_empty()).collect();
        let told: Vec<_> = wrong.iter().map(|tested| (tested.rule.id, &tested.wrong)).collect();
        assert!(told.is_empty(), "{told:#?}");
    }

    #[test]
    fn a_rule_without_look_alikes_is_wrong() {
        let detector = Detector::new(&[Kind::Email], &[]).unwrap();
        let rule = built_in().find(|rule| rule.kind == Kind::Email).unwrap();
        let bare = Rule { passes: &[], finds: &["no ‹mail›"], ..*rule };
        assert_eq!(wrong(&bare, &detector).len(), 2);
    }
}
