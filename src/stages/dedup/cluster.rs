//! From verified edges to who is kept: representatives, not chains.
//!
//! Records are taken in a fixed order; one joins a representative only if it verifies against
//! that representative itself. So a cluster is a star, and a chain of small steps cannot fold
//! two conversations that differ.

use std::collections::{BTreeMap, HashMap};

use super::verify::{Rule, Verified};

/// A verified pair of records, by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub a: String,
    pub b: String,
    pub verified: Verified,
    pub bands_hit: u32,
}

/// What the fixed order looks at: longest first, then oldest, then by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub tokens: std::cmp::Reverse<u32>,
    /// Records without a time come last.
    pub created_at: (bool, i64),
    pub conversation_id: String,
}

/// For every record that is dropped: the index of the edge to its representative.
pub fn representatives(edges: &[Edge], ranks: &HashMap<String, Rank>) -> BTreeMap<String, usize> {
    let mut near: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, edge) in edges.iter().enumerate().filter(|(_, edge)| edge.verified.rule == Rule::NearDuplicate) {
        near.entry(&edge.a).or_default().push(i);
        near.entry(&edge.b).or_default().push(i);
    }
    let mut order: Vec<&str> = near.keys().copied().collect();
    order.sort_by_key(|id| (ranks.get(*id), *id));
    let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: HashMap<&str, ()> = HashMap::new();
    for id in order {
        let best = near[id].iter().copied().filter(|&i| kept.contains_key(other(&edges[i], id))).max_by(|&i, &j| {
            let weight = |edge: &Edge| edge.verified.jaccard_user.min(edge.verified.jaccard_assistant);
            let (one, two) = (&edges[i], &edges[j]);
            // Equal weights: the representative that comes first in the order.
            let by_rank = ranks.get(other(two, id)).cmp(&ranks.get(other(one, id)));
            weight(one).total_cmp(&weight(two)).then(by_rank)
        });
        match best {
            Some(edge) => drop(dropped.insert(id.to_owned(), edge)),
            None => drop(kept.insert(id, ())),
        }
    }
    dropped
}

/// The other end of an edge.
pub fn other<'a>(edge: &'a Edge, id: &str) -> &'a str {
    if edge.a == id { &edge.b } else { &edge.a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(a: &str, b: &str, jaccard: f64) -> Edge {
        let verified =
            Verified { rule: Rule::NearDuplicate, jaccard_user: jaccard, jaccard_assistant: 1.0, containment: 1.0 };
        Edge { a: a.into(), b: b.into(), verified, bands_hit: 1 }
    }

    fn ranks(ids: &str) -> HashMap<String, Rank> {
        let rank = |(i, id): (usize, char)| {
            let rank = Rank {
                tokens: std::cmp::Reverse(100 - i as u32),
                created_at: (true, 0),
                conversation_id: id.to_string(),
            };
            (id.to_string(), rank)
        };
        ids.chars().enumerate().map(rank).collect()
    }

    #[test]
    fn a_chain_is_not_one_cluster() {
        // b is near a, c is near b but not near a: c stays.
        let edges = [edge("a", "b", 0.9), edge("b", "c", 0.9)];
        let dropped = representatives(&edges, &ranks("abc"));
        assert_eq!(dropped, BTreeMap::from([("b".to_owned(), 0)]));
    }

    #[test]
    fn every_dropped_record_has_a_kept_winner_in_any_order_of_edges() {
        let mut edges = vec![edge("a", "c", 0.8), edge("b", "c", 0.9), edge("c", "d", 1.0), edge("d", "e", 0.9)];
        let first = representatives(&edges, &ranks("abcde"));
        assert_eq!(first.keys().collect::<Vec<_>>(), ["c", "e"]);
        assert_eq!(other(&edges[first["c"]], "c"), "b", "the nearer of two representatives");
        edges.reverse();
        let second = representatives(&edges, &ranks("abcde"));
        assert_eq!(second.keys().collect::<Vec<_>>(), ["c", "e"]);
        assert_eq!(other(&edges[second["c"]], "c"), "b");
    }
}
