//! Shapes of labelled values: from the place where one begins to its end, or nothing.
//!
//! Not here: labels (`rows`).
//!
//! Always: at most 64 bytes are read; an end lies behind an ASCII byte.

const READ_MAX: usize = 64;

/// The end of letters and digits with `inner` bytes between them, and how many are digits and letters.
fn token(text: &str, start: usize, inner: &[u8]) -> (usize, usize, usize) {
    let (mut end, mut digits, mut letters) = (start, 0, 0);
    for (at, byte) in text.as_bytes().iter().enumerate().skip(start).take(READ_MAX) {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' | b'A'..=b'Z' => letters += 1,
            _ if inner.contains(byte) => continue,
            _ => break,
        }
        // Two separators in a row end it.
        if at > end + 1 {
            let (counted, is_digit) = (1, byte.is_ascii_digit());
            return (end, digits - if is_digit { counted } else { 0 }, letters - if is_digit { 0 } else { counted });
        }
        end = at + 1;
    }
    (end, digits, letters)
}

/// What must not follow a number: a decimal, a time, a percentage.
fn ends(text: &str, end: usize) -> bool {
    let bytes = text.as_bytes();
    match bytes.get(end) {
        Some(b'.' | b',' | b':' | b'/' | b'-') => !bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(b'%' | b'(' | b'[' | b'_' | b'@' | b'$') => false,
        _ => true,
    }
}

/// Digits only, in one row or in groups.
fn digits(text: &str, start: usize, inner: &[u8], counts: std::ops::RangeInclusive<usize>) -> Option<usize> {
    let (mut end, mut count) = (start, 0);
    for (at, byte) in text.as_bytes().iter().enumerate().skip(start).take(READ_MAX) {
        if byte.is_ascii_digit() && at <= end + 1 {
            (end, count) = (at + 1, count + 1);
        } else if !inner.contains(byte) || at > end {
            break;
        }
    }
    (counts.contains(&count) && ends(text, end)).then_some(end)
}

/// Letters and digits with at least `least` digits.
fn code(text: &str, start: usize, inner: &[u8], lens: std::ops::RangeInclusive<usize>, least: usize) -> Option<usize> {
    let (end, digits, letters) = token(text, start, inner);
    let lower = text[start..end].bytes().any(|byte| byte.is_ascii_lowercase());
    let upper = text[start..end].bytes().any(|byte| byte.is_ascii_uppercase());
    (lens.contains(&(digits + letters)) && digits >= least && !(lower && upper) && ends(text, end)).then_some(end)
}

pub(super) fn account(text: &str, start: usize) -> Option<usize> {
    digits(text, start, b" -", 6..=18)
}

pub(super) fn routing(text: &str, start: usize) -> Option<usize> {
    let end = digits(text, start, b"-", 9..=9)?;
    let number: Vec<u32> =
        text[start..end].bytes().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0')).collect();
    let sum: u32 = number.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    let district = number[0] * 10 + number[1];
    let issued = matches!(district, 1..=12 | 21..=32 | 61..=72 | 80);
    (issued && sum.is_multiple_of(10)).then_some(end)
}

pub(super) fn sort_code(text: &str, start: usize) -> Option<usize> {
    let end = digits(text, start, b" -", 6..=6)?;
    let row = &text[start..end];
    let grouped = row.len() == 8 && matches!(row.as_bytes()[2], b' ' | b'-') && row.as_bytes()[2] == row.as_bytes()[5];
    (row.len() == 6 || grouped).then_some(end)
}

pub(super) fn cvv(text: &str, start: usize) -> Option<usize> {
    digits(text, start, b"", 3..=4)
}

pub(super) fn pin(text: &str, start: usize) -> Option<usize> {
    digits(text, start, b"", 4..=6)
}

/// `12/26`, `12/2026`, `12-26`.
pub(super) fn expiry(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let month: u32 = text.get(start..start + 2)?.parse().ok()?;
    let slash = bytes.get(start + 2).filter(|byte| matches!(byte, b'/' | b'-'))?;
    let year = bytes[start + 3..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let end = start + 3 + year;
    let sound = (1..=12).contains(&month) && matches!(year, 2 | 4) && bytes.get(end) != Some(slash) && ends(text, end);
    // A card expires within a few decades; `12/1998` is something else.
    (sound && (year == 2 || text[start + 3..end].starts_with("20"))).then_some(end)
}

/// ISO 3166 codes of the countries that have banks in the SWIFT directory.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC \
    CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA \
    GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE \
    KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR \
    MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO \
    RS RU RW SA SB SC SD SE SG SH SI SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

pub(super) fn bic(text: &str, start: usize) -> Option<usize> {
    let (end, _, _) = token(text, start, b"");
    let code = &text.as_bytes()[start..end];
    let upper = code.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let shaped = matches!(code.len(), 8 | 11) && code[..6].iter().all(u8::is_ascii_uppercase);
    let country = shaped && COUNTRIES.split(' ').any(|country| country.as_bytes() == &code[4..6]);
    (upper && country).then_some(end)
}

pub(super) fn imei(text: &str, start: usize) -> Option<usize> {
    let end = digits(text, start, b" -", 15..=15)?;
    let row: Vec<u32> =
        text[start..end].bytes().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0')).collect();
    let sum: u32 = row
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    (sum.is_multiple_of(10) && row.iter().any(|digit| *digit != 0)).then_some(end)
}

/// Passports have six to nine characters, most of them digits, letters in front or in between.
pub(super) fn passport(text: &str, start: usize) -> Option<usize> {
    code(text, start, b" ", 6..=9, 4).or_else(|| code(text, start, b"", 6..=9, 4)).filter(|end| {
        // Over a space only digits belong to it: `K1234567 expired`.
        text[start..*end].split(' ').skip(1).all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

pub(super) fn licence(text: &str, start: usize) -> Option<usize> {
    code(text, start, b"-", 5..=18, 4)
}

/// Two to nine letters and digits, both, in upper case, in up to three groups.
pub(super) fn plate(text: &str, start: usize) -> Option<usize> {
    let mut best = None;
    for inner in [&b""[..], b"-", b" -"] {
        let (end, digits, letters) = token(text, start, inner);
        let row = &text[start..end];
        let upper = !row.bytes().any(|byte| byte.is_ascii_lowercase());
        let groups = row.split([' ', '-']).count() <= 3;
        if upper && groups && digits >= 1 && letters >= 1 && (4..=9).contains(&(digits + letters)) && ends(text, end) {
            best = Some(end);
        }
    }
    best
}

/// Names that nobody in particular has, and words of programs.
const NOBODY: [&str; 50] = [
    "admin",
    "root",
    "user",
    "username",
    "test",
    "guest",
    "none",
    "null",
    "true",
    "false",
    "string",
    "name",
    "your",
    "example",
    "undefined",
    "default",
    "anonymous",
    "system",
    "nil",
    "self",
    "this",
    "str",
    "text",
    "required",
    "optional",
    "unknown",
    "empty",
    // `.fa-user:before` in a style sheet.
    "before",
    "after",
    "hover",
    "focus",
    "active",
    "visited",
    "not",
    "the",
    "a",
    "an",
    "my",
    "is",
    "and",
    "or",
    "in",
    "varchar",
    "request",
    "input",
    "os",
    "login",
    "req",
    "process",
    "value",
];

pub(super) fn username(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = usize::from(bytes.get(start) == Some(&b'@'));
    let (end, _, letters) = token(text, start + at, b"._-");
    let name = &text[start + at..end];
    let quoted = start > 0 && matches!(bytes[start - 1], b'"' | b'\'' | b'`');
    let code = matches!(bytes.get(end), Some(b'(' | b'[' | b'$' | b'{' | b'%' | b':' | b'='))
        || (name.contains('.') && !quoted);
    // ` = name` outside quotes is a program's variable.
    let assigned = text[..start].ends_with("= ") || text[..start].ends_with("=> ");
    let someone =
        !NOBODY.iter().any(|word| name.eq_ignore_ascii_case(word)) && !name.to_ascii_lowercase().starts_with("your");
    // Behind `is` a lower-case word is any word: `the user name is required`.
    let told = text[..start].trim_end_matches(['"', '\'', '`', '@', ' ']).ends_with([':', '=']) || at > 0 || quoted;
    let marked = name.bytes().any(|byte| byte.is_ascii_digit() || byte == b'_');
    ((3..=32).contains(&name.len()) && letters > 0 && !code && !assigned && someone && (told || marked)).then_some(end)
}

/// A handle with its `@`, or a name with a digit or a low line.
pub(super) fn handle(text: &str, start: usize) -> Option<usize> {
    let at = text.as_bytes().get(start) == Some(&b'@');
    let end = username(text, start)?;
    let marked = text[start..end].bytes().any(|byte| byte.is_ascii_digit() || byte == b'_');
    (at || marked).then_some(end)
}

/// Four characters or more, three digits or more.
pub(super) fn id(text: &str, start: usize) -> Option<usize> {
    let (end, digits, letters) = token(text, start, b"-_");
    ((4..=24).contains(&(digits + letters)) && digits >= 3 && ends(text, end)).then_some(end)
}
