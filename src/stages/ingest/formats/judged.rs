//! Rows around LLM judges: MT-bench and Vicuna-80 questions, answers and judgments (lm-sys/FastChat
//! fastchat/llm_judge), PandaLM's test set (WeOpenML/PandaLM 3871806), Korean MT-bench verdicts
//! (pnu-clink/korean-mt-bench f3af7b8).
//!
//! Not here: judge prompts, model and reviewer lists, which are settings and no records; Arena
//! pairs; bringing questions and their answers together (`join::questions`); verdicts of other files.
//!
//! Always: a question set gives user messages without answers. A judgment that quotes what it
//! judged is a conversation with the judge. A question joined with its answers gives a conversation
//! for each answer. Verdicts alone are rejected as `no_messages`: nobody says anything in them.

use std::borrow::Cow;

use super::super::Reason;
use super::super::tree::Json;
use super::Read;
use super::row::{Extra, Keys, conversation, has_any};
use crate::record::{Conversation, Message, Preference, Role};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `turns` of the user, or one question as `text`.
    Question,
    /// PandaLM's prompts: `instruction` and `input` of an app.
    Prompt,
    /// An instruction, two responses and the votes of annotators.
    Pair,
    /// What the judge was asked and said; the second form judged twice, with the sides swapped.
    Judgment,
    Games,
    /// Answers that name their question only by its id; verdicts that do.
    Answer,
    Verdict,
    /// A question with its answers.
    Joined,
}

fn kind(record: &Json) -> Option<Kind> {
    let text = |key: &str| record.text_of(key).is_some();
    let all = |keys: &[&str]| keys.iter().all(|key| record.get(key).is_some());
    if has_any(record, &["messages", "conversations", "conversation", "conversation_a", "chosen", "prompt"]) {
        return None;
    }
    if text("instruction") {
        let answered = has_any(record, &["output", "response", "answer", "completion"]);
        return match (all(&["response1", "response2"]), text("motivation_app") && !answered) {
            (true, _) => Some(Kind::Pair),
            (false, true) => Some(Kind::Prompt),
            (false, false) => None,
        };
    }
    if text("question") {
        return None;
    }
    if record.get("question").is_some_and(|question| question.entries().is_some())
        && record.list_of("answers").is_some()
    {
        return Some(Kind::Joined);
    }
    let verdicts = [["gpt_result", "gpt_reason"], ["pandalm_result", "pandalm_reason"]];
    if all(&["idx"]) && verdicts.iter().any(|keys| all(keys)) {
        return Some(Kind::Verdict);
    }
    record.get("question_id")?;
    if all(&["g1_user_prompt", "g1_judgment"]) {
        Some(Kind::Games)
    } else if all(&["user_prompt", "judgment"]) {
        Some(Kind::Judgment)
    } else if all(&["judgment_ab", "judgment_ba"]) || all(&["review_id", "score"]) {
        Some(Kind::Verdict)
    } else if all(&["model_id"]) {
        (record.list_of("choices").is_some() || (text("text") && text("answer_id"))).then_some(Kind::Answer)
    } else {
        (record.list_of("turns").is_some() || (text("text") && text("category"))).then_some(Kind::Question)
    }
}

/// One of the shapes of this file, also those that are rejected for lack of messages.
pub fn fits(record: &Json) -> bool {
    kind(record).is_some()
}

/// A half of what a question set and its answers are together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Question,
    Answer,
}

/// The half that a record is.
pub fn half(record: &Json) -> Option<Half> {
    match kind(record)? {
        Kind::Question => Some(Half::Question),
        Kind::Answer => Some(Half::Answer),
        _ => None,
    }
}

/// User turns, a conversation with a judge, or a pair.
pub fn read(record: &Json) -> Read {
    match kind(record).ok_or(Reason::BadShape)? {
        Kind::Question => Ok(vec![question(record)?]),
        Kind::Prompt => Ok(vec![with(record, vec![instruction(record)?], &["instruction", "input"], Vec::new())]),
        Kind::Pair => pair(record),
        Kind::Judgment => Ok(vec![judgment(record, ["user_prompt", "judgment"], None)?]),
        Kind::Games => games(record),
        Kind::Answer | Kind::Verdict => Err(Reason::NoMessages),
        Kind::Joined => joined(record),
    }
}

fn with(record: &Json, messages: Vec<Message>, used: &'static [&'static str], extras: Vec<Extra>) -> Conversation {
    let keys = Keys { id: &["question_id", "idx"], model: &[], time: &["tstamp"], used };
    conversation(record, messages, keys, extras)
}

/// Each turn is text, or an object with `content` as in Arena-Hard's question files.
fn question(record: &Json) -> Result<Conversation, Reason> {
    let Some(turns) = record.list_of("turns") else {
        let text = record.text_of("text").ok_or(Reason::BadShape)?;
        return Ok(with(record, vec![Message::text(Role::User, text)], &["text"], Vec::new()));
    };
    if turns.is_empty() {
        return Err(Reason::NoMessages);
    }
    let asked = |turn: &Json| match turn.entries() {
        Some(entries) if entries.len() == 1 => turn.text_of("content").map(str::to_owned),
        _ => turn.text().map(str::to_owned),
    };
    let asked = turns.iter().map(|turn| Ok(Message::text(Role::User, asked(turn).ok_or(Reason::BadShape)?)));
    Ok(with(record, asked.collect::<Result<_, _>>()?, &["turns"], Vec::new()))
}

/// A conversation for each choice of each answer: what was asked and said in turn, up to the last
/// answer.
fn joined(record: &Json) -> Read {
    let asked = record.get("question").ok_or(Reason::BadShape)?;
    let questions = question(asked)?;
    let mut all = Vec::new();
    for answer in record.list_of("answers").unwrap_or_default() {
        let one = std::slice::from_ref(answer);
        for choice in answer.list_of("choices").unwrap_or(one) {
            let said: Vec<&str> = match choice.list_of("turns") {
                Some(turns) => {
                    turns.iter().map(|turn| turn.text().ok_or(Reason::BadShape)).collect::<Result<_, _>>()?
                }
                None => vec![choice.text_of("text").ok_or(Reason::BadShape)?],
            };
            let turns = questions.messages.iter().zip(said);
            let messages =
                turns.flat_map(|(asked, said)| [asked.clone(), Message::text(Role::Assistant, said)]).collect();
            let keys = Keys {
                id: &["answer_id", "question_id"],
                model: &["model_id"],
                time: &["tstamp"],
                used: &["choices", "text"],
            };
            let number = choice.get("index").map(|index| ("choice", index.clone()));
            let about = ("question", without(asked, &["turns", "text", "question_id"]));
            all.push(conversation(answer, messages, keys, number.into_iter().chain([about]).collect()));
        }
    }
    Ok(all)
}

fn without<'a>(object: &Json<'a>, used: &[&str]) -> Json<'a> {
    let entries = object.entries().unwrap_or_default().iter();
    Json::Object(entries.filter(|(key, _)| !used.contains(&key.as_ref())).cloned().collect())
}

/// The instruction with its input below it.
fn instruction(record: &Json) -> Result<Message, Reason> {
    let own = |key: &str| record.get(key).map_or(Ok(""), |value| value.text().ok_or(Reason::BadShape));
    let parts: Vec<&str> = [own("instruction")?, own("input")?].into_iter().filter(|text| !text.is_empty()).collect();
    if parts.is_empty() { Err(Reason::NoMessages) } else { Ok(Message::text(Role::User, parts.join("\n\n"))) }
}

/// Both responses. Only where all annotators name the same one does the row itself state a
/// preference; a majority would be our merge, and is left to it.
fn pair(record: &Json) -> Read {
    let mut pair = Vec::new();
    for key in ["response1", "response2"] {
        // Some files hold a bare `true` where a model wrote a word; which word is lost.
        let answer = record.text_of(key).ok_or(Reason::BadShape)?;
        let messages = vec![instruction(record)?, Message::text(Role::Assistant, answer)];
        let side = vec![("side", Json::Text(Cow::Borrowed(key)))];
        pair.push(with(record, messages, &["instruction", "input", "response1", "response2"], side));
    }
    let entries = record.entries().unwrap_or_default().iter();
    let votes: Vec<_> =
        entries.filter(|(key, _)| key.starts_with("annotator")).map(|(_, vote)| vote.number()).collect();
    let agreed = votes.first().copied().flatten().filter(|first| votes.iter().all(|vote| *vote == Some(*first)));
    if agreed == Some(2.0) {
        pair.reverse();
    }
    if agreed.is_some_and(|vote| vote == 1.0 || vote == 2.0) {
        for (one, preference) in pair.iter_mut().zip([Preference::Chosen, Preference::Rejected]) {
            one.preference = Some(preference);
        }
    }
    Ok(pair)
}

/// What the judge was asked, and what it said.
fn judgment(record: &Json, [asked, said]: [&str; 2], game: Option<u64>) -> Result<Conversation, Reason> {
    const TEXTS: [&str; 6] =
        ["user_prompt", "judgment", "g1_user_prompt", "g1_judgment", "g2_user_prompt", "g2_judgment"];
    let own = |key: &str| record.text_of(key).ok_or(Reason::BadShape);
    let messages = vec![Message::text(Role::User, own(asked)?), Message::text(Role::Assistant, own(said)?)];
    let game = game.map(|game| ("game", Json::Number(game.into())));
    // `judge` is the model's name and the name of the prompt; it stays in the metadata too.
    let judge = record.list_of("judge").and_then(<[Json]>::first).and_then(Json::text).map(str::to_owned);
    Ok(Conversation { model: judge, ..with(record, messages, &TEXTS, game.into_iter().collect()) })
}

fn games(record: &Json) -> Read {
    let mut games = vec![judgment(record, ["g1_user_prompt", "g1_judgment"], Some(1))?];
    if has_any(record, &["g2_user_prompt", "g2_judgment"]) {
        games.push(judgment(record, ["g2_user_prompt", "g2_judgment"], Some(2))?);
    }
    Ok(games)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Read {
        super::read(&serde_json::from_str(json).unwrap())
    }

    fn texts(one: &Conversation) -> Vec<String> {
        one.messages.iter().map(|m| format!("{}: {}", m.role.as_str(), m.content)).collect()
    }

    #[test]
    fn questions_and_prompts_are_user_turns() {
        for (json, asked) in [
            (r#"{"question_id":81,"category":"c","turns":["a","b"],"reference":["x"]}"#, vec!["user: a", "user: b"]),
            (r#"{"question_id":"h","turns":[{"content":"a"}]}"#, vec!["user: a"]),
            (r#"{"question_id":1,"text":"a","category":"c"}"#, vec!["user: a"]),
            (r#"{"motivation_app":"m","instruction":"a","input":"b"}"#, vec!["user: a\n\nb"]),
        ] {
            assert_eq!(texts(&read(json).unwrap()[0]), asked, "{json}");
        }
        let got = read(r#"{"question_id":81,"category":"c","turns":["a"],"reference":["x"]}"#).unwrap();
        assert_eq!(got[0].external_id.as_deref(), Some("81"));
        assert_eq!(got[0].metadata.as_deref(), Some(r#"{"category":"c","reference":["x"]}"#));
    }

    #[test]
    fn a_pair_is_a_preference_only_if_all_agree() {
        let (chosen, rejected) = (Some(Preference::Chosen), Some(Preference::Rejected));
        for (votes, first, preferences) in [
            ([1, 1, 1], "a", [chosen, rejected]),
            ([2, 2, 2], "b", [chosen, rejected]),
            ([0, 0, 0], "a", [None, None]),
            ([1, 1, 2], "a", [None, None]),
        ] {
            let json = format!(
                r#"{{"idx":0,"instruction":"q","input":"","response1":"a","response2":"b",
                "annotator1":{},"annotator2":{},"annotator3":{}}}"#,
                votes[0], votes[1], votes[2]
            );
            let got = read(&json).unwrap();
            assert_eq!(got[0].messages[1].content, first, "{votes:?}");
            assert_eq!([got[0].preference, got[1].preference], preferences, "{votes:?}");
        }
    }

    #[test]
    fn judgments_are_conversations_with_the_judge() {
        let json =
            r#"{"question_id":81,"model":"m","judge":["j","single-v1"],"user_prompt":"p","judgment":"8","score":8}"#;
        let got = read(json).unwrap();
        assert_eq!(
            (texts(&got[0]), got[0].model.as_deref()),
            (vec!["user: p".into(), "assistant: 8".into()], Some("j"))
        );
        let json = r#"{"question_id":81,"judge":["j","pair-v2"],"g1_user_prompt":"p","g1_judgment":"A",
            "g2_user_prompt":"p2","g2_judgment":"B","g1_winner":"model_1"}"#;
        let got = read(json).unwrap();
        assert_eq!(texts(&got[1]), ["user: p2", "assistant: B"]);
        assert_eq!(got[1].metadata.as_deref(), Some(r#"{"judge":["j","pair-v2"],"g1_winner":"model_1","game":2}"#));
    }

    #[test]
    fn every_reject_has_its_reason() {
        for (json, reason) in [
            (r#"{"question_id":1,"model_id":"m","choices":[{"index":0,"turns":["a"]}]}"#, Reason::NoMessages),
            (r#"{"question_id":1,"text":"a","answer_id":"x","model_id":"m"}"#, Reason::NoMessages),
            (r#"{"question_id":1,"review_id":"r","text":"8 9","score":[8,9]}"#, Reason::NoMessages),
            (r#"{"question_id":1,"judgment_ab":"a","judgment_ba":"b","winner":"tie"}"#, Reason::NoMessages),
            (r#"{"idx":0,"gpt_result":"1","gpt_reason":"r"}"#, Reason::NoMessages),
            (r#"{"question_id":1,"category":"c","turns":[]}"#, Reason::NoMessages),
            (r#"{"motivation_app":"m","instruction":"","input":""}"#, Reason::NoMessages),
            (r#"{"question_id":1,"category":"c","turns":[5]}"#, Reason::BadShape),
            (r#"{"instruction":"q","response1":true,"response2":"b"}"#, Reason::BadShape),
            (r#"{"question_id":1,"user_prompt":"p","judgment":5}"#, Reason::BadShape),
            (r#"{"name":"pair-v2","prompt_template":"t"}"#, Reason::BadShape),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }
}
