//! The kinds of personal data and secrets that `redact` knows.
//!
//! Not here: how they are found (`detect`) and what is written instead (`pseudonym`).
//!
//! Always: the name of a kind is upper-case ASCII, stands in data for ever and parses back.

/// What a kind is about; presets choose by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Reaches a person: e-mail, phone, address.
    Contact,
    /// Points at a device or a connection.
    Network,
    /// Money: cards, accounts.
    Finance,
    /// Issued to a person or a company by a state.
    Government,
    /// Vehicles and travel documents.
    Travel,
    /// Tells how old a person is.
    Birth,
    /// When something was, of nobody in particular.
    Date,
    /// Names a person, an organisation, a place, or a nationality, religion or political group (NRP).
    Name,
    /// Names an account at a service.
    Account,
    /// Where somebody is, to the metre.
    Location,
    /// Opens something: keys, tokens, passwords.
    Secret,
    /// What a pipeline's own list names.
    Custom,
}

impl Group {
    pub const ALL: [Group; 12] = [
        Group::Contact,
        Group::Network,
        Group::Finance,
        Group::Government,
        Group::Travel,
        Group::Birth,
        Group::Date,
        Group::Name,
        Group::Account,
        Group::Location,
        Group::Secret,
        Group::Custom,
    ];

    /// As pipeline files name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Group::Contact => "contact",
            Group::Network => "network",
            Group::Finance => "finance",
            Group::Government => "government",
            Group::Travel => "travel",
            Group::Birth => "birth",
            Group::Date => "date",
            Group::Name => "name",
            Group::Account => "account",
            Group::Location => "location",
            Group::Secret => "secret",
            Group::Custom => "custom",
        }
    }

    pub fn parse(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.as_str() == name)
    }
}

macro_rules! kinds {
    ($($variant:ident $name:literal $group:ident,)*) => {
        /// A closed set: a new kind needs a detector, a canonical form and tests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($variant,)* }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            pub const fn group(self) -> Group {
                match self { $(Kind::$variant => Group::$group,)* }
            }

            pub fn parse(name: &str) -> Option<Kind> {
                Some(match name { $($name => Kind::$variant,)* _ => return None })
            }
        }
    };
}

kinds! {
    Email "EMAIL" Contact,
    Phone "PHONE" Contact,
    Address "ADDRESS" Contact,
    Postcode "POSTCODE" Contact,
    Url "URL" Contact,
    Ip "IP" Network,
    Mac "MAC" Network,
    Imei "IMEI" Network,
    Card "CARD" Finance,
    Iban "IBAN" Finance,
    RoutingNumber "ROUTING_NUMBER" Finance,
    BankAccount "BANK_ACCOUNT" Finance,
    Swift "SWIFT" Finance,
    SortCode "SORT_CODE" Finance,
    Cvv "CVV" Finance,
    CardExpiry "CARD_EXPIRY" Finance,
    Pin "PIN" Finance,
    CryptoAddress "CRYPTO_ADDRESS" Finance,
    Ssn "SSN" Government,
    UsItin "US_ITIN" Government,
    UsNpi "US_NPI" Government,
    UsDea "US_DEA" Government,
    UsMbi "US_MBI" Government,
    UsDriverLicense "US_DRIVER_LICENSE" Government,
    UsPassport "US_PASSPORT" Travel,
    UkNhs "UK_NHS" Government,
    UkNino "UK_NINO" Government,
    UkUtr "UK_UTR" Government,
    UkDriverLicense "UK_DRIVER_LICENSE" Government,
    UkPassport "UK_PASSPORT" Travel,
    DeTaxId "DE_TAX_ID" Government,
    DeSocialSecurity "DE_SOCIAL_SECURITY" Government,
    DeHealthInsurance "DE_HEALTH_INSURANCE" Government,
    DeIdCard "DE_ID_CARD" Government,
    EsNif "ES_NIF" Government,
    EsNie "ES_NIE" Government,
    ItFiscalCode "IT_FISCAL_CODE" Government,
    PlPesel "PL_PESEL" Government,
    FiHetu "FI_HETU" Government,
    SePersonnummer "SE_PERSONNUMMER" Government,
    FrNir "FR_NIR" Government,
    NlBsn "NL_BSN" Government,
    BeNationalNumber "BE_NATIONAL_NUMBER" Government,
    PtNif "PT_NIF" Government,
    IePps "IE_PPS" Government,
    DkCpr "DK_CPR" Government,
    NoFodselsnummer "NO_FODSELSNUMMER" Government,
    AtSocialSecurity "AT_SOCIAL_SECURITY" Government,
    CzBirthNumber "CZ_BIRTH_NUMBER" Government,
    RoCnp "RO_CNP" Government,
    GrAmka "GR_AMKA" Government,
    ChAhv "CH_AHV" Government,
    VatId "VAT_ID" Government,
    InAadhaar "IN_AADHAAR" Government,
    InPan "IN_PAN" Government,
    InGstin "IN_GSTIN" Government,
    InVoter "IN_VOTER" Government,
    AuTfn "AU_TFN" Government,
    AuAbn "AU_ABN" Government,
    AuAcn "AU_ACN" Government,
    AuMedicare "AU_MEDICARE" Government,
    SgNric "SG_NRIC" Government,
    SgUen "SG_UEN" Government,
    KrRrn "KR_RRN" Government,
    KrBrn "KR_BRN" Government,
    ThNationalId "TH_NATIONAL_ID" Government,
    PhTin "PH_TIN" Government,
    CnResidentId "CN_RESIDENT_ID" Government,
    JpMyNumber "JP_MY_NUMBER" Government,
    TwNationalId "TW_NATIONAL_ID" Government,
    HkId "HK_ID" Government,
    MyNric "MY_NRIC" Government,
    IdNik "ID_NIK" Government,
    CaSin "CA_SIN" Government,
    ZaId "ZA_ID" Government,
    NgNin "NG_NIN" Government,
    TrTckn "TR_TCKN" Government,
    BrCpf "BR_CPF" Government,
    BrCnpj "BR_CNPJ" Government,
    MxCurp "MX_CURP" Government,
    MxRfc "MX_RFC" Government,
    ArCuit "AR_CUIT" Government,
    ClRut "CL_RUT" Government,
    IlId "IL_ID" Government,
    Passport "PASSPORT" Travel,
    DriverLicense "DRIVER_LICENSE" Government,
    Mrz "MRZ" Travel,
    Vin "VIN" Travel,
    LicensePlate "LICENSE_PLATE" Travel,
    DateOfBirth "DATE_OF_BIRTH" Birth,
    Age "AGE" Birth,
    Date "DATE" Date,
    Person "PERSON" Name,
    Organization "ORGANIZATION" Name,
    Place "PLACE" Name,
    Nrp "NRP" Name,
    Username "USERNAME" Account,
    AccountId "ACCOUNT_ID" Account,
    Geo "GEO" Location,
    AwsKey "AWS_KEY" Secret,
    GithubToken "GITHUB_TOKEN" Secret,
    OpenaiKey "OPENAI_KEY" Secret,
    AnthropicKey "ANTHROPIC_KEY" Secret,
    SlackToken "SLACK_TOKEN" Secret,
    StripeKey "STRIPE_KEY" Secret,
    Jwt "JWT" Secret,
    PrivateKey "PRIVATE_KEY" Secret,
    ApiKey "API_KEY" Secret,
    Password "PASSWORD" Secret,
    SeedPhrase "SEED_PHRASE" Secret,
    Custom "CUSTOM" Custom,
}

impl Kind {
    /// The longest name, in bytes.
    pub const NAME_MAX_BYTES: usize = {
        let (mut longest, mut at) = (0, 0);
        while at < Kind::ALL.len() {
            let len = Kind::ALL[at].as_str().len();
            if len > longest {
                longest = len;
            }
            at += 1;
        }
        longest
    };

    /// A credential, as opposed to data about a person.
    pub const fn is_secret(self) -> bool {
        matches!(self.group(), Group::Secret)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet([u64; 3]);

const _: () = assert!(Kind::ALL.len() <= 64 * 3);

impl KindSet {
    pub const fn all() -> KindSet {
        let (mut set, mut at) = (KindSet([0; 3]), 0);
        while at < Kind::ALL.len() {
            set.0[at / 64] |= 1 << (at % 64);
            at += 1;
        }
        set
    }

    pub const fn has(&self, kind: Kind) -> bool {
        self.0[kind as usize / 64] >> (kind as usize % 64) & 1 == 1
    }

    pub fn insert(&mut self, kind: Kind) {
        self.0[kind as usize / 64] |= 1 << (kind as usize % 64);
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> KindSet {
        let mut set = KindSet::default();
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            assert!(kind.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
        }
        assert_eq!(Kind::parse("email"), None);
    }

    #[test]
    fn sets_hold_what_they_are_given() {
        let set: KindSet = [Kind::Email, Kind::Custom].into_iter().collect();
        let held: Vec<_> = Kind::ALL.iter().filter(|kind| set.has(**kind)).collect();
        assert_eq!(held, [&Kind::Email, &Kind::Custom]);
        assert!(Kind::ALL.iter().all(|kind| KindSet::all().has(*kind)));
    }
}
