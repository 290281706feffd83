//! What redaction writes in a text, and its laws: nothing found is left, a second redaction changes nothing.

use proptest::prelude::*;

use super::*;
use crate::stages::redact::disguise::Disguise;
use crate::stages::redact::pseudonym::mask_tokens;

pub(in super::super) fn redactor() -> Redactor {
    // Names depend on the words around; what follows is about values that stand for themselves.
    with_policy(&types(|kind| kind.group() != Group::Name && kind != Kind::Date))
}

fn types(wanted: fn(Kind) -> bool) -> String {
    let names: Vec<&str> = Kind::ALL.iter().filter(|kind| wanted(**kind)).map(|kind| kind.as_str()).collect();
    format!("types = {names:?}")
}

pub(in super::super) fn with_policy(toml: &str) -> Redactor {
    let key = ProjectKey::from_secret("a secret of good length").unwrap();
    let policy = Policy::new(&toml::from_str(toml).unwrap()).unwrap();
    Redactor::new(policy, &["US".to_owned(), "GB".to_owned()], None, &key, false).unwrap()
}

#[test]
fn a_name_goes_wherever_it_stands_as_a_word() {
    let redactor = with_policy("types = ['PERSON']");
    let mut findings = Vec::new();
    let text = "My name is Karen Miller. Millers mill. Is that all, KAREN MILLER? xKaren Millery";
    let redacted = redactor.redact_text(&String::new, text, &mut findings).unwrap();
    assert_eq!(redacted.matches("[PERSON:").count(), 2, "{redacted}");
    assert_eq!(findings[0].value_hash, findings[1].value_hash);
    assert!(redacted.ends_with("? xKaren Millery"), "{redacted}");
}

fn redact(text: &str) -> (String, Vec<Finding>) {
    let mut findings = Vec::new();
    let redacted = redactor().redact_text(&|| "field".to_owned(), text, &mut findings).unwrap().into_owned();
    (redacted, findings)
}

#[test]
fn replaces_and_records() {
    let text = "Jane <Jane@Example.com>, jane@example.com, (202) 555-0173.";
    let (redacted, findings) = redact(text);
    assert_eq!(mask_tokens(&redacted), "Jane <[EMAIL]>, [EMAIL], [PHONE].");
    assert_eq!(findings.len(), 3);
    assert_eq!(findings[0].value_hash, findings[1].value_hash);
    assert_eq!(&text[findings[2].start_byte as usize..findings[2].end_byte as usize], "(202) 555-0173");
    assert_eq!(findings[2].field, "field");
}

#[test]
fn nothing_found_costs_no_copy_and_no_path() {
    let mut findings = Vec::new();
    let text = "nothing to see here, 42 times";
    let redacted = redactor().redact_text(&|| panic!("not asked"), text, &mut findings).unwrap();
    assert!(matches!(redacted, Cow::Borrowed(same) if same == text));
}

#[test]
fn a_value_found_once_goes_everywhere() {
    let many: String = (10..40).map(|n| format!("u{n}@example.com xu{n}@example.community ")).collect();
    assert_eq!(redact(&many).1.len(), 60);
    let (redacted, findings) = redact("4111111111111111 and id4111111111111111x");
    assert_eq!(mask_tokens(&redacted), "[CARD] and id[CARD]x");
    assert_eq!(findings[1].rule, "repeat");
}

#[test]
fn what_a_replacement_lays_bare_is_found_too() {
    for text in [
        "ssn jane.with.a.very.long.address.indeed@example.com 123456789",
        "jane@example.com@example.org",
        "4111111111111111 4111111111111111 2025550173 2025550174",
    ] {
        let (redacted, _) = redact(text);
        assert_eq!(redact(&redacted).1, [], "{text}");
    }
}

pub(in super::super) fn piece() -> impl Strategy<Value = String> {
    let known = [
        "jane@example.com",
        "+1 202 555 0173",
        "(202) 555-0173",
        "4111 1111 1111 1111",
        "123-45-6789",
        "203.0.113.5",
        "2001:db8::1",
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "[EMAIL:k7f3a9q2]",
        "[SSN drop-message]",
        "2024-05-01",
        "March 12, 1984",
        "user-k7f3a9q2@example.com",
        "+1 202-555-0143",
        "4242424242424242",
        "born 1980-05-03",
        "DOB: 9/20/1968",
        "aged 34, ",
        "a 71-year-old",
        "12 High Street, Springfield, IL 62704",
        "London NW1 6XE",
        "40.712812, -74.006012",
        "NINO AB123456C",
        "111.444.777-35",
        "00:1b:44:11:3a:b7",
        "password: ",
        "account number: 12345678",
        "My name is Karen Miller",
        "Karen Miller",
        "Dear Alex Exampleton, ",
        "Peter",
        " in Paris. ",
        "amFuZUBleGFtcGxlLmNvbQ==",
        "%34%31%31%31 1111 1111 1111",
        "jane at example dot com",
        "ｊａｎｅ@example.com",
        "my card is 4111 1111\n1111 1111",
        "jane@exam\nple.com",
        "123-45-",
        "ssn",
        "phone",
        "version",
        "é",
        "입니다",
        "\u{a0}",
        "-----BEGIN PRIVATE KEY-----",
        "secret",
        "\\n",
        "\n",
        "jane\u{200b}@example.com",
        "ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "١٢٣-٤٥-٦٧٨٩",
        "jane%40example.com",
        "%2E",
        "j\\u0061ne\\u0040example.com",
        "jane\\_doe\\@example.com",
        "jane&#64;example&period;com",
        "&amp;",
        "amFuZUBleGFtcGxlLmNvbQ==",
        "YW1GdVpVQmxlR0Z0Y0d4bExtTnZiUT09",
        "6a616e65406578616d706c652e636f6d",
        "jane at example dot com",
        "[at]",
        " dot ",
        "jane@exam\nple.com",
        "123-45-\n6789",
        "card 4111 1111\n1111 1111",
        "GB82 WEST 1234\n5698 7654 32",
        "\u{ad}",
        "\u{2011}",
        "аео",
    ];
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        2 => "[0-9 .()/+-]{0,12}",
        1 => "[a-f0-9:@._\\[\\]]{0,10}",
        1 => "\\PC{0,6}",
        2 => "[ ,;\n\"']{1,2}",
    ]
}

pub(in super::super) const POLICIES: [&str; 10] = [
    "",
    "preset = 'strict'",
    "preset = 'gdpr'",
    "preset = 'hipaa-safe-harbor'",
    "preset = 'secrets-only'",
    "preset = 'dev'",
    "[actions]\ncontact = 'mask'\nPHONE = 'mask:4'\nfinance = 'hash'\nIP = 'generalise'\nsecret = 'drop-message'",
    "[actions]\nEMAIL = 'keep'\nPHONE = 'surrogate'\nCARD = 'surrogate'\nSSN = 'surrogate'\nIP = 'keep'",
    "[actions]\nDATE = 'date-shift'\nEMAIL = 'mask:2'\nIBAN = 'surrogate'\nIP = 'surrogate'\nPHONE = 'hash'",
    "min_score = 0.6\nallow = ['*.example.com']\n[[deny]]\nname = 'd'\nvalues = ['ssn', '입니다']",
];

fn by_policy(redactor: &Redactor, text: &str) -> (String, Vec<Finding>) {
    let mut findings = Vec::new();
    let redacted = redactor.redact_text(&|| "field".to_owned(), text, &mut findings).unwrap().into_owned();
    (redacted, findings)
}

#[test]
fn policies_write_what_they_say() {
    let text = "jane@corp.example, (202) 456-1414, 81.2.69.142, 4539578763621486, 123-45-6789";
    for (policy, expected) in [
        ("", "[EMAIL], [PHONE], [IP], [CARD], [SSN]"),
        ("preset = 'strict'", "[EMAIL], [PHONE], [IP], [CARD], [SSN]"),
        ("preset = 'hipaa-safe-harbor'", "[EMAIL], [PHONE], [IP], [CARD], [SSN]"),
        ("preset = 'secrets-only'", text),
        ("types = ['IP']\nactions = { IP = 'generalise' }", &text.replace("69.142", "69.0/24")),
        ("actions = { EMAIL = 'mask', network = 'keep' }", "****@****.*******, [PHONE], 81.2.69.142, [CARD], [SSN]"),
        ("min_score = 1.0", text),
        ("allow = ['*.corp.example', '123-45-6789']", "jane@corp.example, [PHONE], [IP], [CARD], 123-45-6789"),
    ] {
        let redactor = with_policy(policy);
        let (redacted, _) = by_policy(&redactor, text);
        assert_eq!(mask_tokens(&redacted), expected, "{policy}");
    }
}

#[test]
fn surrogates_look_real_and_are_left_alone() {
    let redactor = with_policy("preset = 'dev'");
    let text = "jane@corp.example, (202) 456-1414, 81.2.69.142, 4539578763621486, 123-45-6789";
    let (redacted, findings) = by_policy(&redactor, text);
    assert_eq!(findings.len(), 5);
    assert!(!redacted.contains('[') && redacted.contains("@example.") && redacted.contains("-555-01"), "{redacted}");
    assert_eq!(by_policy(&redactor, &redacted), (redacted.clone(), Vec::new()));
    let spelled = by_policy(&redactor, "JANE@corp.example and +1 202-456-1414").0;
    let parts: Vec<&str> = spelled.split(" and ").collect();
    assert!(parts.iter().all(|part| redacted.contains(part)), "{spelled} is not in {redacted}");
}

#[test]
fn a_disguise_changes_nothing_of_what_is_written() {
    let values = "jane@corp.example 4539578763621486 123-45-6789";
    let [mail, card, ssn] = [0, 1, 2].map(|n| values.split(' ').nth(n).unwrap());
    for policy in ["", "preset = 'dev'", "[actions]\nEMAIL = 'hash'\nCARD = 'hash'\nSSN = 'replace'"] {
        let redactor = with_policy(policy);
        let (plain, known) = by_policy(&redactor, values);
        let disguised = format!(
            "{} {} {}",
            Disguise::Base64.write(mail).0,
            Disguise::FullWidth.write(card).0,
            Disguise::Percent.write(ssn).0
        );
        let (redacted, findings) = by_policy(&redactor, &disguised);
        assert_eq!(redacted, plain, "{policy}");
        assert!(findings.iter().zip(known).all(|(one, other)| one.value_hash == other.value_hash));
    }
}

#[test]
fn what_is_allowed_or_kept_hides_nothing() {
    let blob = |text: &str| Disguise::Base64.write(text).0;
    let both = "mail jane@corp.example ssn 123-45-6789";
    for policy in ["allow = ['jane@corp.example']", "actions = { EMAIL = 'keep' }"] {
        let redactor = with_policy(policy);
        assert_eq!(mask_tokens(&by_policy(&redactor, &blob(both)).0), "[SSN]", "{policy}");
        assert_eq!(by_policy(&redactor, &blob("mail jane@corp.example")).1, [], "{policy}");
    }
    let deny = with_policy("[[deny]]\nname = 'd'\nvalues = ['blue heron']");
    let (redacted, findings) = by_policy(&deny, &format!("see {}.", blob("the blue heron")));
    assert_eq!((mask_tokens(&redacted).as_ref(), findings[0].rule), ("see [CUSTOM].", "d"));
}

#[test]
fn dates_move_in_their_own_form() {
    let redactor = with_policy("actions = { DATE = 'date-shift:3' }");
    let (redacted, findings) = by_policy(&redactor, "March 15, 2024 or 2024-03-19");
    let form = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(form(&redacted), "March 00, 0000 or 0000-00-00");
    assert_eq!(findings.len(), 2);
    assert_eq!(by_policy(&redactor, &redacted), (redacted.clone(), Vec::new()));
}

#[test]
fn what_stands_beside_a_surrogate_makes_no_new_value() {
    let redactor = with_policy("actions = { PHONE = 'surrogate', IP = 'generalise', CARD = 'surrogate' }");
    for text in [
        "4539578763621486 81.2.69.142",
        "81.2.69.142/8 and 81.2.69.142.5",
        "(202) 456-1414 12 (202) 456-1414 1",
        "4539 5787 6362 1486 4539 5787 6362 1486 202-456-1414",
    ] {
        let (redacted, _) = by_policy(&redactor, text);
        assert_eq!(by_policy(&redactor, &redacted).0, redacted, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacted_text_is_clean(pieces in proptest::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let (redacted, findings) = redact(&text);
        let mut last = 0;
        for finding in &findings {
            prop_assert!(finding.start_byte >= last && finding.start_byte < finding.end_byte);
            last = finding.end_byte;
            let value = text.get(finding.start_byte as usize..finding.end_byte as usize);
            let gone = value.is_some_and(|value| !redacted.contains(value) || !is_distinct(finding.kind, value));
            prop_assert!(gone, "{text:?} -> {redacted:?}");
        }
        prop_assert!(findings.is_empty() == (redacted == text));
        let (again, more) = redact(&redacted);
        prop_assert!(more.is_empty(), "{text:?} -> {redacted:?} -> {again:?}");
    }

    #[test]
    fn text_is_stable_under_every_policy(pieces in proptest::collection::vec(piece(), 0..12)) {
        static REDACTORS: std::sync::OnceLock<Vec<Redactor>> = std::sync::OnceLock::new();
        let text = pieces.concat();
        for (policy, redactor) in POLICIES.iter().zip(REDACTORS.get_or_init(|| POLICIES.map(with_policy).to_vec())) {
            let (redacted, findings) = by_policy(redactor, &text);
            let mut last = (0, 0);
            for finding in &findings {
                prop_assert!(finding.start_byte >= last.0 && finding.start_byte < finding.end_byte);
                let (start, end) = finding.output.unwrap();
                prop_assert!(start >= last.1 && start <= end);
                last = (finding.end_byte, end);
                let value = &text[finding.start_byte as usize..finding.end_byte as usize];
                let written = redacted.get(start as usize..end as usize);
                // A letter or two stand in the name of a type.
                let hidden = written.is_some_and(|written| value.len() < 3 || !written.contains(value));
                prop_assert!(hidden || finding.action.shows_part(), "{policy}: {text:?} -> {redacted:?}");
            }
            let (again, more) = by_policy(redactor, &redacted);
            prop_assert!(again == redacted, "{policy}: {text:?} -> {redacted:?} -> {again:?}");
            let kept = more.iter().all(|finding| finding.action == Action::Keep);
            prop_assert!(kept, "{policy}: {redacted:?} {more:?}");
        }
    }

    #[test]
    fn any_unicode_is_survived(text in "\\PC*") {
        redact(&text);
    }
}
