//! Organisations, places, nationalities and beliefs that one word gives away: what stands before
//! `Inc.` or behind `works for`, countries, and a closed list of groups.
//!
//! Not here: people (`cues`), what the model finds (`crf`), lines of an address (`block`).
//!
//! Always: in capitals, unless the word can be nothing else; at most [`MOST_WORDS`] words; on prose
//! only, which the caller sees to.

use std::ops::Range;

use super::features::{CONTEXT, sorted};
use super::lexicon::{Case, Filter};
use super::model::{NATIONALITY, ORGANIZATION, PLACE};
use super::words::{Shape, Word, hash_of, sign_hash};

const MOST_WORDS: usize = 6;

/// End the name of a firm.
const FIRMS: &str = "inc llc ltd corp plc gmbh corporation technologies consulting holdings associates sons partners \
    ventures industries enterprises pharmaceuticals logistics solutions systems labs capital insurance \
    bank university institute foundation company group limited llp pty ag sarl bv oy ab software \
    networks analytics incorporated international";
/// The first of them say it in small letters, too.
const SURE_FIRMS: usize = 6;

/// Stand in small letters behind the name of a firm.
const BEHIND: &str = "office headquarters orchestra store";

/// Pairs behind which an employer stands, and places.
const EMPLOYERS: &str = "work for, works for, worked for, working for, work at, works at, worked at, working at, employed by, \
    employed at, ceo of, cto of, cfo of, founder of, job at, employee of, hired by";
const WHERE: &str = "is from, am from, i'm from, address of, originally from, moved to, moved from, here from, live in, \
    lives in, lived in, living in, born in, flew to, flight to, flights to, fly to, travel to, trip to, \
    based in, located in, drive to, arrive in, arrived in";

const COUNTRIES: &str = "afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas \
    bahrain bangladesh barbados belarus belgium belize benin bhutan bolivia botswana brazil brunei \
    bulgaria burundi cambodia cameroon canada chile colombia congo croatia cuba cyprus czechia denmark \
    djibouti ecuador egypt england eritrea estonia ethiopia fiji finland france gabon gambia germany \
    ghana greece greenland guatemala guyana haiti honduras hungary iceland india indonesia iran iraq \
    ireland israel italy jamaica japan kazakhstan kenya kosovo kuwait kyrgyzstan laos latvia lebanon \
    lesotho liberia libya liechtenstein lithuania luxembourg madagascar malawi malaysia maldives malta \
    mauritania mauritius mexico moldova monaco mongolia montenegro morocco mozambique myanmar namibia \
    nepal netherlands nicaragua nigeria norway oman pakistan panama paraguay peru philippines poland \
    portugal qatar romania russia rwanda scotland senegal serbia singapore slovakia slovenia somalia \
    spain sudan suriname sweden switzerland syria taiwan tanzania thailand tunisia uganda ukraine \
    uruguay usa u.s.a uzbekistan venezuela vietnam wales yemen zambia zimbabwe uae turkmenistan \
    tajikistan anguilla aruba bermuda bosnia comoros curaçao dominica eswatini gibraltar grenada guadeloupe \
    guam herzegovina kiribati macedonia mali martinique mayotte micronesia nauru niue palau palestine samoa \
    seychelles swaziland tokelau tonga tuvalu vanuatu";
const PAIRS: &str = "new zealand, south africa, united kingdom, united states, south korea, north korea, saudi arabia, \
    sri lanka, costa rica, puerto rico, el salvador, czech republic, hong kong, ivory coast, \
    great britain, sierra leone, burkina faso, dominican republic, san marino, northern ireland, \
    cabo verde, cape verde, solomon islands, marshall islands, cayman islands, faroe islands, \
    virgin islands, saint lucia, east timor, equatorial guinea";

/// Nationalities, religions, political groups: also with an `s` behind.
const GROUPS: &str = "afghan albanian algerian american andorran angolan argentine argentinian armenian australian \
    austrian azerbaijani bahamian bahraini bangladeshi barbadian belarusian belgian belizean belizian \
    bhutanese bolivian bosnian brazilian british bruneian bulgarian burmese burundian cambodian \
    cameroonian canadian catalan chadian chechen chilean chinese colombian congolese croatian cuban \
    cypriot czech danish dane dutch ecuadorean ecuadorian egyptian english englishman englishmen \
    eritrean estonian ethiopian fijian filipino finn finnish french frenchman gambian georgian german \
    ghanaian greek greenlander greenlandic guatemalan guyanese haitian honduran hungarian icelander \
    icelandic indian indonesian iranian iraqi irish irishman israeli italian ivorian jamaican japanese \
    jordanian kazakh kenyan korean kosovar kurdish kuwaiti laotian latvian lebanese liberian libyan \
    lithuanian macedonian malaysian maltese mauritian mexican moldovan mongolian moroccan namibian \
    nepalese nepali nicaraguan nigerian norwegian omani pakistani palestinian panamanian paraguayan \
    peruvian polish portuguese qatari romanian russian rwandan salvadoran saudi scottish senegalese \
    serbian singaporean slovak slovenian somali spanish spaniard sudanese surinamese swede swedish swiss \
    syrian taiwanese tanzanian thai tibetan tunisian turkish ugandan ukrainian uruguayan uzbek \
    venezuelan vietnamese welsh yemeni zambian zimbabwean catholic protestant muslim jew jewish hindu \
    buddhist sikh mormon shia shiite shii sunni democrat republican";
/// Small letters make something else of these.
const CAPITAL_ONLY: &str = "polish swede dane finn georgian republican";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tell {
    Firm,
    SureFirm,
    /// Stands behind the name of a firm.
    Behind,
    Country,
    Group,
    /// `and` of partners.
    Partners,
    /// The last word of a pair.
    Employer,
    Where,
    Pair,
}

#[derive(Debug)]
pub struct Told {
    /// By word, with the word before it if there has to be one.
    tells: Vec<(u64, Tell, u64)>,
    capital_only: Vec<u64>,
    filter: Filter,
}

impl Default for Told {
    fn default() -> Told {
        let mut tells = Vec::new();
        for (n, word) in FIRMS.split_whitespace().enumerate() {
            tells.push((hash_of(word), if n < SURE_FIRMS { Tell::SureFirm } else { Tell::Firm }, 0));
        }
        tells.push((hash_of("and"), Tell::Partners, 0));
        tells.extend(BEHIND.split_whitespace().map(|word| (hash_of(word), Tell::Behind, 0)));
        for word in COUNTRIES.split_whitespace() {
            tells.push((hash_of(word), Tell::Country, 0));
        }
        for word in GROUPS.split_whitespace() {
            tells.push((hash_of(word), Tell::Group, 0));
            tells.push((hash_of(&format!("{word}s")), Tell::Group, 0));
        }
        for (pairs, tell) in [(EMPLOYERS, Tell::Employer), (WHERE, Tell::Where), (PAIRS, Tell::Pair)] {
            let pairs = pairs.split(',').filter_map(|pair| pair.trim().split_once(' '));
            tells.extend(pairs.map(|(first, last)| (hash_of(last), tell, hash_of(first))));
        }
        tells.sort_unstable();
        let filter = Filter::of(tells.iter().map(|(word, ..)| *word));
        Told { tells, capital_only: sorted(&CAPITAL_ONLY.split_whitespace().collect::<Vec<_>>()), filter }
    }
}

impl Told {
    /// Whether a word says something by itself.
    pub fn knows(&self, word: &str) -> bool {
        self.tells_of(hash_of(word)).any(|(_, before)| before == 0)
    }

    /// What a word tells, with the word that has to stand before it, if any.
    fn tells_of(&self, hash: u64) -> impl Iterator<Item = (Tell, u64)> {
        let first = self.tells.partition_point(|(word, ..)| *word < hash);
        let same = self.tells[first..].iter().take_while(move |(word, ..)| *word == hash);
        same.map(|(_, tell, before)| (*tell, *before))
    }

    /// The words that tell something, and few others.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Hands rows of words and what they are to `found`. `words` are padded; only those at `places`
    /// tell something.
    pub fn find(&self, words: &[Word], places: &[usize], mut found: impl FnMut(Range<usize>, usize)) {
        for &at in places {
            let hash = words[at].hash;
            if !self.filter.may_hold(hash) || words[at].shape == Shape::Sign {
                continue;
            }
            for (tell, before) in self.tells_of(hash) {
                if before != 0 && words[at - 1].hash != before {
                    continue;
                }
                if let Some((row, label)) = self.row(words, at, tell) {
                    found(row, label);
                    break;
                }
            }
        }
    }

    fn row(&self, words: &[Word], at: usize, tell: Tell) -> Option<(Range<usize>, usize)> {
        let word = &words[at];
        match tell {
            Tell::Firm | Tell::SureFirm => Some((firm(words, at, tell == Tell::SureFirm)?, ORGANIZATION)),
            Tell::Behind => {
                let back =
                    words[CONTEXT..at].iter().rev().take(MOST_WORDS).take_while(|word| word.is_capital()).count();
                let named = words[at - back..at].iter().any(|word| word.entry.case() != Case::Small);
                let starts = back > 0 && words[at - back].entry.case() == Case::Small;
                let start = at - back + usize::from(starts);
                (word.shape == Shape::Lower && named && start < at).then_some((start..at, ORGANIZATION))
            }
            Tell::Country => Some((at..at + 1, PLACE)),
            Tell::Pair => words[at].is_capital().then_some((at - 1..at + 1, PLACE)),
            Tell::Group => {
                let capital = word.shape == Shape::Lower && self.capital_only.binary_search(&word.hash).is_ok();
                (!capital).then_some((at..at + 1, NATIONALITY))
            }
            Tell::Partners => Some((partners(words, at)?, ORGANIZATION)),
            Tell::Employer => Some((capitals(words, at + 1)?, ORGANIZATION)),
            Tell::Where => Some((capitals(words, at + 1)?, PLACE)),
        }
    }
}

/// The capitalised words from `start` on, with small ones between.
fn capitals(words: &[Word], start: usize) -> Option<Range<usize>> {
    let last = words.len() - CONTEXT;
    let weekday = |word: &Word| word.entry.case() == Case::Small || word.hash == hash_of("i");
    let mut end = start;
    while end < last && end - start < MOST_WORDS && words[end].is_capital() {
        end += 1;
        let joined = words[end].hash == hash_of("of") || words[end].hash == sign_hash(b'&');
        if joined && words.get(end + 1).is_some_and(Word::is_capital) {
            end += 1;
        }
    }
    (end > start && !(end == start + 1 && weekday(&words[start]))).then_some(start..end)
}

/// `Brandl, Jones and Miller`: surnames, of which no place is one.
fn partners(words: &[Word], and: usize) -> Option<Range<usize>> {
    let row = and.checked_sub(3).filter(|start| *start >= CONTEXT).map(|start| start..and + 2)?;
    let three = [&words[and - 3], &words[and - 1], &words[and + 1]];
    let fits =
        |word: &&&Word| word.shape == Shape::Title && word.entry.place() != 2 && word.entry.case() != Case::Small;
    let surnames = three.iter().filter(|word| word.entry.last() > 0).count();
    (words[and - 2].hash == comma() && three.iter().all(|word| fits(&word)) && surnames >= 2).then_some(row)
}

/// The name of a firm that ends with the word at `at`.
fn firm(words: &[Word], at: usize, sure: bool) -> Option<Range<usize>> {
    let capital = words[at].is_capital();
    if !capital && !sure {
        return None;
    }
    let mut start = at;
    let small = [hash_of("and"), hash_of("of"), sign_hash(b'&')];
    while start > CONTEXT && at - start < MOST_WORDS {
        let word = &words[start - 1];
        let comma = word.hash == self::comma() && start < at && words[start].is_capital();
        let takes = match word.shape {
            Shape::Title | Shape::Upper | Shape::Camel | Shape::Code => true,
            Shape::Number => start < at && at - start <= 3,
            // Small letters all over: one word or two.
            Shape::Lower if !capital => {
                let unseen = word.entry.case() == Case::Unseen;
                word.end - word.start > 3 && (start == at || start + 1 == at && unseen)
            }
            Shape::Lower | Shape::Sign => {
                (small.contains(&word.hash) || comma) && words[start - 2].is_capital() && start < at
            }
            _ => false,
        };
        // `Sons` and `Partners` follow on `and`.
        let joins = start == at && small.contains(&word.hash) && words[start - 2].is_capital();
        if !takes && !joins {
            break;
        }
        start -= 1;
    }
    while start < at && matches!(words[start].shape, Shape::Sign) {
        start += 1;
    }
    // The stop of `Inc.` belongs to it.
    let stop = words[at].end - words[at].start <= 4 && words[at + 1].is_dot_behind(&words[at]);
    (start < at).then_some(start..at + 1 + usize::from(stop && sure))
}

fn comma() -> u64 {
    sign_hash(b',')
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::super::words::Words;
    use super::*;

    fn found(text: &str) -> Vec<(&str, usize)> {
        let names = built_in().unwrap();
        let mut words = vec![Word::EDGE; CONTEXT];
        Words::new(text, &names.model().lexicon).read(&mut words, usize::MAX);
        words.extend([Word::EDGE; CONTEXT]);
        let mut rows = Vec::new();
        let places: Vec<usize> = (CONTEXT..words.len() - CONTEXT).collect();
        Told::default().find(&words, &places, |row, label| {
            rows.push((&text[words[row.start].start as usize..words[row.end - 1].end as usize], label));
        });
        rows
    }

    #[test]
    fn what_one_word_tells() {
        for (text, expected) in [
            ("at Xyqo & Brandl GmbH today", &[("Xyqo & Brandl GmbH", ORGANIZATION)][..]),
            ("from 3 Round Xyqos Inc.", &[("3 Round Xyqos Inc.", ORGANIZATION)]),
            ("the bank and the group", &[]),
            ("he works for Xyqo", &[("Xyqo", ORGANIZATION)]),
            ("it works for me", &[]),
            ("she moved to South Korea", &[("South Korea", PLACE), ("South Korea", PLACE)]),
            ("we moved to a house", &[]),
            ("two Danes polish a swede", &[("Danes", NATIONALITY)]),
        ] {
            let mut rows = found(text);
            rows.sort_unstable();
            assert_eq!(rows, expected, "{text}");
        }
    }
}
