//! Names that the key they stand under gives away: `"patient": "Jane Doe"`, in JSON and in text.
//!
//! Not here: JSON that is read as such (`json` asks for one label at a time).
//!
//! Always: in text a value stands in quotes, as its key does, or fills the rest of its line; what is
//! read around a `:` is bounded.

use super::lexicon::{Case, Lexicon};
use super::words::hash_of;

const LABELS: [&str; 23] = [
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "givenname",
    "familyname",
    "middlename",
    "maidenname",
    "patient",
    "patientname",
    "customername",
    "clientname",
    "cardholder",
    "cardholdername",
    "employeename",
    "contactname",
    "recipientname",
    "passengername",
    "guestname",
    "beneficiary",
    "accountholder",
    "accountholdername",
    "contactperson",
];

const NAME_MAX_BYTES: usize = 64;
const KEY_MAX_BYTES: usize = 24;

/// Whether a value under this key is a name.
pub(super) fn is_name(label: &str, text: &str) -> bool {
    let label: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    LABELS.iter().any(|known| label.eq_ignore_ascii_case(known)) && is_like_name(text)
}

/// Up to five words with capitals, and short ones between them.
fn is_like_name(text: &str) -> bool {
    let word = |word: &str| {
        let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'));
        letters && word.starts_with(|c: char| c.is_uppercase() || c.is_lowercase() && word.chars().count() <= 3)
    };
    let words = text.split_whitespace();
    text.starts_with(char::is_uppercase) && words.clone().count() <= 5 && words.clone().all(word)
}

/// A key that only people have stands near in the same record: companies and products have names, too.
fn is_of_person(text: &str, at: usize) -> bool {
    const AROUND_BYTES: usize = 160;
    const KEYS: [&str; 9] =
        ["age", "dob", "date_of_birth", "dateofbirth", "birthdate", "gender", "ssn", "nationality", "marital_status"];
    let from = text.ceil_char_boundary(at.saturating_sub(AROUND_BYTES));
    let to = text.floor_char_boundary(at + AROUND_BYTES);
    let before = text[from..at].rfind(['{', '}']).map_or(from, |place| from + place);
    let after = text[at..to].find('}').map_or(to, |place| at + place);
    let mut keys = text[before..after].split(['"', '\'']).map(|key| key.trim_end_matches('\\'));
    keys.any(|key| KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)))
}

/// Where such values stand in a text, bytes, half-open.
pub(super) fn find(text: &str, lexicon: &Lexicon, mut found: impl FnMut(usize, usize)) {
    for colon in memchr::memchr_iter(b':', text.as_bytes()) {
        let Some((key, quote)) = key_before(text, colon) else { continue };
        let start = colon + 1 + text.as_bytes()[colon + 1..].iter().take(4).take_while(|byte| **byte == b' ').count();
        let rest = &text[start..];
        let (start, ends) = match quote {
            Some(quote) if rest.starts_with(quote) => (start + quote.len(), Some(quote)),
            None if start > colon + 1 => (start, None),
            _ => continue,
        };
        let rest = &text[start..text.floor_char_boundary(start + NAME_MAX_BYTES)];
        let end = match ends {
            Some(quote) => rest.find(quote),
            None => rest.find('\n').or((start + rest.len() == text.len()).then_some(rest.len())),
        };
        let Some(value) = end.map(|end| rest[..end].trim_end()) else { continue };
        let named = is_name(key, value)
            || key.eq_ignore_ascii_case("name") && quote.is_some() && is_like_name(value) && is_of_person(text, colon);
        if named && stands(value, lexicon) {
            found(start, start + value.len());
        }
    }
}

/// The key before a colon and the quote that ends it, `"`, `'` or `\"`. A bare key begins its line with
/// a capital, as forms do and code does not.
fn key_before(text: &str, colon: usize) -> Option<(&str, Option<&'static str>)> {
    let head = &text[..colon];
    let quote = ["\\\"", "\"", "'"].into_iter().find(|quote| head.ends_with(quote));
    let head = &head[..head.len() - quote.map_or(0, str::len)];
    let letters = |byte: &&u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b' ' | b'-');
    let len = head.as_bytes().iter().rev().take(KEY_MAX_BYTES + 1).take_while(letters).count();
    let (before, key) = head.split_at(head.len() - len);
    let begins = match quote {
        Some(quote) => before.ends_with(quote),
        None => key.starts_with(|c: char| c.is_ascii_uppercase()) && (before.is_empty() || before.ends_with('\n')),
    };
    (begins && (1..=KEY_MAX_BYTES).contains(&len)).then_some((key, quote))
}

/// More than the name of a type or of a field: `"firstName": "String"`.
fn stands(name: &str, lexicon: &Lexicon) -> bool {
    let common = |word: &str| {
        let entry = lexicon.entry(hash_of(&word.to_lowercase()));
        entry.first() + entry.last() == 0 && matches!(entry.case(), Case::Small | Case::Mixed)
    };
    !name.split_whitespace().all(common)
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    #[test]
    fn values_under_the_key_of_a_person_are_names() {
        assert!(is_name("first_name", "Xyqo"));
        assert!(is_name("patientName", "Anna van Dyk"));
        for (label, text) in [("name", "Xyqo"), ("patient", "see note 4"), ("first_name", "unknown"), ("patient", "")] {
            assert!(!is_name(label, text), "{label} {text}");
        }
    }

    #[test]
    fn keys_in_text() {
        for (text, names) in [
            (r#"{"first_name":"Kestelin","last_name": "Ostkamp", "n":1}"#, &["Kestelin", "Ostkamp"][..]),
            (r#"{\"patient\": \"Velovar Quillendal\", \"age\": 42}"#, &["Velovar Quillendal"]),
            ("{'guest_name': 'Xyqo Brandel'}", &["Xyqo Brandel"]),
            ("First name: Kestelin\nSurname: Ostkamp", &["Kestelin", "Ostkamp"]),
            ("Patient: Velovar Quillendal \nAge: 42", &["Velovar Quillendal"]),
            (r#"[{"name": "Bramelin Sandbrook", "gender": "f"}]"#, &["Bramelin Sandbrook"]),
            (r#"{"dob":"1971-02-03","name":"Xyqo"}"#, &["Xyqo"]),
            (r#"{"name": "Bramelin Tools", "phone": "1"}"#, &[]),
            (r#"[{"name": "Bramelin Tools"}, {"age": 4}]"#, &[]),
            ("{\"firstName\": \"String\"}", &[]),
            ("firstName: String\npatient: Patient", &[]),
            ("{\"title\": \"Velovar\"}", &[]),
            ("the patient: Velovar", &[]),
            ("Patient: the Velovar clinic called today\n", &[]),
            ("Surname: ", &[]),
        ] {
            let mut found = Vec::new();
            find(text, &built_in().unwrap().model.lexicon, |start, end| found.push(&text[start..end]));
            assert_eq!(found, names, "{text}");
        }
    }
}
