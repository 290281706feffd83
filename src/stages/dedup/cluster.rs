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
    /// Of vectors, where they made the pair.
    pub cosine: Option<f64>,
}

impl Edge {
    /// Whether it may drop one of the two.
    pub fn folds(&self) -> bool {
        matches!(self.verified.rule, Rule::NearDuplicate | Rule::Semantic)
    }

    /// What is nearer counts first: words before vectors, whatever the numbers.
    fn weight(&self) -> f64 {
        let words = self.verified.jaccard_user.min(self.verified.jaccard_assistant);
        self.cosine.map_or(words, |cosine| cosine - 2.0)
    }
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
    let near: Vec<usize> = (0..edges.len()).filter(|&i| edges[i].folds()).collect();
    let mut order: Vec<&str> = near.iter().flat_map(|&i| [edges[i].a.as_str(), &edges[i].b]).collect();
    order.sort_by_key(|id| (ranks.get(*id), *id));
    order.dedup();
    let place: HashMap<&str, u32> = order.iter().zip(0..).map(|(id, at)| (*id, at)).collect();
    let links: Vec<Link> = near
        .iter()
        .map(|&i| Link { a: place[edges[i].a.as_str()], b: place[edges[i].b.as_str()], weight: edges[i].weight() })
        .collect();
    stars(order.len(), &links).into_iter().map(|(at, link)| (order[at as usize].to_owned(), near[link])).collect()
}

/// A near-duplicate pair of records that are numbered in the fixed order.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub a: u32,
    pub b: u32,
    /// The smaller of the two Jaccards; below those the cosine.
    pub weight: f64,
}

/// For every record that is dropped, in the fixed order: the index of the link to its
/// representative, the nearest of those before it that stay; of equals the first.
pub fn stars(records: usize, links: &[Link]) -> BTreeMap<u32, usize> {
    let mut order: Vec<usize> = (0..links.len()).filter(|&i| links[i].a != links[i].b).collect();
    order.sort_by_key(|&i| links[i].a.max(links[i].b));
    let mut kept = vec![true; records];
    let mut dropped = BTreeMap::new();
    for group in order.chunk_by(|&i, &j| links[i].a.max(links[i].b) == links[j].a.max(links[j].b)) {
        let first = |i: usize| links[i].a.min(links[i].b);
        let nearer = |&i: &usize, &j: &usize| links[i].weight.total_cmp(&links[j].weight).then(first(j).cmp(&first(i)));
        let best = group.iter().copied().filter(|&i| kept[first(i) as usize]).max_by(nearer);
        if let Some(link) = best {
            let later = links[link].a.max(links[link].b);
            kept[later as usize] = false;
            dropped.insert(later, link);
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
        Edge { a: a.into(), b: b.into(), verified, bands_hit: 1, cosine: None }
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
    fn words_are_nearer_than_vectors_and_both_make_stars() {
        let semantic = |a: &str, b: &str, cosine| {
            let mut edge = Edge { cosine: Some(cosine), ..edge(a, b, 0.1) };
            edge.verified.rule = Rule::Semantic;
            edge
        };
        // d is like a and nearly c; e is like d, which is gone, so it stays.
        let edges = [semantic("a", "d", 1.0), edge("c", "d", 0.8), semantic("a", "c", 0.96), semantic("d", "e", 0.99)];
        let dropped = representatives(&edges, &ranks("abcde"));
        assert_eq!(dropped, BTreeMap::from([("c".to_owned(), 2), ("d".to_owned(), 0)]));
        let dropped = representatives(&[edges[0].clone(), edges[1].clone()], &ranks("abcde"));
        assert_eq!(dropped, BTreeMap::from([("d".to_owned(), 1)]));
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
