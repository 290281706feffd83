//! A made-up value of each type, with words around it that say what it is.
//!
//! Not here: planting them and looking for them again (`super`).
//!
//! Always: a value depends on the bytes it is drawn from alone; where a range is reserved for
//! examples it lies in it, else it is put together by chance and holds its type's checksum; no
//! value stands in this file.

use super::super::check;
use super::sums;
use crate::stages::redact::Kind;

/// Type, words with the value between `‹` and `›`, and what must hold of it. `{d:3}` is three
/// digits; other classes in `class`; `{a|b}` one of the words; dates by their form.
pub type Row = (Kind, &'static str, fn(&str) -> bool);

fn any(_: &str) -> bool {
    true
}

pub const ROWS: &[Row] = &[
    (Kind::Email, "my email is ‹{l:6}.{l:7}{d:2}@{l:8}.example›", any),
    // Set apart by Ofcom for films.
    (Kind::Phone, "my phone number is ‹+44 20 7946 0{d:3}›", any),
    (
        Kind::Address,
        "My address is ‹{d19:1}{d:2} {Maple|Cedar|Walnut|Birch} {Street|Avenue|Lane}, Springfield, IL 627{d:2}›",
        any,
    ),
    (Kind::Postcode, "My zip code is ‹{d19:1}{d:4}›", any),
    // For tests between networks: RFC 2544.
    (Kind::Ip, "my IP address is ‹198.{18|19}.{d19:1}{d:1}.{d19:1}{d:1}›", any),
    // Bit 2 says that nobody sold it.
    (Kind::Mac, "the mac is ‹02:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}›", any),
    (Kind::Imei, "IMEI: ‹00{d:13}›", check::luhn),
    (Kind::Card, "my card number is ‹4{d:3} {d:4} {d:4} {d:4}›", check::luhn),
    (Kind::Iban, "my iban is ‹DE{d:2} {d:4} {d:4} {d:4} {d:4} {d:2}›", check::iban),
    (Kind::RoutingNumber, "routing number ‹0{d19:1}{d:7}›", sums::routing),
    (Kind::BankAccount, "account number: ‹{d19:1}{d:8}›", any),
    (Kind::Swift, "BIC: ‹{u:4}DE{u:2}{d:3}›", any),
    (Kind::SortCode, "sort code ‹{d:2}-{d:2}-{d:2}›", any),
    (Kind::Cvv, "CVV: ‹{d19:3}›", any),
    (Kind::CardExpiry, "card valid thru: ‹0{d19:1}/2{d19:1}›", any),
    (Kind::Pin, "my PIN is ‹{d19:4}›", any),
    (Kind::CryptoAddress, "my ETH wallet: ‹0x{hex:40}›", any),
    (Kind::Ssn, "my ssn is ‹{1|2|3|4|5}{d:2}-{d19:2}-{d19:4}›", any),
    (Kind::UsItin, "my ITIN is ‹9{d:2}-7{d:1}-{d:4}›", any),
    (Kind::UsNpi, "NPI: ‹1{d:9}›", sums::npi),
    (Kind::UsDea, "DEA number ‹{A|B|M}{u:1}{d:7}›", sums::dea),
    (Kind::UsMbi, "Medicare: ‹{d19:1}{E|G|H}{d:1}{d:1}-{T|U|V}{E|G|H}{d:1}-{M|N|P}{K|J|Q}{d:2}›", any),
    (Kind::UsDriverLicense, "my driver's license is ‹D{d19:1}{d:6}›", any),
    (Kind::UsPassport, "US passport number ‹{d19:1}{d:8}›", any),
    (Kind::UkNhs, "NHS number ‹{4|6|7}{d:2} {d:3} {d:4}›", sums::nhs),
    (Kind::UkNino, "NI number ‹{A|C|E|H|J|L|M|W}{A|B|C|E|H|J|L|M}{d:6}{A|B|C|D}›", any),
    (Kind::UkUtr, "UTR ‹{d:10}›", sums::utr),
    (Kind::UkDriverLicense, "DVLA driver number: ‹{u:5}{d19:1}0{d19:1}1{d19:1}{d19:1}{u:2}9{u:2}›", any),
    (Kind::UkPassport, "UK passport number ‹{d19:1}{d:8}›", any),
    (Kind::DeTaxId, "Steuer-ID: ‹{d19:1}{d:10}›", sums::tax_id),
    (Kind::DeSocialSecurity, "SV-Nummer ‹65{ddmmyy}{u:1}{d:2}{d:1}›", sums::rvnr),
    (Kind::DeHealthInsurance, "KVNR ‹{u:1}{d:9}›", sums::kvnr),
    (Kind::DeIdCard, "Personalausweisnummer: ‹L{d:2}{X|F|H|K}{d:2}{T|V|W}{d:2}{d:1}›", sums::icao),
    (Kind::EsNif, "DNI ‹{d:8}{u:1}›", check::dni),
    (Kind::EsNie, "NIE ‹{X|Y|Z}{d:7}{u:1}›", check::nie),
    (
        Kind::ItFiscalCode,
        "codice fiscale ‹{R|M|B}{S|T|L}{S|N|V}{M|R|L}{R|T|C}{A|N|T}{d:2}{A|B|C|D|E|H}{0|1}{d19:1}{H|F|D}{d19:3}{u:1}›",
        check::codice_fiscale,
    ),
    (Kind::PlPesel, "PESEL: ‹{yymmdd}{d:5}›", sums::pesel),
    (Kind::FiHetu, "hetu ‹{ddmmyy}-{d19:3}{b31:1}›", check::hetu),
    (Kind::SePersonnummer, "personnummer ‹{yyyymmdd}-{d:4}›", check::personnummer),
    (Kind::FrNir, "numéro de sécurité sociale : ‹{1|2} {d:2} 0{d19:1} {7|8}{1|2} {d19:3} {d19:3} {d:2}›", check::nir),
    (Kind::NlBsn, "BSN: ‹{1|2}{d:8}›", sums::bsn),
    (Kind::BeNationalNumber, "rijksregisternummer ‹{yy.mm.dd}-{d19:3}.{d:2}›", check::rijksregister),
    (Kind::PtNif, "NIF: ‹{1|2}{d:8}›", sums::pt_nif),
    (Kind::IePps, "PPS number ‹{d:7}{u:1}›", sums::pps),
    (Kind::DkCpr, "CPR: ‹{ddmmyy}-{1|2|3}{d:3}›", any),
    (Kind::NoFodselsnummer, "fødselsnummer ‹{ddmmyy}{1|2|3}{d:4}›", sums::fodselsnummer),
    (Kind::AtSocialSecurity, "SVNR ‹{d19:1}{d:3} {ddmmyy}›", sums::svnr),
    (Kind::CzBirthNumber, "rodné číslo ‹{yymmdd}/{d:4}›", check::rodne_cislo),
    (Kind::RoCnp, "CNP ‹{1|2}{yymmdd}{1|2|3}{d19:1}{d19:3}{d:1}›", sums::cnp),
    (Kind::GrAmka, "AMKA ‹{ddmmyy}{d:5}›", check::luhn),
    (Kind::ChAhv, "AHV ‹756.{d:4}.{d:4}.{d:2}›", check::ean13),
    (Kind::VatId, "VAT ‹DE{d19:1}{d:8}›", sums::iso_11_10),
    (Kind::InAadhaar, "Aadhaar: ‹{2|3|4|5|6|7|8|9}{d:3} {d:4} {d:4}›", check::verhoeff),
    (Kind::InPan, "PAN card ‹{u:3}P{u:1}{d19:4}{u:1}›", any),
    (Kind::InGstin, "GSTIN ‹{27|29|07}{u:3}P{u:1}{d19:4}{u:1}1Z{B36:1}›", check::gstin),
    (Kind::InVoter, "Voter ID ‹{u:3}{d:7}›", sums::epic),
    (Kind::AuTfn, "TFN ‹{d19:1}{d:2} {d:3} {d:3}›", sums::tfn),
    (Kind::AuAbn, "ABN ‹{d19:1}{d:1} {d:3} {d:3} {d:3}›", sums::abn),
    (Kind::AuAcn, "ACN ‹{d19:1}{d:2} {d:3} {d:3}›", sums::acn),
    (Kind::AuMedicare, "Medicare card no: ‹{2|3|4|5|6}{d:3} {d:5} {1|2}›", sums::medicare),
    (Kind::SgNric, "NRIC ‹{S|T}{d:7}{u:1}›", check::nric),
    (Kind::SgUen, "UEN ‹19{7|8|9}{d:1}{d:5}{u:1}›", sums::uen),
    (Kind::KrRrn, "주민등록번호 ‹{yymmdd}-{1|2}{d:6}›", check::rrn),
    (Kind::KrBrn, "사업자등록번호 ‹{d19:1}{d19:2}-{d19:2}-{d:5}›", sums::kr_business),
    (Kind::ThNationalId, "Thai ID ‹{1|2|3}-{d:4}-{d:5}-{d:2}-{d:1}›", check::thai),
    (Kind::PhTin, "my TIN is ‹{d19:3}-{d19:3}-{d19:3}-000›", any),
    (Kind::CnResidentId, "身份证号：‹110105{yyyymmdd}{d:3}{0|1|2|3|4|5|6|7|8|9|X}›", check::resident),
    (Kind::JpMyNumber, "My Number ‹{d19:1}{d:3} {d:4} {d:4}›", sums::my_number),
    (Kind::TwNationalId, "身分證字號：‹{u:1}{1|2}{d:8}›", sums::taiwan),
    (Kind::HkId, "HKID ‹{u:1}{d:6}({d:1})›", check::hkid),
    (Kind::MyNric, "MyKad: ‹{yymmdd}-0{1|2|3}-{d:4}›", any),
    (Kind::IdNik, "NIK: ‹317101{ddmmyy}00{d19:2}›", any),
    (Kind::CaSin, "SIN ‹{1|2|3|4|5|6|7}{d:2} {d:3} {d:3}›", check::luhn),
    (Kind::ZaId, "South African ID number: ‹{yymmdd}{d:4}08{d:1}›", check::luhn),
    (Kind::NgNin, "my NIN is ‹{d19:1}{d:10}›", check::verhoeff),
    (Kind::TrTckn, "TC Kimlik No: ‹{d19:1}{d:10}›", sums::tckn),
    (Kind::BrCpf, "CPF ‹{d:3}.{d:3}.{d:3}-{d:2}›", check::cpf),
    (Kind::BrCnpj, "CNPJ ‹{d:2}.{d:3}.{d:3}/0001-{d:2}›", check::cnpj),
    (
        Kind::MxCurp,
        "CURP: ‹{H|G|M}{E|A|O}{G|R|L}{G|M|P}{yymmdd}{H|M}{MC|DF|JC}{R|L|N}{R|L|N}{R|L|N}0{d:1}›",
        check::curp,
    ),
    (Kind::MxRfc, "R.F.C. ‹{H|G|M}{E|A|O}{G|R|L}{G|M|P}-{yymmdd}-{B36:2}{d:1}›", any),
    (Kind::ArCuit, "CUIT ‹20-{d19:1}{d:7}-{d:1}›", check::cuit),
    (Kind::ClRut, "RUT ‹1{d:1}.{d:3}.{d:3}-{d:1}›", check::rut),
    (Kind::IlId, "teudat zehut ‹{1|2|3}{d:8}›", check::luhn),
    (Kind::Passport, "passport number ‹C{d:2}X{d:2}T{d:2}›", any),
    (Kind::DriverLicense, "permis de conduire n° ‹{d19:12}›", any),
    (
        Kind::Mrz,
        "‹P<UTO{u:7}<<{u:5}<{u:6}<<<<<<<<<<<<<<<<<<\nL{d:3}X{d:4}{d:1}UTO7408122F1204159<<<<<<<<<<<<<<0{d:1}›",
        sums::mrz,
    ),
    (Kind::Vin, "VIN: ‹1HGCM{d19:3}{0|1|2|3|4|5|6|7|8|9|X}3A{d:6}›", sums::vin),
    (Kind::LicensePlate, "license plate: ‹{u:3} {d19:4}›", any),
    (Kind::DateOfBirth, "She was born on ‹{yyyy-mm-dd}›", any),
    (Kind::Age, "I am ‹{2|3|4|5|6}{d19:1}› years old", any),
    (Kind::Date, "on ‹{yyyy-mm-dd}›", any),
    (
        Kind::Person,
        "Hi, my name is ‹{Vel|Zyr|Oth|Bram|Kest}{mira|dan|elin|ovar} {Ost|Haver|Quill|Sand|Thorn}{endal|kamp|brook|erval}›",
        any,
    ),
    (Kind::Organization, "She works at ‹{Vel|Zyr|Oth|Bram|Kest}{mira|dan|elin|ovar} Systems› in town.", any),
    (Kind::Place, "We flew from ‹{Paris|Chicago|Vienna|Lisbon|Oslo|Boston}› to the coast.", any),
    (Kind::Nrp, "She is ‹{Norwegian|Peruvian|Catholic|Korean|Estonian|Bolivian}› by birth.", any),
    (Kind::Url, "my web page is ‹https://www.{l:9}.org/{l:6}› these days", any),
    (Kind::Username, "my username is ‹{l:6}_{l:3}{d:2}›", any),
    (Kind::AccountId, "customer ID: ‹C-{d19:8}›", any),
    (Kind::Geo, "location: ‹{4|5}{d:1}.{d19:5}, {1|2}{d:1}.{d19:5}›", any),
    (Kind::AwsKey, "my access key is ‹AKIA{b32:16}›", any),
    (Kind::GithubToken, "my token is ‹ghp_{b62:36}›", any),
    (Kind::OpenaiKey, "my key is ‹sk-proj-{b62:74}T3BlbkFJ{b62:74}›", any),
    (Kind::AnthropicKey, "my key is ‹sk-ant-api03-{b62:93}AA›", any),
    (Kind::SlackToken, "my token is ‹xoxb-{d19:12}-{d19:12}-{b62:24}›", any),
    (Kind::StripeKey, "my key is ‹sk_live_{b62:24}›", any),
    (Kind::Jwt, "my token is ‹eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{b62:20}.{b62:43}›", any),
    (
        Kind::PrivateKey,
        "‹-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC{b64:32}\n{b64:64}\n{b64:64}\n-----END PRIVATE KEY-----›",
        any,
    ),
    (Kind::ApiKey, "my key is ‹glpat-{b62:20}›", any),
    (Kind::Password, "my password is ‹{u:2}{b62:8}!{d:2}›", any),
    // Test vectors of BIP 39: nobody's wallet.
    (
        Kind::SeedPhrase,
        "my seed phrase: ‹{legal winner thank year wave sausage worth useful legal winner thank yellow|letter advice cage absurd amount doctor acoustic avoid letter advice cage above}›",
        any,
    ),
];

/// Chance out of a keyed hash: Marsaglia's xorshift64, seeded with it.
pub struct Draw(u64);

impl Draw {
    pub fn of(hash: blake3::Hash) -> Draw {
        let seed = hash.as_bytes()[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        // Of nothing but zeros nothing else comes.
        Draw(seed | 1)
    }

    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most.max(1)
    }
}

fn class(name: &str) -> &'static [u8] {
    const ALL: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";
    match name {
        "d" => &ALL[..10],
        "d19" => &ALL[1..10],
        "hex" => &ALL[..16],
        "l" => &ALL[10..36],
        "u" => &ALL[36..62],
        "b62" => &ALL[..62],
        "b64" => ALL,
        "b32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "B36" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        _ => b"0123456789ABCDEFHJKLMNPRSTUVWXY",
    }
}

fn fill(template: &str, draw: &mut Draw) -> String {
    let (mut out, mut rest) = (String::with_capacity(template.len() + 32), template);
    while let Some((before, more)) = rest.split_once('{') {
        out.push_str(before);
        let (form, after) = more.split_once('}').unwrap_or((more, ""));
        rest = after;
        match form {
            "yymmdd" | "ddmmyy" | "yy.mm.dd" | "yyyymmdd" | "yyyy-mm-dd" => out.push_str(&date(form, draw)),
            _ => match form.split_once(':') {
                Some((name, len)) => {
                    let letters = class(name);
                    (0..len.parse().unwrap_or(1))
                        .for_each(|_| out.push(char::from(letters[draw.below(letters.len())])));
                }
                None => {
                    let words: Vec<&str> = form.split('|').collect();
                    out.push_str(words[draw.below(words.len())]);
                }
            },
        }
    }
    out + rest
}

fn date(form: &str, draw: &mut Draw) -> String {
    let (year, month, day) = (1950 + draw.below(50), 1 + draw.below(12), 1 + draw.below(28));
    let short = year % 100;
    match form {
        "yymmdd" => format!("{short:02}{month:02}{day:02}"),
        "ddmmyy" => format!("{day:02}{month:02}{short:02}"),
        "yy.mm.dd" => format!("{short:02}.{month:02}.{day:02}"),
        "yyyymmdd" => format!("{year}{month:02}{day:02}"),
        _ => format!("{year}-{month:02}-{day:02}"),
    }
}

/// The words before the value, the value, and the words behind it.
pub fn made(row: &Row, draw: &mut Draw) -> (&'static str, String, &'static str) {
    const TRIES: usize = 20_000;
    let (_, text, holds) = row;
    let (before, rest) = text.split_once('‹').unwrap_or(("", text));
    let (form, after) = rest.split_once('›').unwrap_or((rest, ""));
    let mut value = fill(form, draw);
    for _ in 0..TRIES {
        if holds(&value) {
            break;
        }
        value = fill(form, draw);
    }
    (before, value, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_value_that_holds() {
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Custom) {
            let row = ROWS.iter().find(|row| row.0 == *kind).unwrap_or_else(|| panic!("{kind:?} has no canary"));
            let draw = |seed: &[u8]| made(row, &mut Draw::of(blake3::hash(seed))).1;
            assert!((row.2)(&draw(b"a")), "{kind:?} {}", draw(b"a"));
            assert_eq!(draw(b"a"), draw(b"a"));
            let few = matches!(kind, Kind::Place | Kind::SeedPhrase | Kind::Age | Kind::Organization | Kind::Nrp);
            assert!(few || draw(b"a") != draw(b"b"), "{kind:?}");
        }
    }
}
