//! Prompt groups: kept conversations that share a prompt and part at an assistant message; and
//! split groups: what may not be torn apart by a train/test split.
//!
//! Always: a conversation's prompt group is the earliest place at which its like were answered in
//! two ways. Its split group is its opening, tied to the openings of all that a duplicate links
//! it with, dropped or kept; so whoever shares a first prompt is on one side, wherever they part later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};

use super::rows::Decision;
use super::sink::arrow_error;
use crate::error::Result;
use crate::stages::dedup::cluster::Edge;
use crate::stages::dedup::verify::Rule;

/// A record at a prefix after which assistants answered in more than one way.
#[derive(Clone, Debug)]
pub struct Branch {
    pub record_id: String,
    pub hash: u64,
    pub next: u64,
    pub messages: u32,
}

/// Where a record stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub prompt_group: Option<u64>,
    pub prompt_messages: u32,
    pub answer: u64,
}

pub fn assign(branches: &[Branch], decisions: &BTreeMap<String, Decision>) -> BTreeMap<String, Group> {
    let kept = |branch: &Branch| !decisions.contains_key(&branch.record_id);
    let mut answers: HashMap<u64, BTreeSet<u64>> = HashMap::new();
    for branch in branches.iter().filter(|branch| kept(branch)) {
        answers.entry(branch.hash).or_default().insert(branch.next);
    }
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for branch in branches {
        let parts = kept(branch) && answers.get(&branch.hash).is_some_and(|answers| answers.len() > 1);
        let group = groups.entry(branch.record_id.clone()).or_default();
        if parts && (group.prompt_group.is_none() || branch.messages < group.prompt_messages) {
            group.prompt_group = Some(branch.hash);
            group.prompt_messages = branch.messages;
            group.answer = branch.next;
        }
    }
    groups.retain(|record, _| !decisions.contains_key(record));
    groups
}

/// Different answers to one prompt are never duplicates, however much history they share: a long
/// shared dialogue would make its last answers look alike. Such edges become `same_prompt`.
pub fn spare_answers(edges: &mut [Edge], branches: &[Branch]) {
    let mut answers: HashMap<&str, HashMap<u64, u64>> = HashMap::new();
    for branch in branches {
        answers.entry(&branch.record_id).or_default().insert(branch.hash, branch.next);
    }
    for edge in edges.iter_mut().filter(|edge| edge.folds()) {
        let (Some(a), Some(b)) = (answers.get(edge.a.as_str()), answers.get(edge.b.as_str())) else { continue };
        if a.iter().any(|(prompt, answer)| b.get(prompt).is_some_and(|other| other != answer)) {
            edge.verified.rule = Rule::SamePrompt;
        }
    }
}

pub fn count(groups: &BTreeMap<String, Group>) -> u64 {
    groups.values().filter_map(|group| group.prompt_group).collect::<BTreeSet<_>>().len() as u64
}

/// Records whose openings must stay together: a dropped one and the one that stands for it; two that
/// are nearly the same and both kept, because digits are content, because they are only tagged, or because
/// vectors find near what has one answer. Pairs that share a prompt only are none: a template of prompts
/// would put all its conversations on one side.
pub fn links<'d>(decisions: &'d BTreeMap<String, Decision>, edges: &'d [Edge]) -> Vec<(&'d String, &'d String)> {
    let stands = decisions.iter().filter(|(_, decision)| !decision.winner_record.is_empty());
    let stands = stands.map(|(record, decision)| (record, &decision.winner_record));
    let nearly = |edge: &&Edge| match edge.verified.rule {
        Rule::NearDuplicate | Rule::Semantic | Rule::DigitsDiffer => true,
        Rule::BoilerplateAnswer => edge.cosine.is_some(),
        Rule::SamePrompt | Rule::Different => false,
    };
    stands.chain(edges.iter().filter(nearly).map(|edge| (&edge.a, &edge.b))).collect()
}

/// Openings that are linked, with the smallest of their kind. Those that are tied to no other are not
/// listed.
pub fn ties(openings: &HashMap<String, u64>, links: &[(&String, &String)]) -> BTreeMap<u64, u64> {
    let mut union = Union::default();
    for (one, other) in links {
        if let (Some(&one), Some(&other)) = (openings.get(*one), openings.get(*other)) {
            union.tie(one, other);
        }
    }
    let tied: Vec<u64> = union.parent.keys().copied().collect();
    tied.into_iter().map(|opening| (opening, union.find(opening))).collect()
}

#[derive(Default)]
struct Union {
    parent: HashMap<u64, u64>,
}

impl Union {
    fn find(&self, mut at: u64) -> u64 {
        while let Some(&up) = self.parent.get(&at).filter(|&&up| up != at) {
            at = up;
        }
        at
    }

    fn tie(&mut self, one: u64, other: u64) {
        let (one, other) = (self.find(one), self.find(other));
        if one != other {
            // The smaller hash is the root: no order of records shows.
            let root = one.min(other);
            self.parent.insert(one, root);
            self.parent.insert(other, root);
        }
    }
}

/// The table `ties` that the plan of kept rows joins.
pub fn ties_batch(ties: &BTreeMap<u64, u64>) -> Result<RecordBatch> {
    let schema = Schema::new(vec![
        Field::new("t_opening", DataType::UInt64, false),
        Field::new("t_root", DataType::UInt64, false),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_iter_values(ties.keys().copied())),
        Arc::new(UInt64Array::from_iter_values(ties.values().copied())),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).map_err(|err| arrow_error("dedup", &err))
}

/// The table `groups` that the plan of kept rows joins.
pub fn batch(groups: &BTreeMap<String, Group>, copies: &HashMap<String, u32>) -> Result<RecordBatch> {
    let mut rows: BTreeMap<&str, (Option<&Group>, Option<u32>)> = BTreeMap::new();
    groups.iter().for_each(|(record, group)| rows.entry(record).or_default().0 = Some(group));
    copies.iter().for_each(|(record, &n)| rows.entry(record).or_default().1 = Some(n));
    let hex = |hash: Option<u64>| hash.map(|hash| format!("{hash:016x}"));
    let schema = Schema::new(vec![
        Field::new("g_record", DataType::Utf8, false),
        Field::new("g_copies", DataType::UInt32, true),
        Field::new("g_group", DataType::Utf8, true),
        Field::new("g_messages", DataType::UInt32, true),
        Field::new("g_answer", DataType::UInt64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.keys())),
        Arc::new(rows.values().map(|row| row.1).collect::<UInt32Array>()),
        Arc::new(rows.values().map(|row| hex(row.0.and_then(|g| g.prompt_group))).collect::<StringArray>()),
        Arc::new(rows.values().map(|row| row.0.map(|g| g.prompt_messages)).collect::<UInt32Array>()),
        Arc::new(rows.values().map(|row| row.0.map(|g| g.answer)).collect::<UInt64Array>()),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).map_err(|err| arrow_error("dedup", &err))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::dedup::verify::Verified;

    fn branch(record: &str, hash: u64, next: u64, messages: u32) -> Branch {
        Branch { record_id: record.into(), hash, next, messages }
    }

    #[test]
    fn the_earliest_parting_is_the_group() {
        let branches = [
            branch("a", 1, 11, 1),
            branch("b", 1, 11, 1),
            branch("c", 1, 12, 1),
            branch("a", 5, 51, 3),
            branch("b", 5, 52, 3),
        ];
        let groups = assign(&branches, &BTreeMap::new());
        assert!(groups.values().all(|group| group.prompt_group == Some(1)));
        assert_eq!(groups["b"].answer, 11);
        assert_eq!(count(&groups), 1);
    }

    #[test]
    fn answers_to_one_prompt_are_spared() {
        let verified =
            Verified { rule: Rule::NearDuplicate, jaccard_user: 1.0, jaccard_assistant: 0.9, containment: 0.9 };
        let edge = |a: &str, b: &str| Edge { a: a.into(), b: b.into(), verified, bands_hit: 1, cosine: None };
        let mut edges = [edge("a", "b"), edge("a", "c"), edge("b", "a")];
        (edges[2].verified.rule, edges[2].cosine) = (Rule::Semantic, Some(0.99));
        spare_answers(&mut edges, &[branch("a", 1, 11, 3), branch("b", 1, 12, 3), branch("c", 9, 91, 1)]);
        assert_eq!(edges.map(|edge| edge.verified.rule), [Rule::SamePrompt, Rule::NearDuplicate, Rule::SamePrompt]);
    }

    #[test]
    fn an_answer_that_was_dropped_makes_no_group_but_ties_openings() {
        let near = |winner: &str| Decision::exact("X".into(), winner.into(), winner.to_uppercase());
        let decisions = BTreeMap::from([("b".to_owned(), near("c")), ("c".to_owned(), near("d"))]);
        let groups = assign(&[branch("a", 1, 11, 1), branch("b", 1, 12, 1)], &decisions);
        assert_eq!(groups["a"].prompt_group, None);
        assert!(!groups.contains_key("b"));
        let openings = [("b", 1), ("c", 9), ("d", 5), ("e", 7)].map(|(record, opening)| (record.to_owned(), opening));
        assert_eq!(ties(&openings.into(), &links(&decisions, &[])), BTreeMap::from([(1, 1), (5, 1), (9, 1)]));
        // One answer to two prompts ties them where vectors are near as well.
        let rule = Rule::BoilerplateAnswer;
        let verified = Verified { rule, jaccard_user: 0.1, jaccard_assistant: 1.0, containment: 0.9 };
        let words = Edge { a: "d".into(), b: "e".into(), verified, bands_hit: 1, cosine: None };
        let vectors = Edge { cosine: Some(0.96), ..words.clone() };
        assert_eq!((links(&decisions, &[words]).len(), links(&decisions, &[vectors]).len()), (2, 3));
    }
}
