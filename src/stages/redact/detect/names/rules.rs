//! What the rules of names say of themselves: ids, versions, examples and look-alikes.
//!
//! Not here: how names are found.
//!
//! Always: each rule has texts in which it finds what is marked, and texts in which it finds nothing.

use crate::stages::redact::kind::Kind;
use crate::stages::redact::rule::Rule;

pub(super) const MODEL: Rule = Rule {
    id: "person.model",
    version: 1,
    kind: Kind::Person,
    country: "",
    score: 0.7,
    check: "a conditional random field over words, name lists and context; its probability is the score",
    context: &[],
    source: "models/ATTRIBUTION.md",
    finds: &[
        "Yesterday ‹Margaret Wilson› called about her invoice.",
        "Please ask Dr. ‹Peter Hoffmann› for the results.",
        "Best regards,\n‹Karen Miller›",
        "\"I am glad,\" said ‹Susan Clark›.",
    ],
    passes: &[
        "On Monday the Visa card was used in Paris.",
        "Alexa, play the next song. ChatGPT and Claude are assistants.",
        "fn main() { let GitHub = HashMap::new(); }",
        "/// Reads Parquet as Json.\npub fn read(file: &Parquet) -> Json {\n    Joiner::create(Mark)\n}",
        "Call `Parquet` or Json::Null of the HashMap<K, V>.",
        "How To Make Pancakes In Ten Minutes",
        "I will call you in May. Will you?",
    ],
};

pub(super) const CUE: Rule = Rule {
    id: "person.cue",
    version: 4,
    kind: Kind::Person,
    country: "",
    score: 0.9,
    check: "a phrase, label or title that stands before names; words that are mostly no names are left",
    context: &["my name is", "name:", "Mr", "Dear"],
    source: "gristmill",
    finds: &[
        "hi my name is ‹karen miller› and i need help",
        "Name: ‹Xyqo Brandl›",
        "send it to ‹karen›",
        "Mi chiamo ‹Lucia Ferrari›.",
        "Hi, my name is ‹Bramelin\nSandbrook›",
        "Hi, my name is ‹Bramelin S\nandbrook›, hello",
        "my name is ‹Karen›\nThanks",
        "my name is ‹Karen›\nBerlin, 5 May",
    ],
    passes: &[
        "my name is on the list",
        "The file name: report.pdf",
        "Dear customer, dear all",
        "Mr. and Mrs. were there",
        "send it to support, $5 to go, take it to Paris",
        "name: CI\n\non:\n  push:\n",
        "    - name: Build a binary wheel\n      run: make\n",
        "name: CI\n\non: [push, pull_request]\n",
    ],
};

pub(super) const ORGANIZATION_MODEL: Rule = Rule {
    id: "organization.model",
    version: 1,
    kind: Kind::Organization,
    country: "",
    score: 0.5,
    check: "as person.model",
    context: &[],
    source: "models/ATTRIBUTION.md",
    finds: &["She works at ‹Miller Systems› in Boston."],
    passes: &["Yesterday Margaret Wilson called about her invoice."],
};

pub(super) const PLACE_MODEL: Rule = Rule {
    id: "place.model",
    version: 1,
    kind: Kind::Place,
    country: "",
    score: 0.5,
    check: "as person.model",
    context: &[],
    source: "models/ATTRIBUTION.md",
    finds: &["We flew from ‹Paris› to ‹Chicago›."],
    passes: &["Yesterday Margaret Wilson called about her invoice."],
};

pub(super) const ORGANIZATION_CUE: Rule = Rule {
    id: "organization.cue",
    version: 1,
    kind: Kind::Organization,
    country: "",
    score: 0.6,
    check: "a word that ends or introduces the names of firms, or a line between a person and an address",
    context: &["Inc.", "GmbH", "works for"],
    source: "gristmill",
    finds: &["The parts are from ‹Xyqo Widgets Inc.›", "She works for ‹Brandl›.", "i called ‹firstpoint llc› today"],
    passes: &["We work for food. The company is good.", "a bank holiday", "in the group"],
};

pub(super) const PLACE_CUE: Rule = Rule {
    id: "place.cue",
    version: 1,
    kind: Kind::Place,
    country: "",
    score: 0.6,
    check: "a country, a word before that tells of places, or a line below a street",
    context: &["lives in", "moved to"],
    source: "gristmill",
    finds: &["He is originally from ‹Xyqoburg›.", "a hotel in ‹New Zealand›"],
    passes: &["We moved to a new house. I live in fear.", "I was born in May. Turkey sandwiches"],
};

pub(super) const POSTCODE_BLOCK: Rule = Rule {
    id: "postcode.block",
    version: 1,
    kind: Kind::Postcode,
    country: "",
    score: 0.5,
    check: "a number behind a town or country, or by itself, in the lines of an address",
    context: &["street", "apt", "phone"],
    source: "gristmill",
    finds: &["Karen Miller\nSuite 400\nXyqoburg\nHungary\n‹34796›"],
    passes: &["Karen Miller\nHungary 34796", "Tables\nOak 34796\nPine 34797"],
};

pub(super) const NATIONALITY_LIST: Rule = Rule {
    id: "nationality.list",
    version: 1,
    kind: Kind::Nrp,
    country: "",
    score: 0.6,
    check: "a closed list of nationalities, religions and political groups",
    context: &[],
    source: "gristmill",
    finds: &["She is ‹Hungarian› and a ‹Buddhist›."],
    passes: &["Please polish the table.", "Hungary is a country.", "the swede was boiled"],
};
