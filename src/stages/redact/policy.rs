//! What becomes of which type, out of what a pipeline file says: its preset and what it changes.
//!
//! Not here: what presets say (`preset`), how actions are written (`write`).
//!
//! Always: a policy that makes no sense is an error that names the key and says what is allowed;
//! what is not said redacts.

use super::action::Action;
use super::detect::{Span, model};
use super::kind::{Group, Kind, KindSet};
use super::lists::{Allow, Deny};
use super::{generalise, preset, surrogate};
use crate::config::{Preset, Redact, RedactLimits, Scope};
use crate::record::ProjectKey;

/// Immutable: one for all threads.
#[derive(Debug)]
pub struct Policy {
    /// By kind; nothing where a kind is not looked for.
    actions: Vec<Option<Action>>,
    floors: Vec<f32>,
    allow: Allow,
    deny: Option<Deny>,
    scope: Scope,
    dataset: String,
    pub limits: RedactLimits,
    pub drops: bool,
    surrogates: bool,
}

/// Whether a policy makes sense.
pub fn check(config: &Redact) -> Result<(), String> {
    config.model.as_ref().map_or(Ok(()), model::check)?;
    Policy::new(config).map(|_| ())
}

/// What redacted text depends on, for keys and manifests: values of lists are told by their keyed
/// hash only, because they are what nobody should read.
pub fn settings(config: &Redact, key: &ProjectKey) -> serde_json::Value {
    let digest = |what: &str, values: &[String]| key.id(what, values.join("\n").as_bytes()).to_string();
    let mut shown = config.clone();
    (shown.allow_files, shown.vault) = (Vec::new(), None);
    if !shown.allow.is_empty() {
        shown.allow = vec![digest("redact allow", &config.allow)];
    }
    for deny in &mut shown.deny {
        (deny.values, deny.files) = (vec![digest("redact deny", &deny.values)], Vec::new());
    }
    let (name, pseudonyms) = key.pseudonym();
    let mut settings = serde_json::json!(shown);
    // Digests say which model and runtime it is; where they lie and how many run does not matter.
    if let Some(model) = settings.get_mut("model").and_then(|model| model.as_object_mut()) {
        for key in ["path", "runtime", "sessions"] {
            model.remove(key);
        }
    }
    if name != "project" {
        settings["pseudonym_key"] = serde_json::json!([name, pseudonyms.fingerprint().to_string()]);
    }
    if config.vault.is_some() {
        settings["vault"] = true.into();
    }
    settings
}

/// The kinds that a name of a pipeline file means.
fn named(key: &str, name: &str) -> Result<Vec<Kind>, String> {
    if let Some(kind) = Kind::parse(name) {
        return Ok(vec![kind]);
    }
    if let Some(group) = Group::parse(name) {
        return Ok(Kind::ALL.iter().copied().filter(|kind| kind.group() == group).collect());
    }
    let upper = name.to_uppercase().replace('-', "_");
    let hint = match Kind::parse(&upper) {
        Some(kind) => format!("did you mean {}?", kind.as_str()),
        None => {
            let groups = Group::ALL.map(Group::as_str).join(", ");
            format!("expected a type as findings name it (EMAIL, PHONE, …) or one of {groups}")
        }
    };
    Err(format!("{key}: {name:?} is not a known type; {hint}"))
}

impl Policy {
    pub fn new(config: &Redact) -> Result<Policy, String> {
        let mut actions = of_types(config)?;
        own_actions(config, &mut actions)?;
        let deny = Deny::new(&config.deny)?;
        if deny.is_some() {
            let custom = &mut actions[Kind::Custom as usize];
            *custom = custom.or(Some(default_of(config.preset, Kind::Custom)));
        }
        let limits = config.limits;
        if !(1..=1 << 30).contains(&limits.text_bytes) || limits.findings == 0 {
            return Err("redact.limits: text_bytes is 1 to 1073741824, findings at least 1".to_owned());
        }
        let has = |is: fn(&Action) -> bool| actions.iter().flatten().any(is);
        let drops = has(|action| matches!(action, Action::DropMessage | Action::DropConversation));
        let surrogates = has(|action| *action == Action::Surrogate);
        Ok(Policy {
            floors: floors(config)?,
            allow: Allow::new(&config.allow)?,
            deny,
            scope: config.pseudonym_scope,
            dataset: config.pseudonym_dataset.clone().unwrap_or_default(),
            limits,
            drops,
            surrogates,
            actions,
        })
    }

    /// What is looked for.
    pub fn kinds(&self) -> Vec<Kind> {
        Kind::ALL.iter().copied().filter(|kind| self.actions[*kind as usize].is_some()).collect()
    }

    /// By kind, as the detector wants them.
    pub fn floors(&self) -> Vec<f32> {
        self.floors.clone()
    }

    /// What is found and left as it is.
    pub fn kept(&self) -> KindSet {
        Kind::ALL.iter().copied().filter(|kind| self.action(*kind) == Action::Keep).collect()
    }

    pub fn deny(&self) -> Option<&Deny> {
        self.deny.as_ref()
    }

    pub fn action(&self, kind: Kind) -> Action {
        self.actions[kind as usize].unwrap_or(Action::Replace)
    }

    /// What pseudonyms of a conversation are scoped by; nothing: by the key alone.
    pub fn scope_of<'a>(&'a self, conversation: &'a [u8]) -> Option<&'a [u8]> {
        match self.scope {
            Scope::Project => None,
            Scope::Dataset => Some(self.dataset.as_bytes()),
            Scope::Conversation => Some(conversation),
        }
    }

    /// Whether it matters which conversation a text is from.
    pub fn asks_for_conversations(&self) -> bool {
        let shifts = |action: &Option<Action>| matches!(action, Some(Action::DateShift { .. }));
        self.scope == Scope::Conversation || self.actions.iter().any(shifts)
    }

    /// Leaves what is allowed, and what this policy itself has written.
    pub fn filter(&self, text: &str, spans: &mut Vec<Span>) {
        spans.retain(|span| {
            let value = &text[span.start_byte as usize..span.end_byte as usize];
            !self.allow.has(span.kind, value) && !self.is_ours(text, span, value)
        });
    }

    /// Whether values of this kind have to go.
    pub fn answers(&self, kind: Kind) -> bool {
        self.actions[kind as usize].is_some_and(|action| action != Action::Keep)
    }

    /// How sure a finding of this kind must be to count.
    pub fn floor(&self, kind: Kind) -> f32 {
        self.floors[kind as usize]
    }

    /// Whether a value may stand where it stands: it is allowed, or this policy wrote it.
    pub fn leaves(&self, kind: Kind, text: &str, place: std::ops::Range<usize>) -> bool {
        let value = &text[place.clone()];
        self.allow.has(kind, value) || self.wrote(kind, text, place, value)
    }

    fn is_ours(&self, text: &str, span: &Span, value: &str) -> bool {
        self.wrote(span.kind, text, span.start_byte as usize..span.end_byte as usize, value)
    }

    fn wrote(&self, kind: Kind, text: &str, place: std::ops::Range<usize>, value: &str) -> bool {
        if self.surrogates && surrogate::is_surrogate(value) {
            return true;
        }
        match self.action(kind) {
            Action::Generalise { decimals } => generalise::is_general(kind, text, place.start, place.end, decimals),
            Action::DateShift { .. } => super::dates::is_moved(value),
            _ => false,
        }
    }
}

fn default_of(preset: Option<Preset>, kind: Kind) -> Action {
    let other = if preset.is_none() { Action::Pseudonym } else { Action::Replace };
    preset::action(preset, kind).unwrap_or(other)
}

/// The preset's actions, for the types that are named or else those of the preset.
fn of_types(config: &Redact) -> Result<Vec<Option<Action>>, String> {
    if config.types.is_empty() {
        return Ok(Kind::ALL.iter().map(|kind| preset::action(config.preset, *kind)).collect());
    }
    if config.preset == Some(Preset::Strict) {
        return Err(
            "redact.types cannot narrow the preset strict, which lets nothing through; leave one out".to_owned()
        );
    }
    let mut actions = vec![None; Kind::ALL.len()];
    for name in &config.types {
        for kind in named("redact.types", name)? {
            actions[kind as usize] = Some(default_of(config.preset, kind));
        }
    }
    Ok(actions)
}

/// Groups first, so that a type wins over its group.
fn own_actions(config: &Redact, actions: &mut [Option<Action>]) -> Result<(), String> {
    let is_group = |name: &str| Group::parse(name).is_some();
    let (groups, kinds): (Vec<_>, Vec<_>) = config.actions.iter().partition(|(name, _)| is_group(name));
    for (name, written) in groups.into_iter().chain(kinds) {
        let key = format!("redact.actions.{name}");
        let action = Action::parse(written).map_err(|what| format!("{key} {what}"))?;
        for kind in named("redact.actions", name)? {
            let is_off = actions[kind as usize].is_none();
            // A group means the types that are looked for; a type that is named is looked for.
            if is_off && is_group(name) {
                continue;
            }
            if is_off && !config.types.is_empty() {
                return Err(format!("{key}: {name} is not among redact.types, so it is not looked for"));
            }
            action.fits(kind).map_err(|what| format!("{key} {what}"))?;
            if action == Action::Keep && kind.is_secret() && config.preset == Some(Preset::Strict) {
                return Err(format!("{key} is keep; the preset strict keeps no secret, any other action is allowed"));
            }
            actions[kind as usize] = Some(action);
        }
    }
    Ok(())
}

fn floors(config: &Redact) -> Result<Vec<f32>, String> {
    let checked = |key: String, value: f64| match (0.0..=1.0).contains(&value) {
        true => Ok(value as f32),
        false => Err(format!("{key} is {value}, expected 0 to 1")),
    };
    let mut floors = vec![checked("redact.min_score".to_owned(), config.min_score)?; Kind::ALL.len()];
    let is_group = |name: &str| Group::parse(name).is_some();
    let (groups, kinds): (Vec<_>, Vec<_>) = config.min_scores.iter().partition(|(name, _)| is_group(name));
    for (name, value) in groups.into_iter().chain(kinds) {
        let floor = checked(format!("redact.min_scores.{name}"), *value)?;
        for kind in named("redact.min_scores", name)? {
            floors[kind as usize] = floor;
        }
    }
    Ok(floors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(toml: &str) -> Result<Policy, String> {
        Policy::new(&toml::from_str::<Redact>(toml).map_err(|err| err.to_string())?)
    }

    #[test]
    fn what_makes_no_sense_names_its_key_and_what_is_allowed() {
        for (toml, parts) in [
            ("preset = 'lax'", &["unknown variant `lax`", "hipaa-safe-harbor"][..]),
            ("types = ['EMIAL']", &["redact.types", "\"EMIAL\" is not a known type", "contact"]),
            ("types = ['email']", &["did you mean EMAIL?"]),
            ("preset = 'strict'\ntypes = ['EMAIL']", &["redact.types", "strict"]),
            ("actions = { EMAIL = 'blur' }", &["redact.actions.EMAIL is \"blur\"", "drop-conversation"]),
            ("actions = { MAIL = 'hash' }", &["redact.actions", "\"MAIL\" is not a known type"]),
            ("actions = { CARD = 'mask:4' }", &["redact.actions.CARD", "never shown in part", "use mask"]),
            ("actions = { secret = 'mask:2' }", &["redact.actions.secret", "never shown in part"]),
            ("actions = { CVV = 'mask:1' }", &["redact.actions.CVV"]),
            ("actions = { PASSPORT = 'surrogate' }", &["redact.actions.PASSPORT", "allowed for EMAIL"]),
            ("actions = { EMAIL = 'generalise' }", &["redact.actions.EMAIL", "allowed for", "IP"]),
            ("actions = { AGE = 'date-shift' }", &["redact.actions.AGE", "DATE_OF_BIRTH"]),
            ("preset = 'strict'\nactions = { API_KEY = 'keep' }", &["redact.actions.API_KEY", "strict"]),
            ("preset = 'strict'\nactions = { secret = 'keep' }", &["redact.actions.secret", "strict"]),
            ("types = ['EMAIL']\nactions = { PHONE = 'hash' }", &["redact.actions.PHONE", "redact.types"]),
            ("min_score = 1.5", &["redact.min_score is 1.5", "0 to 1"]),
            ("min_scores = { PHONE = -1.0 }", &["redact.min_scores.PHONE"]),
            ("min_scores = { PHON = 0.5 }", &["redact.min_scores", "not a known type"]),
            ("allow = ['*']", &["redact.allow"]),
            ("limits = { text_bytes = 0 }", &["redact.limits"]),
            ("pseudonym_scope = 'row'", &["unknown variant `row`", "conversation"]),
            ("[[deny]]\nname = 'x'", &["redact.deny x holds no values"]),
            ("colour = 1", &["unknown field `colour`"]),
        ] {
            let error = policy(toml).err().unwrap_or_else(|| panic!("{toml} is taken"));
            assert!(parts.iter().all(|part| error.contains(part)), "{toml}: {error}");
        }
    }

    #[test]
    fn types_win_over_groups_and_both_over_the_preset() {
        let policy = policy(
            "preset = 'gdpr'\n[actions]\nEMAIL = 'hash'\ncontact = 'replace'\nsecret = 'drop-conversation'\n\
             PLACE = 'replace'\nname = 'mask'\n[min_scores]\ncontact = 0.5\nEMAIL = 0.9",
        )
        .unwrap();
        assert_eq!(policy.action(Kind::Email), Action::Hash);
        assert_eq!(policy.action(Kind::Phone), Action::Replace);
        assert_eq!(policy.action(Kind::Jwt), Action::DropConversation);
        assert_eq!(policy.action(Kind::Person), Action::Mask { keep_last: 0 });
        assert_eq!(policy.action(Kind::Place), Action::Replace);
        assert!(policy.kinds().contains(&Kind::Place) && !policy.kinds().contains(&Kind::Organization));
        assert!(policy.drops);
        let floor = |kind: Kind| policy.floors()[kind as usize];
        assert_eq!((floor(Kind::Email), floor(Kind::Phone), floor(Kind::Card)), (0.9, 0.5, 0.0));
    }

    #[test]
    fn public_names_and_dates_are_left_alone_by_default() {
        let kinds = policy("").unwrap().kinds();
        for public in [Kind::Organization, Kind::Place, Kind::Nrp, Kind::Date, Kind::Url] {
            assert!(!kinds.contains(&public));
        }
        assert!(Kind::ALL.iter().all(|kind| kinds.contains(kind)
            || matches!(kind, Kind::Organization | Kind::Place | Kind::Nrp | Kind::Date | Kind::Url)));
        assert_eq!(policy("types = ['PLACE']").unwrap().kinds(), [Kind::Place]);
    }

    #[test]
    fn settings_tell_models_apart_and_not_their_places() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let of = |model: &str| {
            let config = toml::from_str(&format!("[model]\n{model}")).unwrap();
            settings(&config, &key)
        };
        let here = of("path = 'here'\ndigest = 'blake3:1'\nruntime = 'lib.so'\nsessions = 4");
        assert_eq!(here, of("path = 'there'\ndigest = 'blake3:1'"));
        for other in [
            "digest = 'blake3:2'",
            "digest = 'blake3:1'\nmin_score = 0.9",
            "digest = 'blake3:1'\nruntime_digest = 'blake3:3'",
        ] {
            assert_ne!(here, of(&format!("path = 'here'\n{other}")), "{other}");
        }
    }

    #[test]
    fn settings_hold_no_value_of_a_list() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let config = |value: &str| Redact {
            allow: vec![format!("{value}@corp.com")],
            deny: vec![config_deny(value)],
            ..Redact::default()
        };
        fn config_deny(value: &str) -> crate::config::Deny {
            crate::config::Deny { name: "people".into(), values: vec![value.into()], files: vec!["x".into()] }
        }
        let (a, b) = (settings(&config("jane"), &key), settings(&config("june"), &key));
        assert!(a != b && !a.to_string().contains("jane"), "{a}");
        let plain = serde_json::json!(Redact::default());
        assert_eq!(settings(&Redact::default(), &key), plain);
        assert_eq!(plain.as_object().unwrap().len(), 2, "what older pipelines say keeps its form: {plain}");
    }
}
