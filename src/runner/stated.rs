//! The preferences that the logs state: which pairs of records, and who stands for each side.
//!
//! Not here: the rows of a release (`from_logs`).
//!
//! Always: a rejected side belongs to the chosen side directly before it in the same record. A copy
//! is represented by its winner; a side that was folded into a longer conversation by itself, for
//! its text is still there; one that is only nearly the same as another by nobody. Only ids are held.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{UInt32Type, UInt64Type};

use super::Job;
use super::against::CONTAMINATED;
use super::dataset::{Inputs, STAGE, count};
use super::rows::{COPY_OF_NEAR, COPY_OF_SEMANTIC, EXACT, NEAR, SEMANTIC};
use super::sink::{numbers, text};
use crate::error::{Error, Result};
use crate::layer::tables::Table;
use crate::record::{Id, Preference};
use crate::store::Books;

/// Records in the order of their places.
const SIDES: &str = "select source_id, start_byte, element, preference, record_id, conversation_id from redacted \
    where preference is not null order by source_id, start_byte, element";

/// Copies among the sides, with whom they are copies of.
fn copies() -> String {
    format!(
        "select d.record_id as record_id, d.winner as winner from decisions d \
         join (select record_id from redacted where preference is not null) r on d.record_id = r.record_id \
         where d.fate = 'exact_duplicate' and d.rule = '{EXACT}'"
    )
}

/// All others, also copies of what was dropped or folded itself.
fn dropped() -> String {
    format!(
        "select conversation_id, fate, rule, winner from decisions where fate <> 'exact_duplicate' or rule <> '{EXACT}'"
    )
}

/// Whatever a side may be, or end with, was kept under one of these ids.
const KEPT: &str = "select conversation_id, record_id, split_group from deduped where conversation_id in (\
      select conversation_id from redacted where preference is not null union select winner from decisions)";

/// One side of a pair, by its record.
#[derive(Clone, Debug, PartialEq)]
struct Side {
    /// Source and first byte of the raw record.
    place: (String, u64),
    element: u32,
    is_chosen: bool,
    record: String,
    conversation: String,
}

/// A pair that counts, by the records whose texts it takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stated {
    pub pair_id: String,
    pub chosen: String,
    pub rejected: String,
    pub split_group: String,
}

/// What dedup decided, as far as sides need it.
#[derive(Default)]
struct Fates {
    /// Copies by record, with the conversation that was kept of them.
    copies: HashMap<String, String>,
    /// Conversations that were folded into another or are nearly it, with the other; and why nobody
    /// stands for them as a side, if so.
    dropped: HashMap<String, (Option<&'static str>, String)>,
    /// Record and split group of what was kept.
    kept: HashMap<String, (String, String)>,
}

impl Job<'_> {
    /// Pairs that the logs state, without those whose sides were dropped.
    pub(super) async fn stated(&self, inputs: &Inputs<'_>, books: &mut Books) -> Result<Vec<Stated>> {
        let fates = self.fates(inputs).await?;
        let sides = self.sides().await?;
        let id = |ids: &[u8]| self.key.id("pair", ids);
        pairs(sides, &fates, id, books)
    }

    async fn sides(&self) -> Result<Vec<Side>> {
        let mut sides = Vec::new();
        for batch in self.engine.collect(STAGE, SIDES).await? {
            let [sources, preferences, records, conversations] =
                texts(&batch, ["source_id", "preference", "record_id", "conversation_id"])?;
            let starts = numbers::<UInt64Type>(&batch, "start_byte")?;
            let elements = numbers::<UInt32Type>(&batch, "element")?;
            sides.extend((0..batch.num_rows()).map(|i| Side {
                place: (at(&sources, i), starts.value(i)),
                element: elements.value(i),
                is_chosen: at(&preferences, i) == Preference::Chosen.as_str(),
                record: at(&records, i),
                conversation: at(&conversations, i),
            }));
        }
        Ok(sides)
    }

    async fn fates(&self, inputs: &Inputs<'_>) -> Result<Fates> {
        let mut fates = Fates::default();
        self.engine.table("decisions", Table::Decisions.schema(), &inputs.deduped.files("decisions"))?;
        for batch in self.engine.collect(STAGE, &copies()).await? {
            let [records, winners] = texts(&batch, ["record_id", "winner"])?;
            fates.copies.extend((0..batch.num_rows()).map(|i| (at(&records, i), at(&winners, i))));
        }
        for batch in self.engine.collect(STAGE, &dropped()).await? {
            let [ids, names, rules, winners] = texts(&batch, ["conversation_id", "fate", "rule", "winner"])?;
            let row = |i| (at(&ids, i), (gone(&at(&names, i), &at(&rules, i)), at(&winners, i)));
            fates.dropped.extend((0..batch.num_rows()).map(row));
        }
        for batch in self.engine.collect(STAGE, KEPT).await? {
            let [ids, records, groups] = texts(&batch, ["conversation_id", "record_id", "split_group"])?;
            let row = |i| (at(&ids, i), (at(&records, i), at(&groups, i)));
            fates.kept.extend((0..batch.num_rows()).map(row));
        }
        Ok(fates)
    }
}

/// Why nobody stands for a side with this fate.
fn gone(fate: &str, rule: &str) -> Option<&'static str> {
    match fate {
        CONTAMINATED => Some(CONTAMINATED),
        NEAR => Some(NEAR),
        SEMANTIC => Some(SEMANTIC),
        // Of a copy its winner would say the same, but that one is only nearly another.
        "exact_duplicate" if rule == COPY_OF_NEAR => Some(NEAR),
        "exact_duplicate" if rule == COPY_OF_SEMANTIC => Some(SEMANTIC),
        _ => None,
    }
}

fn texts<const N: usize>(batch: &RecordBatch, names: [&str; N]) -> Result<[ArrayRef; N]> {
    let columns: Vec<ArrayRef> = names.iter().map(|name| text(batch, name)).collect::<Result<_>>()?;
    columns.try_into().map_err(|_| Error::damaged(STAGE, "a column is missing"))
}

fn at(column: &ArrayRef, i: usize) -> String {
    column.as_string::<i32>().value(i).to_owned()
}

/// Each chosen side with the rejected one behind it, and how many sides stand alone.
fn neighbours(sides: Vec<Side>) -> (Vec<(Side, Side)>, u64) {
    let (mut pairs, mut alone) = (Vec::new(), 0);
    let mut waiting: Option<Side> = None;
    for side in sides {
        let follows = |chosen: &Side| chosen.place == side.place && chosen.element + 1 == side.element;
        match waiting.take() {
            Some(chosen) if !side.is_chosen && follows(&chosen) => pairs.push((chosen, side)),
            before => {
                alone += u64::from(before.is_some()) + u64::from(!side.is_chosen);
                waiting = side.is_chosen.then_some(side);
            }
        }
    }
    (pairs, alone + u64::from(waiting.is_some()))
}

impl Fates {
    /// Who stands for a side: itself if kept or folded, its winner if it is a copy; or why nobody does,
    /// as where it is only nearly the same as another.
    fn resolve(&self, side: Side) -> std::result::Result<Side, &'static str> {
        let conversation = self.copies.get(&side.record).cloned().unwrap_or(side.conversation);
        if let Some((Some(why), _)) = self.dropped.get(&conversation) {
            return Err(why);
        }
        // Not there if the winner was folded itself: then the copy says the same.
        let record = self.kept.get(&conversation).map_or(side.record, |(record, _)| record.clone());
        Ok(Side { record, conversation, ..side })
    }

    /// The group of what a conversation was folded into in the end.
    fn split_group(&self, conversation: &str) -> Option<&str> {
        let mut end = conversation;
        // Folded into one that is nearly another: no longer way is possible.
        for _ in 0..2 {
            end = self.dropped.get(end).map_or(end, |(_, winner)| winner);
        }
        self.kept.get(end).map(|(_, group)| group.as_str())
    }
}

/// The pairs that count, in the order of their sides' conversations.
fn pairs(sides: Vec<Side>, fates: &Fates, id: impl Fn(&[u8]) -> Id, books: &mut Books) -> Result<Vec<Stated>> {
    let (pairs, alone) = neighbours(sides);
    books.records_read = pairs.len() as u64 + alone;
    if alone > 0 {
        books.dropped.insert("one_sided".to_owned(), alone);
    }
    let mut seen: BTreeMap<(String, String), Stated> = BTreeMap::new();
    let mut against: BTreeSet<(String, String)> = BTreeSet::new();
    for (chosen, rejected) in pairs {
        let (chosen, rejected) = match (fates.resolve(chosen), fates.resolve(rejected)) {
            (Ok(chosen), Ok(rejected)) => (chosen, rejected),
            (Err(why), _) | (_, Err(why)) => {
                count(&mut books.dropped, why);
                continue;
            }
        };
        let ids = (chosen.conversation, rejected.conversation);
        if against.contains(&ids) || seen.contains_key(&ids) {
            count(&mut books.dropped, if against.contains(&ids) { "contradictory" } else { "duplicate_pair" });
            continue;
        }
        if seen.remove(&(ids.1.clone(), ids.0.clone())).is_some() {
            // The log prefers A to B here and B to A there: neither counts.
            against.extend([ids.clone(), (ids.1, ids.0)]);
            count(&mut books.dropped, "contradictory");
            count(&mut books.dropped, "contradictory");
            continue;
        }
        let gone = || Error::damaged(ids.0.clone(), "was neither kept nor folded into a kept conversation");
        let split_group = fates.split_group(&ids.0).ok_or_else(gone)?.to_owned();
        let pair_id = id(format!("{}\0{}", ids.0, ids.1).as_bytes()).to_string();
        seen.insert(ids, Stated { pair_id, chosen: chosen.record, rejected: rejected.record, split_group });
    }
    Ok(seen.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+a` is a chosen side of conversation `a`, `-b` a rejected one, `.` another conversation; a
    /// space begins the next raw record. Records are named by conversation, place and element.
    fn sides(text: &str) -> Vec<Side> {
        let mut sides = Vec::new();
        for (start, record) in text.split(' ').enumerate() {
            let marks: Vec<char> = record.chars().filter(|mark| !mark.is_alphanumeric()).collect();
            let mut names = record.chars().filter(|name| name.is_alphanumeric());
            for (element, mark) in marks.into_iter().enumerate().filter(|(_, mark)| *mark != '.') {
                let conversation = names.next().unwrap().to_string();
                sides.push(Side {
                    place: ("s".to_owned(), start as u64),
                    element: element as u32,
                    is_chosen: mark == '+',
                    record: format!("{conversation}{start}{element}"),
                    conversation,
                });
            }
        }
        sides
    }

    fn kept(ids: &str) -> HashMap<String, (String, String)> {
        ids.chars().map(|id| (id.to_string(), (format!("{id}!"), format!("group {id}")))).collect()
    }

    fn id(content: &[u8]) -> Id {
        let mut id = [0; 16];
        id[0] = content[0];
        Id(id)
    }

    /// The pairs as texts, and the books without the reasons' zeros.
    fn state(text: &str, fates: &Fates) -> (Vec<String>, BTreeMap<String, u64>) {
        let mut books = Books::default();
        let got = pairs(sides(text), fates, id, &mut books).unwrap();
        assert_eq!(books.records_read, got.len() as u64 + books.dropped.values().sum::<u64>(), "{text}");
        (got.iter().map(|pair| format!("{} {}", pair.chosen, pair.rejected)).collect(), books.dropped)
    }

    #[test]
    fn a_rejected_side_belongs_to_the_chosen_side_before_it() {
        let fates = Fates { kept: kept("abcde"), ..Fates::default() };
        for (text, expected, alone) in [
            ("+a-b", &["a! b!"][..], 0),
            ("..+a-b+b-c+a-c", &["a! b!", "a! c!", "b! c!"], 0),
            ("+a-b +c-d", &["a! b!", "c! d!"], 0),
            ("+a.-b", &[], 2),
            ("-a+b", &[], 2),
            ("+a -b", &[], 2),
            ("+a+b-c", &["b! c!"], 1),
            ("+a-b-c", &["a! b!"], 1),
            ("+a", &[], 1),
        ] {
            let (got, dropped) = state(text, &fates);
            assert_eq!(got, expected, "{text}");
            assert_eq!(dropped.get("one_sided").copied().unwrap_or(0), alone, "{text}");
        }
    }

    #[test]
    fn pairs_count_once_and_contradictions_not_at_all() {
        let fates = Fates { kept: kept("abc"), ..Fates::default() };
        for (text, expected, reason, n) in [
            ("+a-b +a-b", &["a! b!"][..], "duplicate_pair", 1),
            ("+a-b +b-a", &[], "contradictory", 2),
            ("+a-b+b-a +a-b+a-c", &["a! c!"], "contradictory", 3),
        ] {
            let (got, dropped) = state(text, &fates);
            assert_eq!(
                (got, dropped),
                (expected.iter().map(|p| p.to_string()).collect(), [(reason.to_owned(), n)].into())
            );
        }
    }

    #[test]
    fn who_stands_for_a_side_and_on_which_side_of_a_split() {
        let near = Some("near_duplicate");
        let drop = |from: &str, why, to: &str| (from.to_owned(), (why, to.to_owned()));
        let fates = Fates {
            // c lies in no layer any more; its copy in the third record speaks for it.
            copies: HashMap::from([("b01".to_owned(), "a".to_owned()), ("x21".to_owned(), "c".to_owned())]),
            dropped: HashMap::from([
                drop("c", None, "long"),
                drop("long", near, "k"),
                drop("n", near, "k"),
                drop("f", None, "k"),
            ]),
            kept: kept("akz"),
        };
        let (got, dropped) = state("+z-b +z-n +z-x +f-z", &fates);
        assert_eq!(got, ["f30 z!", "z! a!", "z! x21"]);
        assert_eq!(dropped, BTreeMap::from([("near_duplicate".to_owned(), 1)]));
        for (conversation, group) in
            [("a", Some("group a")), ("c", Some("group k")), ("f", Some("group k")), ("q", None)]
        {
            assert_eq!(fates.split_group(conversation), group, "{conversation}");
        }
        let lost = pairs(sides("+q-z"), &fates, id, &mut Books::default());
        assert!(lost.is_err(), "a side that lies nowhere");
    }
}
