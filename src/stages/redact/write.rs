//! Writes what stands in place of a finding, as the policy wants it.
//!
//! Not here: which action a type has (`policy`), where in a text it is written (`text`).
//!
//! Always: the same value in the same scope is written the same; what is written is known again by
//! the detector (a token) or by the policy (everything else); what an action cannot write is
//! replaced whole.

use super::action::Action;
use super::kind::Kind;
use super::policy::Policy;
use super::pseudonym::{DROP_MARKS, Pseudonyms, hash_token_of, token_of};
use super::vault::{Sealed, Vault};
use super::{dates, generalise, surrogate};
use crate::record::{Id, ProjectKey};

/// What is written in place of a value.
pub struct Output {
    pub text: String,
    /// Of the value, for the ledger: the same in every scope.
    pub value_hash: Id,
    /// A token, which takes part in nothing that is found later.
    pub opaque: bool,
    pub sealed: Option<Box<Sealed>>,
}

/// Immutable: one for all threads.
pub struct Writer {
    pub policy: Policy,
    pseudonyms: Pseudonyms,
    /// Of keys that made tokens before.
    retired: Vec<Pseudonyms>,
    key: ProjectKey,
    vault: Option<Vault>,
}

impl Writer {
    pub fn new(policy: Policy, phone_regions: &[String], key: &ProjectKey, vault: bool) -> Result<Writer, String> {
        let missing = || "redact.vault needs a line `vault SECRET` in the key file".to_owned();
        let vault = vault.then(|| Vault::new(key.vault().ok_or_else(missing)?)).transpose()?;
        let (_, current) = key.pseudonym();
        let retired = key.retired().map(|(_, key)| Pseudonyms::new(&key, phone_regions)).collect::<Result<_, _>>()?;
        Ok(Writer { pseudonyms: Pseudonyms::new(&current, phone_regions)?, retired, policy, key: current, vault })
    }

    /// The tokens that stand for a value in texts of a conversation: that of the present key, then
    /// those of retired ones.
    pub fn tokens(&self, kind: Kind, raw: &str, conversation: Id) -> Vec<String> {
        let hash = |pseudonyms: &Pseudonyms| self.hash(pseudonyms, kind, raw, conversation);
        let token = |pseudonyms| match self.policy.action(kind) {
            Action::Hash => hash_token_of(kind, hash(pseudonyms)),
            _ => token_of(kind, hash(pseudonyms)),
        };
        std::iter::once(&self.pseudonyms).chain(&self.retired).map(token).collect()
    }

    /// Of a value within the policy's scope.
    fn hash(&self, pseudonyms: &Pseudonyms, kind: Kind, raw: &str, conversation: Id) -> Id {
        let of = self.policy.scope_of(&conversation.0);
        of.map_or_else(|| pseudonyms.value_hash(kind, raw), |of| pseudonyms.scoped_hash(kind, raw, of))
    }

    /// `opaque` asks for a token, whatever the action: something else would be found again.
    pub fn write(&self, kind: Kind, raw: &str, conversation: Id, opaque: bool) -> Output {
        let action = self.policy.action(kind);
        let value_hash = self.pseudonyms.value_hash(kind, raw);
        let of = self.policy.scope_of(&conversation.0);
        let hash = || of.map_or(value_hash, |of| self.pseudonyms.scoped_hash(kind, raw, of));
        let replaced = || format!("[{}]", kind.as_str());
        let token = match action {
            Action::Pseudonym => Some(token_of(kind, hash())),
            Action::Hash => Some(hash_token_of(kind, hash())),
            Action::Replace => Some(replaced()),
            Action::DropMessage => Some(format!("[{}{}", kind.as_str(), DROP_MARKS[0])),
            Action::DropConversation => Some(format!("[{}{}", kind.as_str(), DROP_MARKS[1])),
            Action::Surrogate if opaque => Some(token_of(kind, hash())),
            _ => None,
        };
        let other = match action {
            _ if opaque || token.is_some() => None,
            Action::Surrogate => surrogate::surrogate(kind, raw, hash().0),
            Action::Mask { keep_last } => Some(mask(raw, keep_last)),
            Action::Generalise { decimals } => generalise::general(kind, raw, decimals),
            Action::DateShift { days } => dates::moved(raw, self.shift_days(conversation, days)),
            Action::Keep => Some(raw.to_owned()),
            _ => None,
        };
        let is_pseudonym = matches!(action, Action::Pseudonym | Action::Hash);
        let sealed = match (&self.vault, &token) {
            (Some(vault), Some(token)) if is_pseudonym => vault.seal(token.clone(), raw).map(Box::new),
            _ => None,
        };
        Output { opaque: other.is_none(), text: token.or(other).unwrap_or_else(replaced), value_hash, sealed }
    }

    /// By how many days the dates of a conversation are moved: never 0.
    fn shift_days(&self, conversation: Id, most: u16) -> i64 {
        let hash = self.key.id("date shift", &conversation.0).0;
        let n = u64::from_le_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]);
        let days = (n % (2 * u64::from(most))) as i64 - i64::from(most);
        if days < 0 { days } else { days + 1 }
    }
}

/// `*` for letters and digits, but for the last ones. Of a short value nothing stays: half of it
/// would tell too much.
fn mask(raw: &str, keep_last: u8) -> String {
    let letters = raw.chars().filter(|c| c.is_alphanumeric()).count();
    let kept = usize::from(keep_last);
    let masked = if letters > 2 * kept { letters - kept } else { letters };
    let mut seen = 0;
    let star = |c: char| {
        seen += usize::from(c.is_alphanumeric());
        if c.is_alphanumeric() && seen <= masked { '*' } else { c }
    };
    raw.chars().map(star).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Redact;

    fn writer(toml: &str, secret: &str) -> Writer {
        let config: Redact = toml::from_str(toml).unwrap();
        let key = ProjectKey::from_secret(secret).unwrap();
        Writer::new(Policy::new(&config).unwrap(), &["US".to_owned()], &key, config.vault.is_some()).unwrap()
    }

    const SECRET: &str = "a secret of good length";

    fn written(toml: &str, kind: Kind, raw: &str) -> String {
        writer(toml, SECRET).write(kind, raw, Id([1; 16]), false).text
    }

    #[test]
    fn each_action_writes_its_own() {
        for (action, kind, raw, begins, len) in [
            ("replace", Kind::Email, "a@b.co", "[EMAIL]", 7),
            ("pseudonym", Kind::Email, "a@b.co", "[EMAIL:", 16),
            ("hash", Kind::Email, "a@b.co", "[EMAIL:", 40),
            ("surrogate", Kind::Email, "a@b.co", "user-", 25),
            ("mask", Kind::Email, "a@b.co", "*@*.**", 6),
            ("mask:4", Kind::Phone, "(202) 555-0173", "(***) ***-0173", 14),
            ("mask:4", Kind::Phone, "0173", "****", 4),
            ("generalise", Kind::Ip, "203.0.113.7", "203.0.113.0/24", 14),
            ("generalise", Kind::Ip, "no address", "[IP]", 4),
            ("date-shift:5", Kind::DateOfBirth, "1984-03-12", "2384-03-", 10),
            ("date-shift", Kind::DateOfBirth, "in spring", "[DATE_OF_BIRTH]", 15),
            ("drop-message", Kind::Ssn, "123-45-6789", "[SSN drop-message]", 18),
            ("drop-conversation", Kind::Ssn, "123-45-6789", "[SSN drop-conversation]", 23),
            ("keep", Kind::Email, "a@b.co", "a@b.co", 6),
        ] {
            let out = written(&format!("actions = {{ {} = '{action}' }}", kind.as_str()), kind, raw);
            assert!(out.starts_with(begins), "{action}: {out}");
            assert_eq!(out.len(), len, "{action}: {out}");
        }
    }

    #[test]
    fn scopes_share_or_part() {
        let email = |toml: &str, conversation: u8| {
            writer(toml, SECRET).write(Kind::Email, "a@b.co", Id([conversation; 16]), false).text
        };
        assert_eq!(email("", 1), email("", 2));
        let scope = "pseudonym_scope = 'conversation'";
        assert_eq!(email(scope, 1), email(scope, 1));
        assert_ne!(email(scope, 1), email(scope, 2));
        let dataset = |name: &str| format!("pseudonym_scope = 'dataset'\npseudonym_dataset = '{name}'");
        assert_eq!(email(&dataset("a"), 1), email(&dataset("a"), 2));
        assert_ne!(email(&dataset("a"), 1), email(&dataset("b"), 1));
        assert_ne!(email(&dataset("a"), 1), email("", 1));
        let ledger = |c| writer(scope, SECRET).write(Kind::Email, "a@b.co", Id([c; 16]), false).value_hash;
        assert_eq!(ledger(1), ledger(2));
    }

    #[test]
    fn a_new_key_writes_new_pseudonyms() {
        let old = format!("{SECRET}\npseudonym 2026 {}", "o".repeat(20));
        let new = format!("{SECRET}\npseudonym 2027 {}\npseudonym 2026 {}", "n".repeat(20), "o".repeat(20));
        let token = |secret: &str| writer("", secret).write(Kind::Email, "a@b.co", Id([1; 16]), false).text;
        assert!(token(&old) != token(&new) && token(&old) != token(SECRET));
        let known = writer("", &new).tokens(Kind::Email, "A@b.co", Id([1; 16]));
        assert_eq!(known, [token(&new), token(&old)], "old tokens are still told");
        let hashed = writer("actions = { EMAIL = 'hash' }", &new);
        let written = hashed.write(Kind::Email, "a@b.co", Id([1; 16]), false).text;
        assert_eq!(hashed.tokens(Kind::Email, "a@b.co", Id([1; 16]))[0], written);
    }

    #[test]
    fn dates_of_a_conversation_move_alike() {
        let writer = writer("actions = { DATE = 'date-shift:30' }", SECRET);
        let moved = |conversation: u8| writer.shift_days(Id([conversation; 16]), 30);
        assert_eq!(moved(1), moved(1));
        let all: std::collections::BTreeSet<i64> = (0..=255).map(moved).collect();
        assert!(all.len() > 40 && !all.contains(&0) && all.iter().all(|days| days.abs() <= 30), "{all:?}");
    }

    #[test]
    fn the_vault_is_off_unless_asked_for_and_holds_pseudonyms_only() {
        let secret = format!("{SECRET}\nvault {}", "v".repeat(20));
        let sealed = |toml: &str| writer(toml, &secret).write(Kind::Email, "a@b.co", Id([1; 16]), false).sealed;
        assert!(sealed("").is_none() && sealed("vault = 'v'\nactions = { EMAIL = 'replace' }").is_none());
        let row = sealed("vault = 'v'").unwrap();
        let key = ProjectKey::from_secret(&secret).unwrap();
        assert_eq!(Vault::new(key.vault().unwrap()).unwrap().open(&row).as_deref(), Some("a@b.co"));
        let config: Redact = toml::from_str("vault = 'v'").unwrap();
        let bare = ProjectKey::from_secret(SECRET).unwrap();
        let error = Writer::new(Policy::new(&config).unwrap(), &[], &bare, true).err().unwrap();
        assert!(error.contains("vault SECRET"), "{error}");
    }
}
