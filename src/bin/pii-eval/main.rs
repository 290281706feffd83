//! Measures redaction on the developer sets and prints one table: what was measured, the goal,
//! whether it is met.
//!
//! Not here: the sets themselves (their licences keep some out of this repository); without the
//! folder the sets are skipped, and said to be.
//!
//! Always: what is counted is what a pipeline would redact: each text is a conversation that goes
//! through `Redactor::conversation` with all types on but `DATE` and `URL`, which only a policy asks
//! for (where a set labels them, they are on); a gold span counts as covered only if no character of
//! it is left.

mod clean;
mod conll;
mod presidio;
mod score;
mod secrets;
mod sgd;
mod speed;

use std::path::Path;
use std::process::ExitCode;

use gristmill::config::Redact;
use gristmill::record::{Conversation, Message, ProjectKey, Role};
use gristmill::stages::redact::{Finding, Kind, Redactor};

use score::Table;

/// One finding in one of the texts of a conversation.
pub struct Found {
    pub message: usize,
    /// Bytes, half-open.
    pub range: std::ops::Range<usize>,
    pub kind: Kind,
}

/// A redactor and what it finds.
pub struct Eye(Redactor);

impl Eye {
    fn new() -> Result<Eye, String> {
        Eye::of(Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Date | Kind::Url)))
    }

    /// As the preset `strict` looks.
    pub fn strict() -> Result<Eye, String> {
        Eye::of(Kind::ALL.iter())
    }

    fn of<'a>(types: impl Iterator<Item = &'a Kind>) -> Result<Eye, String> {
        let key = ProjectKey::from_secret("only for measuring, no secret").ok_or("the key is too short")?;
        let types = types.map(|kind| kind.as_str().to_owned()).collect();
        let config = Redact { types, ..Redact::default() };
        Redactor::new(&config, &key).map(Eye)
    }

    /// Findings in the contents of a conversation whose messages are these texts.
    pub fn look<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Vec<Found> {
        let role = |n: usize| if n.is_multiple_of(2) { Role::User } else { Role::Assistant };
        let messages = texts.into_iter().enumerate().map(|(n, text)| Message::text(role(n), text)).collect();
        let mut conversation = Conversation { messages, ..Conversation::default() };
        let mut findings: Vec<Finding> = Vec::new();
        let scope = self.0.scope(&conversation);
        self.0.conversation(&mut conversation, scope, &mut findings);
        findings.iter().filter_map(found).collect()
    }
}

/// `messages[3].content` and where in it.
fn found(finding: &Finding) -> Option<Found> {
    let message = finding.field.strip_prefix("messages[")?.strip_suffix("].content")?.parse().ok()?;
    Some(Found { message, range: finding.start_byte as usize..finding.end_byte as usize, kind: finding.kind })
}

fn main() -> ExitCode {
    match run() {
        Ok(all_met) if all_met => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(what) => {
            eprintln!("pii-eval: {what}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| "../shared/data/pii".to_owned());
    let only: Vec<String> = args.collect();
    let folder = Path::new(&folder);
    let eye = Eye::new()?;
    let mut table = Table::default();
    type Set = (&'static str, fn(&Eye, &Path, &mut Table) -> Result<(), String>);
    let sets: [Set; 6] = [
        ("presidio", presidio::measure),
        ("sgd", sgd::measure),
        ("names", conll::measure),
        ("secrets", secrets::measure),
        ("clean", clean::measure),
        ("speed", speed::measure),
    ];
    for (name, measure) in sets {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        match folder.is_dir() || matches!(name, "clean" | "speed") {
            true => measure(&eye, folder, &mut table)?,
            false => {
                println!("SKIP {name}: no folder {}; give the place of the sets as the first word", folder.display())
            }
        }
    }
    Ok(table.print())
}
