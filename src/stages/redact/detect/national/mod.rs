//! Numbers that states issue: one engine for the tables of all countries.
//!
//! A row of a table is a rule, the forms in which people write the number, and a check over its
//! characters. The engine walks the groups of letters and digits around a cluster of digits and
//! compares only the forms whose first group has the same length.
//!
//! Not here: SSN, cards and accounts (`finance`); passports, MRZ lines, plates and VIN.
//!
//! Always: forms first, then the check, then what stands beside, then words: prose costs a few
//! comparisons a number. Every group of a text is looked at a bounded number of times.

mod americas;
mod asia_east;
mod asia_south;
mod australia;
mod check;
mod context;
mod europe_east;
mod europe_north;
mod europe_south;
mod europe_west;
mod form;
mod groups;
mod other;
mod uk;
mod us;
mod vat;

use super::numbers::{Run, Sep};
use super::{Kind, Rule, Span};
pub(super) use context::{Context, Labels};
use form::{Form, Head, Need};
use groups::{Chain, GROUP_MAX_BYTES, Stand};

/// One rule and how its numbers are written.
struct Row {
    rule: Rule,
    /// See `form` for the language.
    forms: &'static [&'static str],
    /// Over the characters without separators, letters in upper case.
    valid: fn(&[u8]) -> bool,
}

static TABLES: [&[Row]; 12] = [
    us::ROWS,
    uk::ROWS,
    europe_west::ROWS,
    europe_south::ROWS,
    europe_north::ROWS,
    europe_east::ROWS,
    vat::ROWS,
    asia_south::ROWS,
    asia_east::ROWS,
    australia::ROWS,
    americas::ROWS,
    other::ROWS,
];

pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    TABLES.into_iter().flatten().map(|row| &row.rule)
}

/// The words that speak for numbers of these kinds.
pub(super) fn words(enabled: impl Fn(Kind) -> bool) -> impl Iterator<Item = &'static str> {
    let rows = TABLES.into_iter().flatten().filter(move |row| enabled(row.rule.kind));
    rows.flat_map(|row| row.rule.context).chain(&GENERIC).copied()
}

/// Labels that say "a number of a state" in any country. They are enough for checks that a
/// chance number rarely passes (`?` forms), and lift no score.
const GENERIC: [&str; 22] = [
    "national id*",
    "nationalid",
    "identity number",
    "identity card",
    "identification number",
    "identity no",
    "id card",
    "id number",
    "idnumber",
    "personal id*",
    "personal number",
    "citizen id",
    "citizenship number",
    "citizen number",
    "tax id*",
    "taxid",
    "tax number",
    "taxpayer*",
    "tin",
    "social security",
    "national insurance",
    "government id",
];

/// The rows of the chosen kinds, ready to be compared.
pub(super) struct National {
    forms: Vec<Form>,
    /// Beginnings of `forms` by the length of the first group.
    by_len: [Vec<Head>; GROUP_MAX_BYTES + 1],
    labels: Labels,
    generic: Vec<u16>,
}

impl National {
    pub(super) fn new(enabled: impl Fn(Kind) -> bool) -> Result<National, String> {
        let rows = || TABLES.into_iter().flatten().filter(|row| enabled(row.rule.kind));
        let labels = Labels::new(words(&enabled))?;
        let forms: Vec<Form> = rows()
            .flat_map(|row| row.forms.iter().map(|form| Form::parse(row, form, labels.ids(row.rule.context))))
            .collect();
        let mut by_len: [Vec<Head>; GROUP_MAX_BYTES + 1] = Default::default();
        for (place, form) in forms.iter().enumerate() {
            by_len[form.first_len()].push(Head::of(form, place as u16));
        }
        let generic = labels.ids(&GENERIC);
        Ok(National { forms, by_len, labels, generic })
    }

    /// Reports the numbers that hold digits of this cluster and begin at or after `*seen`, which
    /// is moved behind what was looked at.
    pub(super) fn find(&self, text: &str, runs: &[Run], seen: &mut usize, out: &mut Vec<Span>) {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return };
        if self.forms.is_empty() || last.end <= *seen || !groups::worth_a_look(text.as_bytes(), runs) {
            return;
        }
        let mut at = first.start.max(*seen);
        let mut chain = Chain::default();
        while at < last.end {
            chain.gather(text, at, *seen);
            let mut context = None;
            for start in 0..chain.starts {
                self.numbers_at(text, &chain, start, &mut context, out);
            }
            at = chain.next;
            *seen = at;
        }
    }

    fn numbers_at(&self, text: &str, chain: &Chain, start: usize, context: &mut Option<Context>, out: &mut Vec<Span>) {
        let groups = &chain.groups[start..];
        let lens = Head::lens(groups);
        for head in self.by_len[groups[0].len()].iter().filter(|head| head.may_fit(lens, groups[0].letters)) {
            let form = &self.forms[usize::from(head.form)];
            if let Some(end) = form.fits(text, groups)
                && let Some(found) = self.judge(text, form, groups, end, chain, context)
            {
                out.push(found);
            }
        }
    }

    /// A number of the right form: its check, its neighbours, its words.
    fn judge(
        &self,
        text: &str,
        form: &Form,
        groups: &[groups::Group],
        end: usize,
        chain: &Chain,
        context: &mut Option<Context>,
    ) -> Option<Span> {
        let (rule, start) = (&form.row.rule, groups[0].start);
        if !(form.row.valid)(&form::squeezed(&text[start..end])) {
            return None;
        }
        let stand = groups::stands(text, start, end);
        let lower = text[start..end].bytes().any(|byte| byte.is_ascii_lowercase());
        let mixed_case = lower && text[start..end].bytes().any(|byte| byte.is_ascii_uppercase());
        if stand == Stand::Tied || mixed_case {
            return None;
        }
        let words = context.get_or_insert_with(|| {
            let last = chain.groups.last().map_or(end, |group| group.end.max(end));
            Context::around(&self.labels, text, chain.groups[0].start, last)
        });
        if let Some(distance) = words.nearest(&form.words, text, start, end) {
            // Of two labelled readings the one nearest its label wins, and any wins over a phone.
            let score = 0.99 - 0.03 * (distance.min(64) as f32 / 64.0);
            return Some(Span { score, ..rule.at(start, end) });
        }
        let alone = match form.need {
            // Lower case is rare in documents and common in hashes: only the surest checks bear it.
            Need::Nothing => (!lower || rule.score >= 0.95) && !groups::in_row(text, groups, form.groups(), end),
            Need::Words => words.nearest(&self.generic, text, start, end).is_some(),
            Need::OwnWords => false,
        };
        (alone && stand == Stand::Free).then(|| rule.at(start, end))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
