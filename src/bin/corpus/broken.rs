//! Lines that an ingest must reject, one kind for each reject reason.
//!
//! Always: a line is broken in exactly one way, and its text is no other row's.

use crate::chance::Chance;
use crate::chat::{Chat, Turn};
use crate::plan::Format;
use crate::prose::{Prose, Style};

pub const REASONS: [&str; 7] =
    ["invalid_json", "invalid_utf8", "unknown_role", "missing_role", "no_messages", "bad_shape", "duplicate_key"];

/// The reason of the n-th broken line of a format: reasons take turns.
pub const fn reason(n: u64) -> usize {
    (n % REASONS.len() as u64) as usize
}

/// Writes the n-th broken line of a format, without its line feed.
pub fn line(out: &mut Vec<u8>, prose: &Prose, seed: u64, format: Format, n: u64) {
    let chance = Chance::new(seed, "broken", n).sub(format.name(), 0);
    let chat = chat(prose, chance);
    let turns = &chat.turns[0];
    let (list, role, text, user) = match format {
        Format::OpenAi => ("messages", "role", "content", "user"),
        _ => ("conversations", "from", "value", "human"),
    };
    let id = chance.sub("id", 0).string(16, b"abcdefghijklmnopqrstuvwxyz");
    // The words are plain ASCII without quotes or breaks, so no escapes are needed.
    let message = |said: &str| format!(r#"{{"{role}":"{user}","{text}":"{said}"}}"#);
    let object = |messages: &str| format!(r#"{{"id":"{id}","{list}":[{messages}]}}"#);
    let second = n / REASONS.len() as u64 % 2 == 1;
    let line = match REASONS[reason(n)] {
        "invalid_json" if second => turns.answer.clone(),
        "invalid_json" => {
            let whole = object(&message(&turns.user));
            whole[..whole.len() * 3 / 5].to_owned()
        }
        "invalid_utf8" => {
            let whole = object(&message(&format!("{}|{}", turns.user, turns.answer)));
            // 0xFF stands in no UTF-8 text.
            out.extend(whole.bytes().map(|byte| if byte == b'|' { 0xff } else { byte }));
            return;
        }
        "unknown_role" => object(&format!(r#"{{"{role}":"narrator","{text}":"{}"}}"#, turns.user)),
        "missing_role" => object(&format!(r#"{{"{text}":"{}"}}"#, turns.user)),
        "no_messages" => object(""),
        "bad_shape" if second => format!("[{},{}]", chance.below(1, 100), chance.below(2, 100)),
        "bad_shape" => format!(r#"{{"note":"{}"}}"#, turns.user),
        _ => {
            let whole = object(&message(&turns.user));
            format!(r#"{},"{list}":[{}]}}"#, &whole[..whole.len() - 1], message(&turns.answer))
        }
    };
    out.extend_from_slice(line.as_bytes());
}

fn chat(prose: &Prose, chance: Chance) -> Chat {
    let text = |part: &str| {
        let mut out = String::new();
        let style = Style { min_words: 20, rich: false, foreign: false, code: None };
        prose.message(&mut out, chance.sub(part, 0), style);
        out
    };
    let turn = Turn { user: text("user"), call: None, answer: text("answer") };
    Chat { system: None, turns: vec![turn], note: None, canary: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_meant_kinds_fail_to_parse() {
        let prose = Prose::new(1);
        for format in [Format::OpenAi, Format::ShareGpt] {
            for n in 0..28 {
                let mut out = Vec::new();
                line(&mut out, &prose, 1, format, n);
                let kind = REASONS[reason(n)];
                assert_eq!(std::str::from_utf8(&out).is_err(), kind == "invalid_utf8");
                let parsed = serde_json::from_slice::<serde_json::Value>(&out).is_ok();
                assert_eq!(parsed, !matches!(kind, "invalid_json" | "invalid_utf8"), "{kind}");
                assert!(!out.contains(&b'\n'));
            }
        }
    }
}
