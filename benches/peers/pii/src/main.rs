//! Runs a Rust peer over JSON lines of `{"text"}`: `pii-peers datafog|redact FILE`. Prints processor
//! seconds (reading left out) and how many findings of which type.

use std::collections::BTreeMap;

fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (peer, file) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    let text = std::fs::read_to_string(file).expect("the file is text");
    let texts: Vec<String> = text
        .lines()
        .filter_map(|line| Some(serde_json::from_str::<serde_json::Value>(line).ok()?["text"].as_str()?.to_owned()))
        .collect();
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let engine = (peer == "redact").then(redact_core::AnalyzerEngine::new);
    let began = processor_seconds();
    for text in &texts {
        match &engine {
            None => datafog_core::scan(text).into_iter().for_each(|one| *found.entry(one.entity_type).or_default() += 1),
            Some(engine) => {
                let entities = engine.analyze(text, Some("en")).map(|one| one.detected_entities).unwrap_or_default();
                entities.into_iter().for_each(|one| *found.entry(format!("{:?}", one.entity_type)).or_default() += 1);
            }
        }
    }
    let seconds = processor_seconds() - began;
    println!("{}", serde_json::json!({ "seconds": seconds, "found": found }));
}
