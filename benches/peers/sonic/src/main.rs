//! A typed parse of OpenAI chat JSONL with sonic-rs, one core: what reading is measured against.
//!
//! Not here: what gristmill does beyond parsing (places, rejects, unknown fields, Arrow).
//!
//! Always: seconds are seconds on the processor, as in `benches/read.rs`; the whole file is in memory before the clock starts, and every field of every row is
//! owned, as a reader that hands rows on must own them.

use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<String>,
    name: Option<String>,
    tool_call_id: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    id: String,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: String,
}

/// Bytes that a row owns; so that no field can be left out by the compiler.
fn weigh(row: &Row) -> usize {
    let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let call = |call: &Call| call.id.len() + call.function.name.len() + call.function.arguments.len();
    let message = |message: &Message| {
        let calls: usize = message.tool_calls.iter().flatten().map(call).sum();
        message.role.len() + len(&message.content) + len(&message.name) + len(&message.tool_call_id) + calls
    };
    let created = usize::from(row.created.is_some());
    len(&row.id) + len(&row.model) + created + row.messages.iter().map(message).sum::<usize>()
}

/// Seconds that this thread had a processor.
fn clock() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|text| text.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

fn main() {
    let usage = "typed-sonic FILE [TIMES]";
    let path = std::env::args().nth(1).expect(usage);
    let times: usize = std::env::args().nth(2).map_or(1, |text| text.parse().expect(usage));
    let raw = std::fs::read(path).expect("a readable file");
    for _ in 0..times {
        let (mut rows, mut bytes) = (0u64, 0);
        let began = clock();
        let mut rest = &raw[..];
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            if let Ok(row) = sonic_rs::from_slice::<Row>(&rest[..end]) {
                bytes += weigh(&row);
                rows += 1;
            }
            rest = &rest[(end + 1).min(rest.len())..];
        }
        println!("{} {rows} {bytes} {}", clock() - began, raw.len());
    }
}
