//! Findings as a SARIF 2.1.0 log (OASIS standard), which code hosts and editors show in place.
//!
//! Always: no value, and no text around one; bytes count as `scan` says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::files::scan::Found;
use crate::stages::redact::catalogue;

#[derive(Default)]
pub struct Results {
    results: Vec<Value>,
    /// Rules with a result, and the type of what they find.
    rules: BTreeMap<&'static str, &'static str>,
}

impl Results {
    pub fn add(&mut self, path: &str, Found { line, column, seen }: &Found) {
        let (kind, length) = (seen.kind.as_str(), seen.end_byte - seen.start_byte);
        self.rules.insert(seen.rule, kind);
        let mut region = json!({ "startLine": line });
        if seen.field.is_empty() {
            region["startColumn"] = json!(column);
            region["byteOffset"] = json!(seen.start_byte);
            region["byteLength"] = json!(length);
        }
        let mut location =
            json!({ "physicalLocation": { "artifactLocation": { "uri": uri(path) }, "region": region } });
        if !seen.field.is_empty() {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": seen.field }]);
        }
        self.results.push(json!({
            "ruleId": seen.rule,
            "level": if seen.kind.is_secret() { "error" } else { "warning" },
            "message": { "text": format!("{kind}, found by rule {} version {}", seen.rule, seen.rule_version) },
            "locations": [location],
            "properties": { "type": kind, "score": seen.score, "startByte": seen.start_byte, "endByte": seen.end_byte },
        }));
    }

    pub fn log(self) -> String {
        let about = |(id, kind): (&&str, &&str)| {
            let source = catalogue().find(|rule| rule.id == *id).map(|rule| rule.source).unwrap_or_default();
            json!({ "id": id, "shortDescription": { "text": format!("finds {kind}") }, "help": { "text": source } })
        };
        let rules: Vec<Value> = self.rules.iter().map(about).collect();
        let driver = json!({ "name": "gristmill", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": self.results }],
        })
        .to_string()
    }
}

/// A path as a relative reference: what URIs reserve is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Redact;
    use crate::record::ProjectKey;
    use crate::stages::redact::Redactor;

    #[test]
    fn a_log_holds_rules_places_and_no_value() {
        let key = ProjectKey::from_secret("a secret of good length").unwrap();
        let redactor = Redactor::new(&Redact::default(), &key).unwrap();
        let mut results = Results::default();
        for seen in redactor.sightings("to jane@example.com").unwrap() {
            results.add("./a b.txt", &Found { line: 3, column: 4, seen });
        }
        for seen in redactor.record_sightings(r#"{"t":"jane@example.com"}"#).unwrap() {
            results.add("x.jsonl", &Found { line: 1, column: 0, seen });
        }
        let log = results.log();
        assert!(!log.contains("jane"), "{log}");
        let log: Value = serde_json::from_str(&log).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["results"].as_array().unwrap().len(), 2);
        assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 1);
        let place = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.txt");
        assert_eq!(place["region"], json!({ "startLine": 3, "startColumn": 4, "byteOffset": 3, "byteLength": 16 }));
        assert_eq!(run["results"][1]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "$.t");
    }
}
