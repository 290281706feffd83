//! The kinds of personal data and secrets that `redact` knows.
//!
//! Not here: how they are found (`detect`) and what is written instead (`pseudonym`).
//!
//! Always: the name of a kind is upper-case ASCII, stands in data for ever and parses back.

/// A closed set: a new kind needs a detector, a canonical form and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Email,
    Phone,
    Ip,
    Card,
    Ssn,
    Iban,
    AwsKey,
    GithubToken,
    OpenaiKey,
    AnthropicKey,
    SlackToken,
    StripeKey,
    Jwt,
    PrivateKey,
}

impl Kind {
    pub const ALL: [Kind; 14] = [
        Kind::Email,
        Kind::Phone,
        Kind::Ip,
        Kind::Card,
        Kind::Ssn,
        Kind::Iban,
        Kind::AwsKey,
        Kind::GithubToken,
        Kind::OpenaiKey,
        Kind::AnthropicKey,
        Kind::SlackToken,
        Kind::StripeKey,
        Kind::Jwt,
        Kind::PrivateKey,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Email => "EMAIL",
            Kind::Phone => "PHONE",
            Kind::Ip => "IP",
            Kind::Card => "CARD",
            Kind::Ssn => "SSN",
            Kind::Iban => "IBAN",
            Kind::AwsKey => "AWS_KEY",
            Kind::GithubToken => "GITHUB_TOKEN",
            Kind::OpenaiKey => "OPENAI_KEY",
            Kind::AnthropicKey => "ANTHROPIC_KEY",
            Kind::SlackToken => "SLACK_TOKEN",
            Kind::StripeKey => "STRIPE_KEY",
            Kind::Jwt => "JWT",
            Kind::PrivateKey => "PRIVATE_KEY",
        }
    }

    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// A credential, as opposed to data about a person.
    pub const fn is_secret(self) -> bool {
        !matches!(self, Kind::Email | Kind::Phone | Kind::Ip | Kind::Card | Kind::Ssn | Kind::Iban)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("email"), None);
        assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_secret()).count(), 8);
    }
}
