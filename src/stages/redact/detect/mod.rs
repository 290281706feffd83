//! Finds personal data and secrets in one text.
//!
//! Detectors only *find*; `text` replaces, `pseudonym` decides by what. They see plain text: what
//! is disguised or cut in two is made plain by `view` and searched again.
//!
//! Always: spans lie inside the text on character boundaries, sorted, not overlapping, and never
//! inside a token that `pseudonym` wrote. The work is linear in the text: cheap gates (`@`, digits,
//! key words) run over all of it, everything else only around a hit.

mod address;
mod birth;
mod contact;
mod crypto;
mod date;
mod edge;
mod finance;
mod geo;
mod labelled;
mod mac;
pub mod model;
pub mod names;
mod national;
mod network;
mod numbers;
mod phone;
mod phone_candidate;
mod phone_edge;
mod secrets;
mod told;
mod vehicle;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(super) use numbers::next_digit;
pub(super) use phone::Phones;
pub(super) use secrets::seed::may_go_on;

use super::glance::{AT, DOT, Glance, LESS};
use super::kind::{Group, Kind, KindSet};
use super::lists::Deny;
use super::pseudonym;
use super::refusal::Refusal;
use super::rule::Rule;
use super::view::{self, Crossing, Decoded, Hit, Narrow, Search, Views};

/// All rules, in the order of their detectors.
pub fn catalogue() -> impl Iterator<Item = &'static Rule> {
    built_in().chain(&model::RULES)
}

/// Those that need no model.
pub fn built_in() -> impl Iterator<Item = &'static Rule> {
    let groups: [&'static [&'static Rule]; 14] = [
        &contact::RULES,
        &network::RULES,
        &finance::RULES,
        &phone_candidate::RULES,
        &address::RULES,
        &labelled::RULES,
        &birth::RULES,
        &date::RULES,
        &crypto::RULES,
        &vehicle::RULES,
        &geo::RULES,
        &mac::RULES,
        &names::RULES,
        &web::RULES,
    ];
    groups.into_iter().flatten().copied().chain(secrets::rules()).chain(national::rules())
}

/// Where something was found. Bytes, half-open, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub start_byte: u32,
    pub end_byte: u32,
    pub kind: Kind,
    pub rule: &'static str,
    pub rule_version: u16,
    /// How sure the rule is, 0 to 1. Chosen by feel; only their order matters (`resolve`).
    pub score: f32,
}

/// All rules for the chosen kinds. Immutable: share one among threads.
pub struct Detector {
    enabled: KindSet,
    /// By kind: what is less sure does not count, also where it overlaps with what is.
    floors: Vec<f32>,
    deny: Option<Deny>,
    /// Found, and left as they are.
    kept: KindSet,
    phones: Phones,
    addresses: address::Addresses,
    labelled: labelled::Labelled,
    secrets: secrets::Secrets,
    national: national::National,
    told: told::Told,
    views: Views,
    /// None unless names of some kind are wanted.
    names: Option<&'static names::Names>,
    model: Option<model::Model>,
}

impl Detector {
    /// `phone_regions` are ISO 3166 codes; without any, only international numbers are found.
    pub fn new(kinds: &[Kind], phone_regions: &[String]) -> Result<Detector, String> {
        let enabled: KindSet = kinds.iter().copied().collect();
        let secrets = secrets::Secrets::new(|kind| enabled.has(kind))?;
        let wanted = kinds.iter().any(|kind| kind.group() == Group::Name);
        Ok(Detector {
            enabled,
            floors: Vec::new(),
            deny: None,
            kept: KindSet::default(),
            phones: Phones::new(phone_regions)?,
            addresses: address::Addresses::new(),
            labelled: labelled::Labelled::new(&enabled),
            secrets,
            national: national::National::new(|kind| enabled.has(kind))?,
            told: told::Told::new(|kind| enabled.has(kind))?,
            views: Views::new(view::DEPTH)?,
            names: wanted.then(names::built_in).transpose()?,
            model: None,
        })
    }

    /// Leaves alone what is less sure; one number for each kind.
    pub fn with_floors(self, floors: Vec<f32>) -> Detector {
        Detector { floors, ..self }
    }

    /// Finds the values of these lists, too.
    pub fn with_deny(self, deny: Option<Deny>) -> Detector {
        Detector { deny, ..self }
    }

    /// Finds what a token classifier finds, too.
    pub fn with_model(self, model: Option<model::Model>) -> Detector {
        Detector { model, ..self }
    }

    /// What is of these kinds hides nothing that is not.
    pub fn with_kept(self, kept: KindSet) -> Detector {
        Detector { kept, ..self }
    }

    /// Looks through so many layers of encoding in place of [`view::DEPTH`].
    #[cfg(test)]
    pub fn with_depth(self, depth: usize) -> Result<Detector, String> {
        Ok(Detector { views: Views::new(depth)?, ..self })
    }

    /// A value that is a name by the label it stands under.
    pub fn labelled_name(&self, label: &str, text: &str) -> Option<Span> {
        let name = self.has(Kind::Person).then(|| names::labelled(label, text)).flatten();
        name.filter(|name| self.is_sure(name))
    }

    fn has(&self, kind: Kind) -> bool {
        self.enabled.has(kind)
    }

    /// As [`Detector::find_by`], where all that is found has to be answered.
    #[cfg(test)]
    pub fn find(&self, text: &str, out: &mut Vec<Span>) -> Vec<Decoded> {
        self.find_by(&|_, _| {}, text, Vec::new(), out).expect("no model, no failure")
    }

    /// Puts what is found in `out`, plain or disguised, and says what the disguised ones hold.
    /// `narrow` leaves what has to be answered; `known` lies in the text, whatever is found there.
    /// Fails only if a model does.
    pub fn find_by(
        &self,
        narrow: Narrow,
        text: &str,
        known: Vec<Hit>,
        out: &mut Vec<Span>,
    ) -> Result<Vec<Decoded>, Refusal> {
        let glance = Glance::of(text);
        self.find_glanced(text, glance, out);
        narrow(text, out);
        let plain = |text: &str, out: &mut Vec<Span>| self.find_plain(text, out);
        let names = |text: &str, out: &mut Vec<Span>| self.names(narrow, text, out);
        let told = |text: &str, place: Range<usize>| self.told(text, place);
        let search =
            Search { plain: &plain, narrow, told: &told, names: &names, names_of_all: self.wants_names_of_all() };
        let mut hits = self.views.find(text, glance, search);
        hits.retain(|hit| !self.kept.has(hit.span.kind));
        hits.extend(known);
        self.unhide(hits.iter().map(|hit| hit.span).collect(), out);
        let decoded = view::merge(text, hits, out);
        self.find_in_context(narrow, (text, glance), &decoded, out)?;
        Ok(decoded)
    }

    /// The value that the end of one text and the beginning of the next make together.
    pub fn find_across(&self, narrow: Narrow, before: &str, after: &str) -> Option<Crossing> {
        let plain = |text: &str, out: &mut Vec<Span>| self.find_plain(text, out);
        let told = |text: &str, place: Range<usize>| self.told(text, place);
        let names = |text: &str, out: &mut Vec<Span>| self.names(narrow, text, out);
        let names_of_all = self.wants_names_of_all();
        Views::across(before, after, Search { plain: &plain, narrow, told: &told, names: &names, names_of_all })
    }

    /// Names of places, groups and firms are to go.
    pub fn wants_names_of_all(&self) -> bool {
        let gone = |kind| self.has(kind) && !self.kept.has(kind);
        self.names.is_some() && [Kind::Nrp, Kind::Place, Kind::Organization].into_iter().any(gone)
    }

    /// Words around a place say what stands there. Of two digits, in base64 or hexadecimal, only that
    /// they are an age.
    fn told(&self, text: &str, place: Range<usize>) -> bool {
        const TWO_DIGITS_BYTES: usize = 4;
        let row = &text[place.clone()];
        let two =
            row.len() == TWO_DIGITS_BYTES && (row.ends_with('=') || row.bytes().all(|byte| byte.is_ascii_digit()));
        !two && self.told.near_end(&text[..place.start]) || self.has(Kind::Age) && birth::is_age(text, place)
    }

    /// Adds names and what a model finds. Models are slow, so views are asked for names only around
    /// words that were decoded, and for nothing else.
    fn find_in_context(
        &self,
        narrow: Narrow,
        (text, glance): (&str, Glance),
        decoded: &[Decoded],
        out: &mut Vec<Span>,
    ) -> Result<(), Refusal> {
        let mut found = Vec::new();
        if let Some(names) = self.names {
            names::find(names, text, glance, &self.enabled, &mut found);
        }
        if let Some(model) = &self.model {
            model.find(text, &self.enabled, &mut found)?;
        }
        self.answered(narrow, text, &mut found);
        if found.is_empty() {
            return Ok(());
        }
        let disguised: BTreeSet<u32> = decoded.iter().map(|one| one.start_byte).collect();
        found.retain(|name| {
            let first = out.partition_point(|span| span.end_byte <= name.start_byte);
            let over = out[first..].iter().take_while(|span| span.start_byte < name.end_byte);
            disguised.is_empty() || !over.into_iter().any(|span| disguised.contains(&span.start_byte))
        });
        if !found.is_empty() {
            out.append(&mut found);
            self.unhide_kept(out);
            resolve(out);
        }
        Ok(())
    }

    /// Adds the names of a part of a view that have to be answered.
    fn names(&self, narrow: Narrow, text: &str, out: &mut Vec<Span>) {
        let Some(names) = self.names else { return };
        let mut found = Vec::new();
        names::find(names, text, Glance::of(text), &self.enabled, &mut found);
        self.answered(narrow, text, &mut found);
        out.append(&mut found);
    }

    /// Leaves what is sure enough, lies in no token and has to be answered.
    fn answered(&self, narrow: Narrow, text: &str, found: &mut Vec<Span>) {
        if !found.is_empty() {
            found.retain(|span| self.is_sure(span));
            outside_tokens(text, found);
            narrow(text, found);
        }
    }

    fn is_sure(&self, span: &Span) -> bool {
        self.floors.get(span.kind as usize).is_none_or(|floor| span.score >= *floor)
    }

    /// Puts what is found in `out`, which is cleared first. A text of more than 4 GiB cannot stand in
    /// an Arrow string; it is refused by panic rather than passed through unseen.
    fn find_plain(&self, text: &str, out: &mut Vec<Span>) {
        self.find_glanced(text, Glance::of(text), out);
    }

    fn find_glanced(&self, text: &str, glance: Glance, out: &mut Vec<Span>) {
        assert!(u32::try_from(text.len()).is_ok(), "a text of more than 4 GiB cannot be redacted");
        out.clear();
        let loud = !glance.is_quiet(text);
        if loud {
            self.loud(text, glance, out);
        }
        self.labelled.find(text, glance, out);
        // Words like others: no sign tells of them.
        if self.has(Kind::SeedPhrase) {
            secrets::seed::find(text, out);
        }
        if self.has(Kind::Url) && loud && glance.has(DOT) {
            web::find(text, out);
        }
        if let Some(deny) = &self.deny {
            deny.find(text, out);
        }
        if !out.is_empty() {
            out.retain(|span| self.is_sure(span));
            outside_tokens(text, out);
            self.unhide_kept(out);
            resolve(out);
        }
    }

    fn unhide_kept(&self, out: &mut Vec<Span>) {
        if self.kept != KindSet::default() {
            self.unhide(out.iter().filter(|span| !self.kept.has(span.kind)).copied().collect(), out);
        }
    }

    /// Drops what is kept and overlaps what is not.
    fn unhide(&self, mut answered: Vec<Span>, out: &mut Vec<Span>) {
        if answered.is_empty() || !out.iter().any(|span| self.kept.has(span.kind)) {
            return;
        }
        answered.sort_by_key(|span| span.start_byte);
        let mut end = 0;
        let mut furthest = |span: &Span| {
            end = span.end_byte.max(end);
            end
        };
        let ends: Vec<u32> = answered.iter().map(&mut furthest).collect();
        out.retain(|span| {
            let before = answered.partition_point(|other| other.start_byte < span.end_byte);
            let over = before > 0 && ends[before - 1] > span.start_byte;
            !(over && self.kept.has(span.kind))
        });
    }

    /// What holds a digit or a sign.
    fn loud(&self, text: &str, glance: Glance, out: &mut Vec<Span>) {
        self.secrets.find(text, glance, out);
        if self.has(Kind::Email) && glance.has(AT) {
            contact::emails(text, out);
        }
        if self.has(Kind::Mrz) && glance.has(LESS) {
            vehicle::zones(text, out);
        }
        self.numbers(text, out);
    }

    fn numbers(&self, text: &str, out: &mut Vec<Span>) {
        let mut runs = Vec::new();
        let mut streets = address::Seen::default();
        let (mut at, mut seen, mut dated) = (0, 0, 0);
        let mut tokens = pseudonym::tokens(text).peekable();
        while let Some(digit) = numbers::next_digit(text.as_bytes(), at) {
            // Nothing is found in a token.
            while tokens.next_if(|(.., end)| *end <= digit).is_some() {}
            if let Some((.., end)) = tokens.next_if(|(_, start, _)| *start < digit) {
                at = end;
                continue;
            }
            at = numbers::cluster(text.as_bytes(), digit, &mut runs);
            self.said(text, &runs, &mut streets, out);
            if self.has(Kind::Date) {
                date::dates(text, &runs, &mut dated, out);
            }
            if numbers::is_plain(text.as_bytes(), &runs) {
                self.national.find(text, &runs, &mut seen, out);
                continue;
            }
            self.tied(text, &runs, out);
            if self.has(Kind::Iban) && runs[0].digits() >= 2 {
                at = finance::iban(text, digit, out).map_or(at, |end| end.max(at));
            }
            if self.has(Kind::Ip)
                && let Some(end) = network::v6(text, runs[0], out)
            {
                at = end.max(at);
                continue;
            }
            self.national.find(text, &runs, &mut seen, out);
            self.cluster(text, &runs, out);
        }
    }

    /// What the words around a cluster say about it.
    fn said(&self, text: &str, runs: &[numbers::Run], seen: &mut address::Seen, out: &mut Vec<Span>) {
        if self.has(Kind::Address) {
            self.addresses.find(text, runs, seen, out);
        }
        if self.has(Kind::Postcode) {
            self.addresses.postcodes(text, runs, out);
        }
        self.labelled.number(text, runs, out);
        if self.has(Kind::DateOfBirth) {
            birth::date(text, runs, out);
        }
        if self.has(Kind::Age) {
            birth::age(text, runs[0], out);
        }
    }

    /// What letters and signs right beside a cluster make of it.
    fn tied(&self, text: &str, runs: &[numbers::Run], out: &mut Vec<Span>) {
        if self.has(Kind::CryptoAddress) {
            crypto::find(text, runs[0], out);
        }
        if self.has(Kind::Vin) {
            vehicle::vin(text, runs[0], out);
        }
        if self.has(Kind::Geo) {
            geo::find(text, runs, out);
        }
        if self.has(Kind::Mac) {
            mac::find(text, runs[0], out);
        }
    }

    fn cluster(&self, text: &str, runs: &[numbers::Run], out: &mut Vec<Span>) {
        if self.has(Kind::Ip) {
            network::v4(text, runs, out);
        }
        let digits: usize = runs.iter().map(numbers::Run::digits).sum();
        if digits < 6 {
            return;
        }
        if self.has(Kind::Ssn) && digits >= 9 {
            finance::ssns(text, runs, out);
        }
        if self.has(Kind::Card) && digits >= 12 {
            finance::cards(text, runs, out);
        }
        if self.has(Kind::Phone) {
            self.phones.find(text, runs, out);
        }
    }
}

/// Drops what lies in a token or cuts into one.
pub(super) fn outside_tokens(text: &str, out: &mut Vec<Span>) {
    let tokens: Vec<_> = pseudonym::tokens(text).map(|(_, start, end)| (start as u32, end as u32)).collect();
    if tokens.is_empty() {
        return;
    }
    out.retain(|span| {
        // The first token that ends after the span begins is the only one that can be cut first.
        let first = tokens.partition_point(|(_, end)| *end <= span.start_byte);
        tokens[first..]
            .iter()
            .take_while(|(start, _)| *start < span.end_byte)
            .all(|(start, end)| span.start_byte < *start && *end < span.end_byte)
    });
}

/// Of overlapping spans one stays: secrets before others, then the longer, then the higher score,
/// then the earlier. Leaves the rest sorted by place.
pub(super) fn resolve(spans: &mut Vec<Span>) {
    resolve_by(spans, |span| span);
}

/// The same for what holds a span.
pub(super) fn resolve_by<T>(all: &mut Vec<T>, span_of: impl Fn(&T) -> &Span) {
    all.sort_by_key(|one| span_of(one).start_byte);
    if all.windows(2).all(|two| span_of(&two[0]).end_byte <= span_of(&two[1]).start_byte) {
        return;
    }
    all.sort_by(|a, b| {
        let (a, b) = (span_of(a), span_of(b));
        let len = |span: &Span| span.end_byte - span.start_byte;
        (b.kind.is_secret().cmp(&a.kind.is_secret()))
            .then(len(b).cmp(&len(a)))
            .then(b.score.total_cmp(&a.score))
            .then(a.start_byte.cmp(&b.start_byte))
            .then(a.kind.cmp(&b.kind))
    });
    let mut kept: BTreeMap<u32, T> = BTreeMap::new();
    for one in all.drain(..) {
        let span = span_of(&one);
        let left = kept.range(..span.end_byte).next_back();
        if left.is_none_or(|(_, left)| span_of(left).end_byte <= span.start_byte) {
            kept.insert(span.start_byte, one);
        }
    }
    all.extend(kept.into_values());
}

#[cfg(test)]
pub(super) mod tests;
