//! Conversations: the base of a number, and what is planted on it.
//!
//! Not their bytes (`render`) and not which rows they are (`plan`).
//!
//! Always: a base is a function of (seed, format, number), so a planted row makes its base again
//! instead of remembering it; each conversation's number is spelt into its first user message.

use crate::canary::canary;
use crate::chance::Chance;
use crate::context::{Where, place, sentence};
use crate::near::replace_one_word;
use crate::plan::{Format, Part, Row, Use};
use crate::prose::{Prose, Style};

pub struct Call {
    pub id: String,
    pub tool: &'static str,
    /// JSON text, as models write it.
    pub arguments: String,
    pub result: String,
}

pub struct Turn {
    pub user: String,
    pub call: Option<Call>,
    pub answer: String,
}

pub struct Chat {
    pub system: Option<String>,
    pub turns: Vec<Turn>,
    /// A sentence for the metadata: the one place outside the messages for a canary.
    pub note: Option<String>,
    /// The kind of its canary.
    pub canary: Option<usize>,
}

/// Names of the tools that conversations may call.
pub const TOOLS: [&str; 4] = ["search_documents", "get_weather", "run_query", "create_ticket"];

/// Thousandths of conversations with text that is not ASCII.
const FOREIGN: u64 = 50;
const TOOL_CALLS: u64 = 150;

/// Makes the conversations of one format.
pub struct Maker<'a> {
    pub seed: u64,
    pub prose: &'a Prose,
    pub part: &'a Part,
}

impl Maker<'_> {
    /// The conversation of a row that is not broken.
    pub fn chat(&self, row: Row) -> Result<Chat, String> {
        match row {
            Row::Base(base) | Row::Exact { base } => Ok(self.base(base)),
            Row::Near { base } => {
                let mut chat = self.base(base);
                replace_one_word(&mut chat, self.key("near copy", base), &self.prose.words)?;
                Ok(chat)
            }
            Row::Snapshot { base, nth } => {
                let mut chat = self.base(base);
                let cuts = chat.turns.len() as u64 - 1;
                // Two snapshots are neighbours on a ring of cuts, hence of distinct length.
                let cut = 1 + (self.key("cut", base).below(0, cuts) + nth) % cuts;
                chat.turns.truncate(cut as usize);
                Ok(chat)
            }
            Row::Regeneration { base } => {
                let mut chat = self.base(base);
                let answer = self.last_answer(self.key("regeneration", base));
                if let Some(last) = chat.turns.last_mut() {
                    last.answer = answer;
                }
                Ok(chat)
            }
            Row::Broken(_) => Err("a broken line holds no conversation".into()),
        }
    }

    pub fn key(&self, purpose: &str, id: u64) -> Chance {
        Chance::new(self.seed, self.part.format.name(), id).sub(purpose, 0)
    }

    /// A last answer that outweighs all before it, so that another one makes another assistant.
    pub fn last_answer(&self, chance: Chance) -> String {
        self.text(chance, 110 + chance.below(0, 110), true, false, None)
    }

    fn text(&self, chance: Chance, min_words: u64, rich: bool, foreign: bool, code: Option<u64>) -> String {
        let mut out = String::with_capacity(min_words as usize * 8 + 64);
        self.prose.message(&mut out, chance, Style { min_words, rich, foreign, code });
        out
    }

    fn base(&self, base: u64) -> Chat {
        let used = self.part.base_use(base);
        let key = self.key("base", base);
        // Numbers of different formats never meet.
        let code = base * 3 + self.part.format as u64;
        if used == Use::Short && self.part.format != Format::Hh {
            return self.short(key, code);
        }
        let foreign = key.below(1, 1000) < FOREIGN;
        let turns = sizes(used, self.part.format, key);
        let turns = turns
            .iter()
            .enumerate()
            .map(|(n, (user, answer))| {
                let code = (n == 0).then_some(code);
                let (asked, told) = (key.sub("user", n as u64), key.sub("answer", n as u64));
                Turn {
                    user: self.text(asked, *user, false, foreign, code),
                    call: None,
                    answer: self.text(told, *answer, true, foreign, None),
                }
            })
            .collect();
        let mut chat = Chat { system: None, turns, note: None, canary: None };
        // A system prompt and a call are three messages more; nobody gets more than ten.
        if chat.turns.len() <= 3 {
            chat.system = self.system(key);
        }
        let callable = self.part.format == Format::OpenAi && chat.turns.len() <= 3;
        if callable && key.below(2, 1000) < TOOL_CALLS {
            self.add_call(&mut chat, key, None);
        }
        if let Use::Canary(n) = used {
            self.add_canary(&mut chat, key, n);
        }
        chat
    }

    fn short(&self, key: Chance, code: u64) -> Chat {
        let mut turn = Turn { user: String::new(), call: None, answer: String::new() };
        self.prose.short(&mut turn.user, key.sub("user", 0), code);
        self.prose.short(&mut turn.answer, key.sub("answer", 0), code + (1 << 36));
        Chat { system: None, turns: vec![turn], note: None, canary: None }
    }

    fn system(&self, key: Chance) -> Option<String> {
        if self.part.format == Format::Hh || key.below(3, 100) >= 30 {
            return None;
        }
        // Products have few system prompts, shared by many conversations.
        let prompt = Chance::new(self.seed, "system prompt", key.below(4, 40));
        Some(format!("You are a helpful assistant. {}", self.text(prompt, 20, false, false, None)))
    }

    /// Adds a tool call to a turn; `note` becomes one of its arguments.
    fn add_call(&self, chat: &mut Chat, key: Chance, note: Option<String>) {
        let chance = key.sub("call", 0);
        let noun = |n| chance.pick(n, &self.prose.words.nouns).as_str();
        // Keys stand in the order of the alphabet, as serde_json may or may not sort them.
        let mut arguments = serde_json::json!({ "limit": 1 + chance.below(3, 50) });
        if let Some(note) = note {
            arguments["note"] = note.into();
        }
        arguments["query"] = format!("{} {} {}", noun(0), noun(1), noun(2)).into();
        let result = serde_json::json!({"items": [noun(4), noun(5), noun(6)], "status": "ok"});
        let turn = chance.below(7, chat.turns.len() as u64) as usize;
        chat.turns[turn].call = Some(Call {
            id: format!("call_{}", chance.sub("id", 0).string(20, b"abcdefghijklmnopqrstuvwxyz")),
            tool: chance.choose(8, &TOOLS),
            arguments: arguments.to_string(),
            result: result.to_string(),
        });
    }

    fn add_canary(&self, chat: &mut Chat, key: Chance, n: u64) {
        let canary = canary(self.seed, n, &self.prose.words);
        let text = sentence(key.sub("context", 0), &canary);
        chat.canary = Some(canary.kind);
        let turn = key.below(5, chat.turns.len() as u64) as usize;
        match place(self.part.format, n) {
            Where::Metadata => chat.note = Some(text),
            Where::Arguments => {
                chat.turns.truncate(3);
                chat.turns.iter_mut().for_each(|turn| turn.call = None);
                self.add_call(chat, key, Some(text));
            }
            Where::User => self.insert(&mut chat.turns[turn].user, &text, key),
            // The last answer: the one message that HH's two records do not share.
            Where::Assistant => {
                let last = chat.turns.len() - 1;
                self.insert(&mut chat.turns[last].answer, &text, key);
            }
        }
    }

    /// Puts a sentence before a message's new last one.
    fn insert(&self, message: &mut String, text: &str, key: Chance) {
        message.push(' ');
        message.push_str(text);
        message.push(' ');
        self.prose.sentence(message, key.sub("closing", 0), false);
    }
}

/// Words of (user, answer) in each turn, at least; whole sentences make them up to 15 longer.
fn sizes(used: Use, format: Format, key: Chance) -> Vec<(u64, u64)> {
    let key = key.sub("sizes", 0);
    let between = |n, low: u64, high: u64| low + key.below(n, high - low);
    let turn = |n: u64, user: (u64, u64), answer: (u64, u64)| {
        (between(10 + n, user.0, user.1), between(30 + n, answer.0, answer.1))
    };
    // Few messages are long: squares of a uniform number.
    let ordinary = |n: u64| {
        let (r, s) = (key.below(10 + n, 100), key.below(30 + n, 100));
        (10 + r * r * 50 / 10_000, 22 + s * s * 160 / 10_000)
    };
    match (used, format) {
        (Use::Regenerated, _) | (_, Format::Hh) => {
            let mut turns: Vec<_> = (0..between(0, 1, 4)).map(|n| turn(n, (12, 60), (10, 25))).collect();
            if let Some(last) = turns.last_mut() {
                last.1 = between(1, 110, 220);
            }
            turns
        }
        // Turns of like size: a snapshot is never also a near copy of its base.
        (Use::Snapshots(most), _) => {
            let count = between(0, most + 1, 5);
            let mut turns: Vec<_> = (0..count).map(|n| turn(n, (25, 35), (50, 70))).collect();
            if let Some(last) = turns.last_mut() {
                *last = (last.0 * 2, last.1 * 2);
            }
            turns
        }
        (Use::Near, _) => {
            let mut turns: Vec<_> = (0..between(0, 1, 4)).map(ordinary).collect();
            turns[0] = turn(0, (65, 160), (65, 220));
            turns
        }
        _ => {
            let count = key.choose(0, &[1, 1, 1, 2, 2, 2, 3, 3, 4, 5]);
            (0..count).map(ordinary).collect()
        }
    }
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
