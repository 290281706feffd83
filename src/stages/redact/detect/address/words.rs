//! The words of addresses and what each of them is, in one table.
//!
//! Not here: in which order they stand (`street`, `tail`).
//!
//! Always: words are lower case and stand once in a list; one look-up costs one hash, whatever the
//! number of languages. Street types are those of USPS publication 28 and of the postal guides of
//! the countries named; nothing here is taken from anybody's address data.

/// What a word may be; a word may be several things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Class(u16);

impl Class {
    pub(super) const NONE: Class = Class(0);
    /// A street type that is hardly ever anything else behind a number and a name.
    pub(super) const TYPE: Class = Class(1);
    /// A street type that is an everyday word too.
    pub(super) const WEAK_TYPE: Class = Class(1 << 1);
    /// A street type that stands before the name.
    pub(super) const PREFIX: Class = Class(1 << 2);
    pub(super) const WEAK_PREFIX: Class = Class(1 << 3);
    /// A street type that stands between name and number.
    pub(super) const MIDDLE: Class = Class(1 << 4);
    pub(super) const DIRECTION: Class = Class(1 << 5);
    pub(super) const UNIT: Class = Class(1 << 6);
    /// Small words inside a name: `de`, `los`.
    pub(super) const LINK: Class = Class(1 << 7);
    /// Never part of an address.
    pub(super) const STOP: Class = Class(1 << 8);
    /// Two letters; only in upper case.
    pub(super) const STATE: Class = Class(1 << 9);
    /// A state or a country in full.
    pub(super) const LAND: Class = Class(1 << 10);
    /// Numbered roads: `Highway 1`.
    pub(super) const ROAD: Class = Class(1 << 11);
    /// Written short, so that a full stop may follow.
    pub(super) const SHORT: Class = Class(1 << 12);

    pub(super) const fn or(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }

    /// It is one of the things asked for.
    pub(super) const fn is(self, any: Class) -> bool {
        self.0 & any.0 != 0
    }
}

const LISTS: [(Class, &str); 22] = [
    (Class::TYPE, "street avenue boulevard road parkway highway freeway expressway turnpike"),
    (Class::TYPE.or(Class::SHORT), "st str ave av blvd bvd rd pkwy pky hwy fwy expy tpke boul"),
    // German, Dutch and Nordic types that also stand apart: `Villacher Strasse 89`.
    (
        Class::MIDDLE,
        "strasse straße weg gasse allee platz ring damm ufer chaussee straat laan plein gracht kade \
         gata gatan vägen vegen veien katu tie utca út útja tér tee iela gade vej gate sokak caddesi terrasse ulica kapu körút tere trg",
    ),
    (Class::MIDDLE.or(Class::SHORT), "str u cad sok rkp krt"),
    (
        Class::WEAK_TYPE,
        "drive lane court way place circle terrace trail square plaza crescent close alley arcade \
         bend bluff bluffs bottom branch bridge brook bypass camp canyon cape causeway center centre \
         cliff cliffs club common commons corner corners course cove creek crest crossing crossroad \
         curve dale dam divide esplanade estate estates extension fall falls ferry field fields flat flats ford \
         forest forge fork forks fort garden gardens gateway glen glens green greens grove groves \
         harbor harbour haven heights hill hills hollow inlet island isle junction key keys knoll \
         knolls lake lakes landing loaf lock lodge loop mall manor meadow meadows mews mill mills \
         mission motorway mount mountain neck orchard oval overpass park parks pass passage path pike \
         pine pines plain plains point points port ports prairie radial ramp ranch rapids rest ridge \
         ridges river row rue run shoal shore shores skyway spring springs spur spurs squares station \
         stream summit throughway trace track trafficway tunnel underpass union unions valley viaduct \
         view views village ville vista walk wall wells wharf quay parade rise vale yard circuit \
         drove gate hatch reach strand concourse quadrant embankment bank wynd brae boulevarde",
    ),
    (
        Class::WEAK_TYPE.or(Class::SHORT),
        "dr ln ct pl cir ter terr trl sq plz cres crst cl aly cswy ctr cv xing hts hls jct lndg mdws \
         mtn orch pt pte rdg shr spg spgs stn sta vly vw vlg wy crt pde gdns gr grn hbr",
    ),
    (Class::ROAD, "highway hwy route rte interstate freeway fm cr"),
    (
        Class::PREFIX,
        "rue chemin impasse allée boulevard calle avenida carrer viale piazza piazzale corso vicolo strada via \
         rua rúa travessa praça rodovia estrada ulica ulitsa jalan улица проспект вулиця calçada contrada \
         ronda glorieta callejón rambla",
    ),
    (Class::PREFIX.or(Class::SHORT), "avda avd bd ul os ulitsa jl ул пр пл pza pça trav nám tř"),
    (
        Class::WEAK_PREFIX,
        "avenue place route square passage quai cours largo plaza camino alameda paseo carrera carretera \
         sentier villa cité esplanade faubourg",
    ),
    (Class::WEAK_PREFIX.or(Class::SHORT), "ave av al pl cra str"),
    (
        Class::DIRECTION,
        "north south east west northeast northwest southeast southwest northern southern eastern western",
    ),
    (Class::DIRECTION.or(Class::SHORT), "n s e w ne nw se sw n.e n.w s.e s.w"),
    (
        Class::UNIT,
        "apartment suite unit flat floor room building level lot penthouse basement lobby office slip space \
         wohnung appartement piso puerta portal interno scala andar bloco sala étage bâtiment escalier etage tower",
    ),
    (Class::UNIT.or(Class::SHORT), "apt ste fl rm bldg ph apto int esc whg top bât"),
    (
        Class::LINK,
        "de la las los el le les del della delle dalla dal dei degli di da do dos das du des den der dem von van vom zum zur \
         ter ten te 't het am an auf im saint sainte san santa santo são y e og",
    ),
    (
        Class::STOP,
        "a an the and or of in on at to for from with without by per is are was were be been has have had it its \
         this that these those there their they them he she his her we our you your my i me as but if so than then \
         when where which who what how not no yes please call phone fax tel mobile email would will can could should \
         may might do does did about above below into over under after before between because while during until \
         also just only very more most less few many some any all both each other another such own same too now here \
         minute minutes min mins hour hours hr hrs day days week weeks month months year years seconds \
         mile miles km kilometer kilometers metre metres meter meters feet foot ft yard yards inch inches acre acres \
         percent dollar dollars euro euros pound pounds usd people person persons man men woman women times time \
         bed beds bedroom bedrooms bath baths bathroom bathrooms star stars car cars lane-wide block blocks \
         number numbers zip code postcode january february march april may june july august september october november \
         december monday tuesday wednesday thursday friday saturday sunday am pm ticket tickets hello hi hey thanks \
         thank sure okay ok mr mrs ms dear regards sincerely best located called down along across via near \
         desk office-phone cell website www http https name title company gb mb kb tb ghz mhz px",
    ),
    (
        Class::STATE,
        "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok \
         or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr gu vi as mp aa ae ap ab bc mb nb nl ns nt nu on pe qc sk yt \
         nsw vic qld sa tas act uk us usa",
    ),
    (
        Class::LAND,
        "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois \
         indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri \
         montana nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia wisconsin \
         wyoming ontario quebec québec alberta manitoba saskatchewan queensland tasmania australia austria belgium \
         brazil brasil bulgaria canada chile china colombia croatia cyprus czechia denmark estonia finland france \
         germany deutschland greece hungary iceland india indonesia ireland israel italy italia japan kenya latvia \
         lithuania luxembourg malaysia mexico méxico netherlands nederland norway pakistan peru philippines poland \
         polska portugal romania russia serbia singapore slovakia slovenia spain españa sweden switzerland schweiz \
         suisse österreich taiwan thailand turkey ukraine uruguay vietnam england scotland wales kingdom states africa \
         apo fpo dpo zealand korea republic columbia hampshire jersey york carolina dakota greenland",
    ),
    (Class::LINK, "first second third fourth fifth sixth seventh eighth ninth tenth twelfth"),
    (Class::SHORT, "mt ft no nr p.o po"),
    (Class::NONE, ""),
];

/// Ends of compound street names, as in `Hauptstraße`, and how long a word must be to have one.
/// Longer than the ending by four at least: `string`, `during` and `decade` are no streets.
const ENDINGS: [(&str, usize); 34] = [
    ("straße", 2),
    ("strasse", 2),
    ("tasse", 9),
    ("straat", 2),
    ("str.", 3),
    ("gasse", 3),
    ("weg", 3),
    ("allee", 2),
    ("platz", 3),
    ("damm", 4),
    ("ufer", 4),
    ("chaussee", 2),
    ("gracht", 3),
    ("singel", 3),
    ("laan", 3),
    ("plein", 3),
    ("kade", 4),
    ("dreef", 3),
    ("vej", 3),
    ("gade", 3),
    ("gatan", 3),
    ("gata", 3),
    ("vägen", 3),
    ("vegen", 3),
    ("veien", 3),
    ("katu", 3),
    ("kuja", 3),
    ("stræti", 2),
    ("plaats", 3),
    ("graben", 3),
    ("brücke", 3),
    ("lände", 3),
    ("hof", 5),
    ("tie", 6),
];

#[derive(Debug)]
pub(super) struct Words {
    slots: Vec<(u64, Class)>,
}

const LONGEST_BYTES: usize = 24;

impl Words {
    pub(super) fn new() -> Words {
        let mut words = Words { slots: vec![(0, Class::NONE); 4096] };
        for (class, list) in LISTS {
            for word in list.split_ascii_whitespace() {
                let hash = hash(word.bytes());
                let slot = words.slot(hash);
                words.slots[slot] = (hash, words.slots[slot].1.or(class));
            }
        }
        words
    }

    /// Where a hash stands or would stand; the table is never full.
    fn slot(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        // Short words differ in few bits: Fibonacci hashing spreads them.
        let mut at = ((hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.slots[at].0 != 0 && self.slots[at].0 != hash {
            at = (at + 1) & mask;
        }
        at
    }

    /// What a word is, whatever its case; a full stop at its end does not count.
    pub(super) fn class(&self, word: &str) -> Class {
        let word = word.strip_suffix('.').unwrap_or(word);
        if word.len() > LONGEST_BYTES || word.is_empty() {
            return Class::NONE;
        }
        let hash = match word.is_ascii() {
            true => hash(word.bytes().map(|byte| byte.to_ascii_lowercase())),
            false => hash(word.to_lowercase().bytes()),
        };
        self.slots[self.slot(hash)].1
    }
}

/// Fowler, Noll and Vo's 1a; never 0, which marks a free slot.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)).max(1)
}

/// A compound street name: `Hauptstraße`, `Kiannonkatu`, `Asselsestraat`.
pub(super) fn is_compound(word: &str) -> bool {
    let bytes = word.as_bytes();
    ENDINGS.iter().any(|(ending, more)| {
        let at = bytes.len().checked_sub(ending.len());
        at.is_some_and(|at| at >= *more && bytes[at..].eq_ignore_ascii_case(ending.as_bytes()))
    })
}

/// Words that, right before a street type, make it something else: `hard drive`, `supreme court`.
const OTHER_THINGS: [(&str, &str); 12] = [
    ("drive", "hard flash thumb usb disk disc tape test google one four all wheel drive ssd zip external"),
    ("court", "supreme district circuit federal high food tennis basketball appeals superior crown county"),
    ("park", "national theme amusement water state ball business jurassic"),
    ("way", "one two either this that same only easy best long right wrong milky two-way"),
    ("point", "power decimal starting bullet data key main boiling melting freezing"),
    ("street", "way one-way two-way busy"),
    ("highway", "lane"),
    ("road", "lane way dirt main"),
    ("center", "shopping medical data call community trade"),
    ("landing", "moon lunar mars crash emergency first"),
    ("place", "first second third fourth"),
    ("key", "project vault pseudonym api private public secret primary foreign signing master session access host"),
];

/// `before` and the street type `kind` name something that is no street.
pub(super) fn is_other_thing(before: &str, kind: &str) -> bool {
    let others = OTHER_THINGS.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind));
    others.is_some_and(|(_, words)| words.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_classes() {
        let words = Words::new();
        for (word, class) in [
            ("Street", Class::TYPE),
            ("St.", Class::SHORT),
            ("DRIVE", Class::WEAK_TYPE),
            ("Allée", Class::PREFIX),
            ("Straße", Class::MIDDLE),
            ("nw", Class::DIRECTION),
            ("Apt.", Class::UNIT),
            ("the", Class::STOP),
            ("CA", Class::STATE),
            ("California", Class::LAND),
        ] {
            assert!(words.class(word).is(class), "{word}");
        }
        assert_eq!(words.class("Baker"), Class::NONE);
        assert_eq!(words.class(""), Class::NONE);
    }

    #[test]
    fn the_table_is_not_crowded() {
        let words = Words::new();
        let used = words.slots.iter().filter(|(hash, _)| *hash != 0).count();
        assert!(used * 3 < words.slots.len(), "{used} words");
    }

    #[test]
    fn compounds() {
        for word in ["Hauptstraße", "Parijsstraat", "Kiannonkatu", "Mellemvej", "Wingertweg", "Þórunnarstræti"] {
            assert!(is_compound(word), "{word}");
        }
        for word in ["string", "Decade", "Jade", "weg", "committee", "during"] {
            assert!(!is_compound(word), "{word}");
        }
    }
}
