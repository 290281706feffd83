//! The table of labelled kinds: rule, labels, how the label is tied to its value, shape of the value.
//!
//! Not here: reading labels (the parent), shapes (`shape`).
//!
//! Always: labels are lower case, single spaces, without `number` at the end; one label may stand
//! in several rows, and then the shapes differ.

use super::super::{Kind, Rule};
use super::Tie;
use super::shape;

#[derive(Debug)]
pub(super) struct Row {
    pub(super) rule: &'static Rule,
    pub(super) labels: &'static [&'static str],
    /// The weakest tie that will do.
    pub(super) tie: Tie,
    pub(super) value: fn(&str, usize) -> Option<usize>,
}

pub(in super::super) static RULES: [&Rule; 15] = [
    &ACCOUNT,
    &ROUTING,
    &SWIFT,
    &SORT_CODE,
    &CVV,
    &EXPIRY,
    &PIN,
    &IMEI,
    &PASSPORT,
    &LICENCE,
    &PLATE,
    &USERNAME,
    &HANDLE,
    &ACCOUNT_ID,
    &VIN,
];

pub(super) static ROWS: [Row; 15] = [
    Row { rule: &ACCOUNT, labels: ACCOUNTS, tie: Tie::Number, value: shape::account },
    Row { rule: &ROUTING, labels: ROUTINGS, tie: Tie::Bare, value: shape::routing },
    Row { rule: &SWIFT, labels: SWIFTS, tie: Tie::Bare, value: shape::bic },
    Row { rule: &SORT_CODE, labels: SORT_CODES, tie: Tie::Bare, value: shape::sort_code },
    Row { rule: &CVV, labels: CVVS, tie: Tie::Bare, value: shape::cvv },
    Row { rule: &EXPIRY, labels: EXPIRIES, tie: Tie::Bare, value: shape::expiry },
    Row { rule: &PIN, labels: PINS, tie: Tie::Told, value: shape::pin },
    Row { rule: &IMEI, labels: &["imei", "imei1", "imei2", "imei code"], tie: Tie::Bare, value: shape::imei },
    Row { rule: &PASSPORT, labels: PASSPORTS, tie: Tie::Bare, value: shape::passport },
    Row { rule: &LICENCE, labels: LICENCES, tie: Tie::Bare, value: shape::licence },
    Row { rule: &PLATE, labels: PLATES, tie: Tie::Bare, value: shape::plate },
    Row { rule: &USERNAME, labels: USERNAMES, tie: Tie::Told, value: shape::username },
    Row { rule: &HANDLE, labels: HANDLES, tie: Tie::Told, value: shape::handle },
    Row { rule: &ACCOUNT_ID, labels: IDS, tie: Tie::Bare, value: shape::id },
    Row {
        rule: &VIN,
        labels: &["vin", "vehicle identification", "chassis", "fahrgestellnummer", "fin", "bastidor", "telaio"],
        tie: Tie::Bare,
        value: super::super::vehicle::vin_shape,
    },
];

const ACCOUNTS: &[&str] = &[
    "account",
    "acct",
    "bank account",
    "checking account",
    "savings account",
    "a c",
    "konto",
    "kontonummer",
    "bankkonto",
    "compte",
    "compte bancaire",
    "cuenta",
    "cuenta bancaria",
    "conto",
    "conto corrente",
    "rekening",
    "rekeningnummer",
    "bankrekening",
    "conta",
    "conta corrente",
    "conta bancária",
];
const ROUTINGS: &[&str] =
    &["routing", "aba", "aba routing", "rtn", "routing code", "aba code", "transit", "routing transit"];
const SWIFTS: &[&str] = &[
    "swift",
    "bic",
    "swift code",
    "bic code",
    "swift bic",
    "bic swift",
    "code swift",
    "código swift",
    "codice swift",
    "codice bic",
    "código bic",
];
const SORT_CODES: &[&str] = &["sort code", "sortcode", "bank sort code"];
const CVVS: &[&str] = &[
    "cvv",
    "cvc",
    "cvv2",
    "cvc2",
    "cvv code",
    "cvc code",
    "card verification",
    "card verification value",
    "card security code",
    "security code",
    "prüfziffer",
    "kartenprüfnummer",
    "cryptogramme",
    "código de seguridad",
    "codice di sicurezza",
    "código de segurança",
    "beveiligingscode",
];
const EXPIRIES: &[&str] = &[
    "exp",
    "expiry",
    "expires",
    "exp date",
    "expiry date",
    "expiration date",
    "expiration",
    "card expiry",
    "valid thru",
    "valid through",
    "expires on",
    "gültig bis",
    "expire le",
    "date d'expiration",
    "date dexpiration",
    "caduca",
    "caducidad",
    "fecha de caducidad",
    "scadenza",
    "data di scadenza",
    "validade",
    "geldig tot",
    "vervaldatum",
];
const PINS: &[&str] = &[
    "pin",
    "my pin",
    "card pin",
    "atm pin",
    "pin code",
    "personal identification",
    "geheimzahl",
    "code pin",
    "code secret",
    "código pin",
    "codice pin",
    "pincode",
];
const PASSPORTS: &[&str] = &[
    "passport",
    "passport id",
    "reisepass",
    "reisepassnummer",
    "passnummer",
    "passeport",
    "pasaporte",
    "passaporto",
    "paspoort",
    "paspoortnummer",
    "passaporte",
];
const LICENCES: &[&str] = &[
    "driver license",
    "drivers license",
    "driver licence",
    "drivers licence",
    "driving licence",
    "driving license",
    "dl",
    "license id",
    "führerschein",
    "führerscheinnummer",
    "permis de conduire",
    "carnet de conducir",
    "licencia de conducir",
    "permiso de conducir",
    "patente",
    "patente di guida",
    "rijbewijs",
    "rijbewijsnummer",
    "carta de condução",
];
const PLATES: &[&str] = &[
    "license plate",
    "licence plate",
    "plate",
    "number plate",
    "car registration",
    "vehicle registration",
    "registration plate",
    "kennzeichen",
    "nummernschild",
    "plaque d'immatriculation",
    "plaque dimmatriculation",
    "immatriculation",
    "matrícula",
    "targa",
    "kenteken",
    "placa",
];
const USERNAMES: &[&str] = &[
    "username",
    "user name",
    "login",
    "login name",
    "screen name",
    "screenname",
    "nickname",
    "benutzername",
    "nutzername",
    "nom d'utilisateur",
    "nom dutilisateur",
    "identifiant",
    "nombre de usuario",
    "usuario",
    "nome utente",
    "gebruikersnaam",
    "nome de usuário",
    "nome de utilizador",
    "usuário",
    "account name",
    "gamertag",
    "skype",
    "skype id",
];
const HANDLES: &[&str] =
    &["handle", "telegram", "instagram", "twitter", "snapchat", "discord", "tiktok", "insta", "twitter handle", "ig"];
const IDS: &[&str] = &[
    "user id",
    "userid",
    "customer",
    "customer id",
    "member",
    "member id",
    "membership",
    "membership id",
    "account id",
    "employee id",
    "employee",
    "patient id",
    "patient",
    "student id",
    "student",
    "mrn",
    "medical record",
    "policy",
    "insurance policy",
    "loyalty",
    "frequent flyer",
    "kundennummer",
    "kundennr",
    "mitgliedsnummer",
    "personalnummer",
    "patientennummer",
    "versichertennummer",
    "numéro client",
    "client",
    "número de cliente",
    "cliente",
    "codice cliente",
    "klantnummer",
    "lidnummer",
    "código de cliente",
    "order account",
    "subscriber id",
    "passenger id",
];

const BASE: Rule = Rule {
    id: "",
    version: 1,
    kind: Kind::AccountId,
    country: "",
    // Above a phone behind `number is`: the label says more.
    score: 0.92,
    check: "a label and the shape of such a value",
    context: &[],
    source: "AWS Comprehend, PII types; Google Sensitive Data Protection, infoTypes",
    finds: &[],
    passes: &[],
};

const ACCOUNT: Rule = Rule {
    id: "bank_account.labelled",
    kind: Kind::BankAccount,
    context: ACCOUNTS,
    finds: &[
        "account number: ‹12345678›",
        r#""accountNumber": "‹0011 2233 44›""#,
        "Kontonummer ist ‹12345678›",
        "acct #‹900112233›",
    ],
    passes: &["account 12345678", "account: 3 users", "account balance is 12345678", "account number: 12.50"],
    ..BASE
};

const ROUTING: Rule = Rule {
    id: "routing_number.aba",
    kind: Kind::RoutingNumber,
    country: "US",
    score: 0.9,
    check: "weights 3, 7, 1 and a Federal Reserve district",
    context: ROUTINGS,
    source: "American Bankers Association, routing number policy",
    finds: &["routing number ‹021000021›", "ABA: ‹011000015›"],
    passes: &["routing number 021000022", "021000021", "ABA: 999999992"],
    ..BASE
};

const SWIFT: Rule = Rule {
    id: "swift.labelled",
    kind: Kind::Swift,
    score: 0.85,
    check: "eight or eleven characters, a country at the fifth",
    context: SWIFTS,
    source: "ISO 9362",
    finds: &["BIC: ‹DEUTDEFF500›", "SWIFT code is ‹NEDSZAJJ›"],
    passes: &["DEUTDEFF500", "SWIFT: PROGRAMS", "BIC: DEUTXXFF"],
    ..BASE
};

const SORT_CODE: Rule = Rule {
    id: "sort_code.labelled",
    kind: Kind::SortCode,
    country: "GB",
    score: 0.85,
    check: "a label and six digits",
    context: SORT_CODES,
    source: "Pay.UK",
    finds: &["sort code ‹20-00-00›", "Sort Code: ‹200000›"],
    passes: &["20-00-00", "sort code 5", "sort code by 200000"],
    ..BASE
};

const CVV: Rule = Rule {
    id: "cvv.labelled",
    kind: Kind::Cvv,
    score: 0.85,
    context: CVVS,
    source: "ISO/IEC 7813",
    finds: &["CVV: ‹123›", "security code is ‹4321›", r#"{"cvc":"‹987›"}"#],
    passes: &["cvv 12", "CVV: 12345", "security code: 1.234"],
    ..BASE
};

const EXPIRY: Rule = Rule {
    id: "card_expiry.labelled",
    kind: Kind::CardExpiry,
    score: 0.7,
    check: "a label, a month and a year",
    context: EXPIRIES,
    source: "ISO/IEC 7813",
    finds: &["exp ‹12/26›", "valid thru: ‹01/2029›"],
    passes: &["12/26", "expires 13/26", "expires 12/26/2024"],
    ..BASE
};

const PIN: Rule = Rule {
    id: "pin.labelled",
    kind: Kind::Pin,
    context: PINS,
    source: "ISO 9564",
    finds: &["my PIN is ‹4821›", "pin: ‹123456›"],
    passes: &["pin 4821", "pin: 13", "pin = 4.50", "pinned: 4821"],
    ..BASE
};

const IMEI: Rule = Rule {
    id: "imei.luhn",
    kind: Kind::Imei,
    score: 0.95,
    check: "fifteen digits, Luhn, a label",
    source: "3GPP TS 23.003",
    finds: &["IMEI: ‹490154203237518›", "imei ‹49-015420-323751-8›"],
    passes: &["490154203237518", "IMEI: 490154203237519", "imei 000000000000000"],
    ..BASE
};

const PASSPORT: Rule = Rule {
    id: "passport.labelled",
    kind: Kind::Passport,
    context: PASSPORTS,
    check: "a label and six to nine characters, four of them digits",
    source: "ICAO Doc 9303",
    finds: &[
        "passport number ‹C01X00T47›",
        "Reisepassnummer: ‹C01X0006H›",
        "pasaporte ‹AAA123456›",
        "my passport is ‹561234567›",
    ],
    passes: &["passport to 123456789", "passport.js 4", "passport expires 2031", "passport control 1234"],
    ..BASE
};

const LICENCE: Rule = Rule {
    id: "driver_license.near_label",
    kind: Kind::DriverLicense,
    context: LICENCES,
    check: "a label and five to eighteen characters, four of them digits",
    source: "AAMVA DL/ID card design standard; ISO/IEC 18013",
    finds: &["permis de conduire: ‹123456789012›"],
    passes: &["license 1234567", "driver's license costs 5000", "dl 12"],
    ..BASE
};

const PLATE: Rule = Rule {
    id: "license_plate.labelled",
    kind: Kind::LicensePlate,
    context: PLATES,
    check: "a label and four to nine upper-case letters and digits, both",
    source: "UN Convention on Road Traffic, annex 2",
    finds: &["license plate: ‹ABC 1234›", "Kennzeichen: ‹B-MW 1234›", "number plate is ‹AB12 CDE›"],
    passes: &["plate 4", "plate tectonics 2020", "license plate: 1234567"],
    ..BASE
};

const USERNAME: Rule = Rule {
    id: "username.labelled",
    version: 2,
    kind: Kind::Username,
    score: 0.6,
    context: USERNAMES,
    finds: &["username: ‹jane_doe77›", r#"{"login": "‹jdoe›"}"#, "my username is ‹jane_d›"],
    passes: &[
        "username: admin",
        "username = get_name()",
        "the username is required",
        "login = request.form",
        "username: string",
        ".fa-user:before {",
    ],
    ..BASE
};

const HANDLE: Rule = Rule {
    id: "username.handle",
    version: 2,
    kind: Kind::Username,
    score: 0.6,
    context: HANDLES,
    finds: &["my twitter is ‹@jane_doe›", "Telegram: ‹@jdoe99›", "instagram: ‹jane_doe_77›"],
    passes: &["@media", "twitter: great site", "discord is down", "handle: error"],
    ..BASE
};

const ACCOUNT_ID: Rule = Rule {
    id: "account_id.labelled",
    context: IDS,
    check: "a label and four characters or more, three of them digits",
    finds: &[
        "customer ID: ‹C-10293847›",
        "Kundennummer ‹4711081›",
        "member number ‹99887766›",
        "policy no. ‹HX-204511›",
    ],
    passes: &[
        "user id: 7",
        "customer 12",
        "customer service 2020",
        "policy: 3.14",
        "\"AWS::SQS::QueuePolicy\": \"8d0c3b8154e71ff3\"",
        "V_FLAG_NOTIFY_POLICY 0x800",
    ],
    version: 2,
    ..BASE
};

const VIN: Rule = Rule {
    id: "vin.labelled",
    kind: Kind::Vin,
    score: 0.8,
    check: "a label, seventeen characters without I, O and Q, letters and digits",
    source: "ISO 3779",
    finds: &["VIN: ‹WVWZZZ1JZ3W386752›"],
    passes: &["WVWZZZ1JZ3W386752", "VIN: WVWZZZ1JZ3W38675", "VIN: IVWZZZ1JZ3W386752"],
    ..BASE
};
