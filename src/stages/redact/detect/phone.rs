//! Phone numbers: clusters of digits that could be one, then libphonenumber's metadata.
//!
//! Not here: finding the digits (`numbers`), the canonical form (`pseudonym`).
//!
//! Always: international numbers are found whatever the regions; a national one only if it is
//! valid in a configured region and written the way people write numbers there; dates, decimal
//! numbers, versions and numbers glued to letters are never phones.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::Span;
use super::edge::{before, said_last};
use super::numbers::{self, Run};
use super::phone_candidate::{Candidate, Country, GROUPS_MAX, trunk};
use super::phone_edge::{dates, extension, label_behind, plus_before, tied_after, tied_before};

/// E.164.
const DIGITS_MAX: usize = 15;
const DIGITS_MIN: usize = 7;
/// In pairs, behind a word that leaves no doubt: `call 33 93 31`.
const TOLD_DIGITS_MIN: usize = 6;

pub(super) const PHONE_WORDS: [&str; 18] = [
    "phone",
    "tel",
    "call",
    "mobile",
    "cell",
    "fax",
    "whatsapp",
    "sms",
    "text me",
    "dial",
    "ring",
    "reach",
    "contact",
    "my number",
    "number is",
    "handy",
    "전화",
    "电话",
];

/// Words after which nothing but a phone number is meant.
pub(super) const TOLD_WORDS: [&str; 16] = [
    "phone",
    "tel",
    "telephone",
    "call",
    "mobile",
    "cell",
    "fax",
    "whatsapp",
    "sms",
    "dial",
    "number is",
    "my number",
    "answering at",
    "messages to",
    "text me",
    "handy",
];
/// How far before a number these begin.
const TOLD_BYTES: usize = 24;

/// How far before a number a word for it may begin.
const SAID_BYTES: usize = 40;

/// What the phones of one cluster share.
struct Around {
    /// Runs that belong to dates, as bits.
    dates: u64,
    /// A word for a phone is near the numbers that begin up to here.
    said_to: Option<usize>,
    /// The same of the surer words.
    told_to: Option<usize>,
}

/// Region names as in ISO 3166 (`GB`, not `UK`).
fn parse_regions(names: &[String]) -> Result<Vec<Region>, String> {
    let region = |name: &String| {
        Region::from_code(name)
            .ok()
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
            .ok_or_else(|| {
                let hint = if name == "UK" { "; the United Kingdom is \"GB\"" } else { "" };
                format!("\"{name}\" is not a phone region; use ISO 3166 codes such as \"US\"{hint}")
            })
    };
    names.iter().map(region).collect()
}

#[derive(Clone, Debug)]
pub(in super::super) struct Phones {
    countries: Vec<Country>,
}

impl Phones {
    pub(in super::super) fn new(regions: &[String]) -> Result<Phones, String> {
        let country = |region: Region| Country {
            region,
            code: PHONE_NUMBER_UTIL.get_country_code_for_region(region).unwrap_or_default(),
            trunk: trunk(region),
        };
        Ok(Phones { countries: parse_regions(regions)?.into_iter().map(country).collect() })
    }

    /// Reports the numbers of one cluster, from left to right, longest first.
    pub(super) fn find(&self, text: &str, runs: &[Run], out: &mut Vec<Span>) {
        // Nobody dials single digits in a row, and a number has seven at least.
        if runs.len() > 1 && runs.iter().all(|run| run.digits() == 1) {
            return;
        }
        // No word stands inside a cluster, so all its numbers see the same ones.
        let near = |bytes, words: &[&str]| said_last(text, runs[0].start, bytes, words).map(|word| word + bytes);
        let said_to = near(SAID_BYTES, &PHONE_WORDS);
        let told_to = near(TOLD_BYTES, &TOLD_WORDS);
        let around = Around { dates: dates(text, runs), said_to, told_to };
        let mut first = 0;
        while first < runs.len() {
            first = match self.longest(text, runs, first, &around) {
                Some((found, next)) => {
                    out.push(found);
                    next
                }
                None => first + 1,
            };
        }
    }

    /// E.164 where the library can complete the number, else its digits: one spelling for all
    /// spellings of a number that `find` reported.
    pub(in super::super) fn canonical(&self, raw: &str) -> String {
        let e164 = |number: PhoneNumber| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
        let mut runs = Vec::new();
        if let Some(first) = raw.bytes().position(|byte| byte.is_ascii_digit()) {
            numbers::cluster(raw.as_bytes(), first, &mut runs);
        }
        // Without the extension.
        let dialled: String = runs.iter().map(|run| &raw[run.start..run.end]).collect();
        if raw.contains(['+', '＋']) {
            return PHONE_NUMBER_UTIL.parse(raw, None).map_or(dialled, e164);
        }
        let abroad = dialled.strip_prefix("00").and_then(|rest| PHONE_NUMBER_UTIL.parse(format!("+{rest}"), None).ok());
        if let Some(number) = abroad.filter(|number| PHONE_NUMBER_UTIL.is_valid_number(number)) {
            return e164(number);
        }
        if runs.is_empty() || runs.len() > GROUPS_MAX {
            return dialled;
        }
        let candidate = Candidate { text: raw, start: 0, end: raw.len(), runs: &runs };
        // No other country's numbers have this shape without their trunk prefix.
        if self.countries.iter().any(Country::is_american) && candidate.american_shape(true) {
            return format!("+1{}", &dialled[dialled.len() - 10..]);
        }
        let written = |country: &&Country| candidate.written_as_in(country, dialled.len(), false);
        // First the countries where people write it so, then any.
        let country = self.countries.iter().filter(written).find_map(|country| country.parse(raw));
        if let Some(number) = country {
            return e164(number);
        }
        self.countries.iter().find_map(|country| country.parse(raw)).map_or(dialled, e164)
    }

    /// The longest number that begins with run `first`, and the run after it.
    fn longest(&self, text: &str, runs: &[Run], first: usize, around: &Around) -> Option<(Span, usize)> {
        let start = runs[first].start;
        let plus = if first == 0 { plus_before(text, start) } else { None };
        let barred = |run: usize| plus.is_none() && around.dates >> run & 1 == 1;
        if barred(first) || runs[first].sep.is_tight() || (plus.is_none() && first == 0 && tied_before(text, start)) {
            return None;
        }
        let mut total = 0;
        let most = runs[first..]
            .iter()
            .enumerate()
            .take(GROUPS_MAX)
            .take_while(|(place, run)| {
                total += run.digits();
                // One digit more than E.164 has: the `(0)` that is not dialled.
                !barred(first + place) && total <= DIGITS_MAX + 1
            })
            .count();
        let near = |to: Option<usize>| plus.is_none() && to.is_some_and(|to| start <= to);
        let (said, told) = (near(around.said_to), near(around.told_to));
        for last in (first..first + most).rev() {
            let digits: usize = runs[first..=last].iter().map(Run::digits).sum();
            let least = if last - first >= 2 { TOLD_DIGITS_MIN } else { DIGITS_MIN };
            if digits < least {
                break;
            }
            // Single digits in a row are a table or a count; nobody dials so.
            if digits == last - first + 1 {
                continue;
            }
            let whole = last + 1 == runs.len();
            let end = runs[last].end;
            let end = end + if whole { extension(&text[end..]) } else { 0 };
            let labelled = whole && label_behind(&text[end..]);
            let tied = match runs.get(last + 1) {
                Some(next) => next.sep.is_tight(),
                None => tied_after(text, runs[last].end) && !labelled,
            };
            if tied {
                continue;
            }
            let bracket = before(text, start) == Some('(') && text[start..end].contains(')');
            let begin = plus.unwrap_or(start - usize::from(bracket));
            let candidate = Candidate { text, start: begin, end, runs: &runs[first..=last] };
            let found = match plus {
                Some(_) => candidate.international(),
                None if digits >= DIGITS_MIN => candidate.national(&self.countries, digits, said),
                None => None,
            };
            let found = found.or_else(|| candidate.told(digits, told, labelled));
            if let Some(found) = found {
                return Some((found, last + 1));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::redact::detect::tests::finds;
    use crate::stages::redact::kind::Kind;

    #[test]
    fn phones() {
        for (text, found) in [
            ("call (202) 555-0173 now", &["(202) 555-0173"][..]),
            ("202-555-0173, 202.555.0173, 202 555 0173", &["202-555-0173", "202.555.0173", "202 555 0173"]),
            ("1-202-555-0173", &["1-202-555-0173"]),
            ("+1 202-555-0173", &["+1 202-555-0173"]),
            ("tel:+12025550173", &["+12025550173"]),
            ("+46 (0)8 928 571 38 fax", &["+46 (0)8 928 571 38"]),
            ("+33 1 42 68 53 00 or 01 42 68 53 00", &["+33 1 42 68 53 00", "01 42 68 53 00"]),
            ("+61 2 9374 4000", &["+61 2 9374 4000"]),
            ("0044 20 7183 8750", &["0044 20 7183 8750"]),
            ("555-234-5678, +1 (555) 555-5555", &["555-234-5678", "+1 (555) 555-5555"]),
            ("on 020 7183 8750.", &["020 7183 8750"]),
            ("07912 345678", &["07912 345678"]),
            ("번호는 010-2345-6789입니다", &["010-2345-6789"]),
            ("2025550173", &["2025550173"]),
            (r#"{"phone":"2025550173"}"#, &["2025550173"]),
            (r"\n202-555-0173", &["202-555-0173"]),
            ("on 2024-05-01 202-555-0173", &["202-555-0173"]),
            ("Room 5 202-555-0173", &["202-555-0173"]),
            ("202-555-0173x123", &["202-555-0173x123"]),
            ("202-555-0173 ext. 12, 416-392-2489", &["202-555-0173 ext. 12", "416-392-2489"]),
            ("+44 7700 900123", &["+44 7700 900123"]),
            ("202-555-0173 202-555-0174", &["202-555-0173", "202-555-0174"]),
            ("202\u{2011}555\u{2011}0173", &["202\u{2011}555\u{2011}0173"]),
            ("mobile (work) + 442071838750", &["+ 442071838750"]),
            ("Jane (London) + 44 20 7183 8750", &["+ 44 20 7183 8750"]),
            ("phone number is 20 7183 8750", &["20 7183 8750"]),
        ] {
            finds(text, Kind::Phone, found);
        }
    }

    #[test]
    fn not_phones() {
        for text in [
            "2024-05-01",
            "05/01/2024 10:30",
            "20240501",
            "2026-07-01T08:00:00Z",
            "1990-2005",
            "2011 2012 2013",
            "3.14159265358",
            "202.5550173",
            "1,234,567,890",
            "#1234567",
            "#2025550173",
            "order 2025550173",
            "order-2025550173",
            "id2025550173",
            "2025550173abc",
            "1719830400",
            "1719830400000",
            "1.2.3.4567890",
            "9f8c2d1e-4b7a-4c3e-9d2f-000000000004",
            "4111111111111111",
            "123-45-6789",
            "12345-6789",
            "202-555-0173-9",
            "$2025550173",
            "1 2 3 4 5 6 7 8 9 10",
            "192.168.100.200",
            "203.0.113.25",
            "another hôtel. The server at 178.82.100.179",
            "tel. 178.82.100.179",
            "hôtel 20255501731",
            "100 200 3000",
            "555-0173",
            "2147483647",
            "x=1234567",
            "555-123-4567-8",
            "0.555 123 4567",
        ] {
            finds(text, Kind::Phone, &[]);
        }
    }

    #[test]
    fn one_spelling_whatever_the_order_of_regions() {
        for regions in [["US", "GB"], ["GB", "US"]] {
            let phones = Phones::new(&regions.map(str::to_owned)).unwrap();
            for (raw, canonical) in [
                ("(202) 555-0173", "+12025550173"),
                ("202.555.0173 ext. 5", "+12025550173"),
                ("+1 202 555 0173", "+12025550173"),
                ("(555) 234-5678", "+15552345678"),
                ("020 7183 8750", "+442071838750"),
                ("+44 (0)20 7183 8750", "+442071838750"),
                ("no digits", ""),
            ] {
                assert_eq!(phones.canonical(raw), canonical, "{raw}");
            }
        }
    }

    #[test]
    fn trunk_prefixes() {
        for (name, prefix) in [("GB", "0"), ("FR", "0"), ("ES", ""), ("US", "")] {
            assert_eq!(trunk(Region::from_code(name).unwrap()), prefix, "{name}");
        }
    }
}
