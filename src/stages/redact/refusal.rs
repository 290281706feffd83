//! Why a record is not kept although it could be read: it cannot be redacted, or must not be kept.
//!
//! Always: failure is closed; what cannot be redacted whole is never passed on.

/// The names are part of the reject table's contract. Those that begin with `policy_` are wanted:
/// they count as dropped, not as rejected (`layer::build::BY_POLICY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    TextTooLong,
    TooManyFindings,
    /// The token classifier of the pipeline gave no answer.
    ModelFailed,
    /// Something was found whose action is `drop-conversation`.
    DroppedByPolicy,
    /// Nothing worth keeping is left once messages were dropped.
    NothingLeft,
}

impl Refusal {
    const ALL: [Refusal; 5] = [
        Refusal::TextTooLong,
        Refusal::TooManyFindings,
        Refusal::ModelFailed,
        Refusal::DroppedByPolicy,
        Refusal::NothingLeft,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::TextTooLong => "text_too_long",
            Refusal::TooManyFindings => "too_many_findings",
            Refusal::ModelFailed => "model_failed",
            Refusal::DroppedByPolicy => "policy_drop",
            Refusal::NothingLeft => "policy_nothing_left",
        }
    }

    /// Wanted by the policy, and no failure.
    pub const fn is_policy(self) -> bool {
        matches!(self, Refusal::DroppedByPolicy | Refusal::NothingLeft)
    }

    pub fn parse(name: &str) -> Option<Refusal> {
        Refusal::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// What a person can do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Refusal::TextTooLong => "raise redact.limits.text_bytes if such records are wanted",
            Refusal::TooManyFindings => "raise redact.limits.findings if such records are wanted",
            Refusal::ModelFailed => {
                "the model of [redact.model] gave no scores; look whether it runs with this runtime"
            }
            Refusal::DroppedByPolicy => "holds what redact.actions drops with its conversation",
            Refusal::NothingLeft => "redact.actions dropped all that was asked, or all that was answered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::parse(refusal.as_str()), Some(refusal));
            assert!(!refusal.advice().is_empty());
        }
        assert_eq!(Refusal::parse("bad_shape"), None);
    }
}
