//! What a token classifier finds that the pipeline names: which types its labels mean, and rules
//! under which its entities stand in findings.
//!
//! Not here: the classifier (`crate::token_classifier`), which entity stays where another rule
//! found something, too (`detect::resolve`).
//!
//! Always: every label has a type, or is said to have none; a classifier that fails refuses the
//! text.

use std::sync::Arc;

use super::Span;
use crate::config;
use crate::stages::redact::kind::{Kind, KindSet};
use crate::stages::redact::refusal::Refusal;
use crate::stages::redact::rule::Rule;
use crate::token_classifier::TokenClassifier;

/// What a label is called that stands for nothing that is looked for.
const NONE: &str = "none";

const fn rule(id: &'static str, kind: Kind) -> Rule {
    Rule {
        id,
        version: 1,
        kind,
        country: "",
        score: 0.5,
        check: "an entity of the token classifier that [redact.model] names; its probability is the score",
        context: &[],
        source: "the pipeline's model, by its digest",
        finds: &[],
        passes: &[],
    }
}

/// One for each type that a label may mean.
pub(super) static RULES: [Rule; 26] = [
    rule("model.person", Kind::Person),
    rule("model.organization", Kind::Organization),
    rule("model.place", Kind::Place),
    rule("model.nrp", Kind::Nrp),
    rule("model.address", Kind::Address),
    rule("model.postcode", Kind::Postcode),
    rule("model.email", Kind::Email),
    rule("model.phone", Kind::Phone),
    rule("model.url", Kind::Url),
    rule("model.ip", Kind::Ip),
    rule("model.mac", Kind::Mac),
    rule("model.card", Kind::Card),
    rule("model.iban", Kind::Iban),
    rule("model.bank_account", Kind::BankAccount),
    rule("model.ssn", Kind::Ssn),
    rule("model.passport", Kind::Passport),
    rule("model.driver_license", Kind::DriverLicense),
    rule("model.license_plate", Kind::LicensePlate),
    rule("model.date_of_birth", Kind::DateOfBirth),
    rule("model.age", Kind::Age),
    rule("model.date", Kind::Date),
    rule("model.username", Kind::Username),
    rule("model.account_id", Kind::AccountId),
    rule("model.geo", Kind::Geo),
    rule("model.password", Kind::Password),
    rule("model.api_key", Kind::ApiKey),
];

/// Labels of published models, in small letters and without signs: CoNLL-2003 and OntoNotes 5,
/// openai/privacy-filter (`private_person`), ai4privacy and piiranha, StarPII.
const KNOWN: [(Option<Kind>, &[&str]); 24] = [
    (Some(Kind::Person), &["per", "person", "name", "givenname", "firstname", "surname", "lastname", "fullname"]),
    (Some(Kind::Organization), &["org", "organization", "organisation", "company", "corporation"]),
    (Some(Kind::Place), &["loc", "location", "place", "gpe", "fac", "city", "state", "country", "county"]),
    (Some(Kind::Nrp), &["norp", "nrp", "nationality"]),
    (Some(Kind::Address), &["address", "streetaddress", "street", "buildingnum", "secaddress"]),
    (Some(Kind::Postcode), &["zipcode", "zip", "postcode"]),
    (Some(Kind::Email), &["email", "emailaddress"]),
    (Some(Kind::Phone), &["phone", "phonenumber", "telephonenum", "telephone"]),
    (Some(Kind::Url), &["url"]),
    (Some(Kind::Ip), &["ip", "ipaddress"]),
    (Some(Kind::Mac), &["mac", "macaddress"]),
    (Some(Kind::Card), &["creditcard", "creditcardnumber"]),
    (Some(Kind::Iban), &["iban", "ibancode"]),
    (Some(Kind::Ssn), &["ssn", "socialnum", "usssn"]),
    (Some(Kind::Passport), &["passport", "passportnum", "passportnumber"]),
    (Some(Kind::DriverLicense), &["driverlicensenum", "driverlicense"]),
    (Some(Kind::DateOfBirth), &["dateofbirth", "dob"]),
    (Some(Kind::Age), &["age"]),
    (Some(Kind::Date), &["date", "datetime"]),
    (Some(Kind::Username), &["username"]),
    // Numbers of documents and files that no type of its own fits.
    (Some(Kind::AccountId), &["account", "accountnum", "accountnumber", "idcardnum", "taxnum"]),
    (Some(Kind::Password), &["password"]),
    (Some(Kind::ApiKey), &["secret", "key", "apikey"]),
    (
        None,
        &[
            "misc",
            "cardinal",
            "ordinal",
            "quantity",
            "percent",
            "money",
            "time",
            "event",
            "law",
            "language",
            "product",
            "workofart",
            "title",
            "gender",
            "sex",
            "ambiguous",
        ],
    ),
];

/// A classifier and what its entities are. Immutable: one for all threads.
#[derive(Debug)]
pub struct Model {
    classifier: Arc<TokenClassifier>,
    /// By type of the classifier.
    rules: Vec<Option<&'static Rule>>,
    min_score: f32,
}

/// Whether what the pipeline says makes sense, without a look into the model's folder.
pub fn check(config: &config::Model) -> Result<(), String> {
    if cfg!(not(feature = "onnx")) {
        return Err(crate::token_classifier::MISSING.to_owned());
    }
    let digests = [("digest", Some(&config.digest)), ("runtime_digest", config.runtime_digest.as_ref())];
    for (key, digest) in digests {
        let is_digest = |text: &String| {
            let hex = text.strip_prefix("blake3:").unwrap_or_default();
            (1..=64).contains(&hex.len()) && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !digest.is_none_or(is_digest) {
            return Err(format!(
                "redact.model.{key} is not blake3: and at most 64 hexadecimal digits in small letters"
            ));
        }
    }
    if !(0.0..=1.0).contains(&config.min_score) {
        return Err(format!("redact.model.min_score is {}, expected 0 to 1", config.min_score));
    }
    let (window, overlap) = (config.window_tokens, config.overlap_tokens);
    if !(16..=1 << 17).contains(&window) || overlap > window / 2 {
        return Err(format!(
            "redact.model.window_tokens is {window}, expected 16 to 131072, and overlap_tokens is {overlap}, \
             expected at most half of it"
        ));
    }
    if !(1..=1024).contains(&config.sessions) {
        return Err(format!("redact.model.sessions is {}, expected 1 to 1024", config.sessions));
    }
    config.labels.iter().try_for_each(|(label, name)| named(label, name).map(|_| ()))
}

impl Model {
    pub fn open(config: &config::Model) -> Result<Model, String> {
        check(config)?;
        Model::of(TokenClassifier::open(config)?, config)
    }

    /// The error names a label that has no type.
    pub fn of(classifier: Arc<TokenClassifier>, config: &config::Model) -> Result<Model, String> {
        if let Some(label) = config.labels.keys().find(|label| !classifier.types().contains(label)) {
            let known = classifier.types().join(", ");
            return Err(format!("redact.model.labels.{label}: the model has no such label; it has {known}"));
        }
        let rule = |label: &String| match config.labels.get(label) {
            Some(name) => named(label, name),
            None => known(label),
        };
        let rules = classifier.types().iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Model { rules, min_score: config.min_score as f32, classifier })
    }

    /// Adds the entities of the wanted kinds.
    pub(super) fn find(&self, text: &str, wanted: &KindSet, out: &mut Vec<Span>) -> Result<(), Refusal> {
        if !self.rules.iter().flatten().any(|rule| wanted.has(rule.kind)) {
            return Ok(());
        }
        for entity in self.classifier.classify(text).map_err(|_| Refusal::ModelFailed)? {
            let Some(rule) = self.rules[entity.kind].filter(|rule| wanted.has(rule.kind)) else { continue };
            if entity.score >= self.min_score {
                out.push(Span { score: entity.score, ..rule.at(entity.place.start, entity.place.end) });
            }
        }
        Ok(())
    }
}

/// What a pipeline file says that a label means.
fn named(label: &str, name: &str) -> Result<Option<&'static Rule>, String> {
    if name == NONE {
        return Ok(None);
    }
    RULES.iter().find(|rule| rule.kind.as_str() == name).map(Some).ok_or_else(|| {
        let all: Vec<&str> = RULES.iter().map(|rule| rule.kind.as_str()).collect();
        format!("redact.model.labels.{label} is {name:?}, expected {NONE} or one of {}", all.join(", "))
    })
}

fn known(label: &str) -> Result<Option<&'static Rule>, String> {
    let plain: String = label.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let plain = plain.strip_prefix("private").unwrap_or(&plain);
    let kind = KNOWN.iter().find(|(_, labels)| labels.contains(&plain)).map(|(kind, _)| *kind);
    match kind {
        Some(kind) => Ok(kind.and_then(|kind| RULES.iter().find(|rule| rule.kind == kind))),
        None => Err(format!(
            "redact.model.labels: the model's label {label:?} is not known; say which type it means, or {NONE:?}"
        )),
    }
}

#[cfg(test)]
pub(in crate::stages::redact) mod tests {
    use super::*;
    use crate::token_classifier::testing::classifier;

    /// A model that holds these words for names of people; see [`classifier`].
    pub(in crate::stages::redact) fn model(words: &[&str]) -> Model {
        Model::of(Arc::new(classifier(words)), &config("")).unwrap()
    }

    fn config(more: &str) -> config::Model {
        let digest = "0".repeat(64);
        toml::from_str(&format!("path = 'x'\ndigest = 'blake3:{digest}'\n{more}")).unwrap()
    }

    #[test]
    fn labels_of_published_models_are_known() {
        for (label, kind) in [
            ("PER", Some(Kind::Person)),
            ("private_person", Some(Kind::Person)),
            ("GIVENNAME", Some(Kind::Person)),
            ("private_address", Some(Kind::Address)),
            ("account_number", Some(Kind::AccountId)),
            ("secret", Some(Kind::ApiKey)),
            ("WORK_OF_ART", None),
            ("MISC", None),
        ] {
            assert_eq!(known(label).unwrap().map(|rule| rule.kind), kind, "{label}");
        }
        assert!(known("FOO").err().unwrap().contains("\"FOO\" is not known"));
        for (kind, labels) in KNOWN {
            assert!(kind.is_none_or(|kind| RULES.iter().any(|rule| rule.kind == kind)), "{labels:?}");
        }
    }

    #[test]
    fn a_pipeline_says_what_labels_mean() {
        let of = |labels: &str| {
            Model::of(Arc::new(classifier(&["Xyqo"])), &config(labels)).map(|model| {
                let mut spans = Vec::new();
                model.find("Xyqo", &KindSet::all(), &mut spans).unwrap();
                spans.first().map(|span| (span.kind, span.rule))
            })
        };
        assert_eq!(of("").unwrap(), Some((Kind::Person, "model.person")));
        assert_eq!(of("labels = { PER = 'USERNAME' }").unwrap(), Some((Kind::Username, "model.username")));
        assert_eq!(of("labels = { PER = 'none' }").unwrap(), None);
        assert_eq!(of("min_score = 1.0").unwrap(), None);
        assert!(of("labels = { PER = 'SEED_PHRASE' }").err().unwrap().contains("redact.model.labels.PER"));
        assert!(of("labels = { ORG = 'none' }").err().unwrap().contains("it has PER"));
    }

    #[test]
    fn a_model_that_fails_refuses_the_text() {
        let mut spans = Vec::new();
        assert_eq!(model(&["Xyqo"]).find("fail", &KindSet::all(), &mut spans), Err(Refusal::ModelFailed));
        let none = [Kind::Email].into_iter().collect();
        assert_eq!(model(&["Xyqo"]).find("fail", &none, &mut spans), Ok(()), "not asked");
    }

    #[test]
    fn settings_that_make_no_sense_name_their_key() {
        for (toml, key) in [
            ("min_score = 2.0", "redact.model.min_score"),
            ("window_tokens = 8", "redact.model.window_tokens"),
            ("overlap_tokens = 400", "overlap_tokens"),
            ("sessions = 0", "redact.model.sessions"),
            ("runtime_digest = 'sha256:0'", "redact.model.runtime_digest"),
            ("labels = { X = 'person' }", "redact.model.labels.X"),
        ] {
            let error = check(&config(toml)).err().unwrap();
            let expected = if cfg!(feature = "onnx") { key } else { "--features onnx" };
            assert!(error.contains(expected), "{toml}: {error}");
        }
        assert_eq!(check(&config("")).is_ok(), cfg!(feature = "onnx"));
    }
}
