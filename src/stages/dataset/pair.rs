//! A preference pair from two conversations that share a prompt.

use crate::task::TaskMessage;

/// Prompt and the two answers, each the assistant's whole turn or what follows the parting.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub prompt: Vec<TaskMessage>,
    pub chosen: Vec<TaskMessage>,
    pub rejected: Vec<TaskMessage>,
}

/// Why two conversations make no pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPair {
    /// Both say the same (one large project found 7 % of its pairs so; rlhf-book #504).
    Identical,
    /// They do not part at an assistant message.
    NoSharedPrompt,
    /// One of the answers is empty.
    EmptyAnswer,
}

impl NoPair {
    pub const fn as_str(self) -> &'static str {
        match self {
            NoPair::Identical => "identical",
            NoPair::NoSharedPrompt => "no_shared_prompt",
            NoPair::EmptyAnswer => "empty_answer",
        }
    }
}

/// The prompt is what both begin with, as whole messages; where they part, both must go on with
/// an assistant. (One known loader splits at the first turn, another at the last: TRL #1858.)
pub fn pair(chosen: &[TaskMessage], rejected: &[TaskMessage]) -> Result<Pair, NoPair> {
    if chosen == rejected {
        return Err(NoPair::Identical);
    }
    let shared = chosen.iter().zip(rejected).take_while(|(a, b)| a == b).count();
    let (prompt, chosen) = chosen.split_at(shared);
    let rejected = &rejected[shared..];
    let answers = |messages: &[TaskMessage]| messages.first().is_some_and(|message| message.role == "assistant");
    if prompt.is_empty() || !answers(chosen) || !answers(rejected) {
        return Err(NoPair::NoSharedPrompt);
    }
    let empty =
        |messages: &[TaskMessage]| messages.iter().all(|m| m.content.trim().is_empty() && m.tool_calls.is_none());
    if empty(chosen) || empty(rejected) {
        return Err(NoPair::EmptyAnswer);
    }
    Ok(Pair { prompt: prompt.to_vec(), chosen: chosen.to_vec(), rejected: rejected.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(turns: &[(&str, &str)]) -> Vec<TaskMessage> {
        let message = |&(role, content): &(&str, &str)| TaskMessage {
            role: role.into(),
            content: content.into(),
            name: None,
            tool_call_id: None,
            tool_calls: None,
        };
        turns.iter().map(message).collect()
    }

    #[test]
    fn the_prompt_is_what_both_share() {
        let (u, a) = ("user", "assistant");
        let got = pair(
            &talk(&[(u, "q"), (a, "x"), (u, "r"), (a, "good")]),
            &talk(&[(u, "q"), (a, "x"), (u, "r"), (a, "bad")]),
        )
        .unwrap();
        assert_eq!((got.prompt.len(), got.chosen[0].content.as_str(), got.rejected.len()), (3, "good", 1));
        for (chosen, rejected, why) in [
            (talk(&[(u, "q"), (a, "x")]), talk(&[(u, "q"), (a, "x")]), NoPair::Identical),
            (talk(&[(u, "q"), (a, "x")]), talk(&[(u, "other"), (a, "y")]), NoPair::NoSharedPrompt),
            (talk(&[(u, "q"), (a, "x")]), talk(&[(u, "q")]), NoPair::NoSharedPrompt),
            (talk(&[(u, "q"), (a, "x")]), talk(&[(u, "q"), (a, " ")]), NoPair::EmptyAnswer),
        ] {
            assert_eq!(pair(&chosen, &rejected), Err(why));
        }
    }
}
