//! `gristmill rules`: what redaction knows, what each rule asks for, and whether it holds.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::out;
use crate::error::{Error, Result};
use crate::report;
use crate::stages::redact::{Rule, catalogue, test_rules};

#[derive(Debug, Subcommand)]
pub enum Rules {
    /// All rules: id, version, type, country
    List(List),
    /// One rule in full: what it verifies, the words it needs, its source, its examples
    Explain(Explain),
    /// Hold every rule to its examples and look-alikes
    Test(Test),
}

#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub struct List {
    /// Only rules of this type or group
    #[arg(long, value_name = "TYPE")]
    r#type: Option<String>,
    /// One JSON object a rule
    #[arg(long)]
    json: bool,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gristmill rules list
  gristmill rules list --type government --json";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub struct Explain {
    /// Id of a rule, as findings have it
    id: String,
    #[arg(long)]
    json: bool,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  gristmill rules explain ip.v4";

#[derive(Debug, Args)]
#[command(after_help = TEST_EXAMPLES)]
pub struct Test {
    #[arg(long)]
    json: bool,
}

const TEST_EXAMPLES: &str = "\
Examples:
  gristmill rules test";

pub fn run(args: &Rules) -> Result<()> {
    match args {
        Rules::List(args) => list(args),
        Rules::Explain(args) => explain(args),
        Rules::Test(args) => test(args),
    }
}

fn list(args: &List) -> Result<()> {
    let wanted = |rule: &&Rule| {
        let name = args.r#type.as_deref();
        name.is_none_or(|name| rule.kind.as_str() == name || rule.kind.group().as_str() == name)
    };
    let mut rules: Vec<&Rule> = catalogue().filter(wanted).collect();
    if rules.is_empty() {
        let name = args.r#type.as_deref().unwrap_or_default();
        return Err(Error::Usage(format!("no rule finds {name:?}; `gristmill rules list` has all types")));
    }
    rules.sort_by_key(|rule| (rule.kind.group().as_str(), rule.kind.as_str(), rule.id));
    match args.json {
        true => rules.iter().try_for_each(|rule| out::json(&about(rule))),
        false => out::text(&report::rules::list(&rules)),
    }
}

fn explain(args: &Explain) -> Result<()> {
    let unknown = || Error::Usage(format!("no rule is called {:?}; `gristmill rules list` has all", args.id));
    let rule = catalogue().find(|rule| rule.id == args.id).ok_or_else(unknown)?;
    out::either(args.json, &about(rule), |_| report::rules::explain(rule))
}

fn about(rule: &Rule) -> Value {
    json!({
        "id": rule.id, "version": rule.version, "type": rule.kind.as_str(), "group": rule.kind.group().as_str(),
        "country": rule.country, "score": rule.score, "check": rule.check, "context": rule.context,
        "source": rule.source, "examples": rule.finds.len(), "look_alikes": rule.passes.len(),
    })
}

fn test(args: &Test) -> Result<()> {
    let tested = test_rules().map_err(Error::Usage)?;
    let wrong: Vec<_> = tested.iter().filter(|one| !one.wrong.is_empty()).collect();
    let texts: usize = tested.iter().map(|one| one.rule.finds.len() + one.rule.passes.len()).sum();
    let told: Vec<Value> = wrong.iter().map(|one| json!({ "id": one.rule.id, "wrong": one.wrong })).collect();
    let summary = json!({ "rules": tested.len(), "texts": texts, "wrong": told });
    out::either(args.json, &summary, |_| {
        let lines = wrong.iter().flat_map(|one| one.wrong.iter().map(|what| format!("{}: {what}\n", one.rule.id)));
        let lines: String = lines.collect();
        format!("{lines}{} rules held to {texts} texts, {} of them wrong\n", tested.len(), wrong.len())
    })?;
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::Gate { gate: "rules".to_owned(), why: format!("{} rules are wrong", wrong.len()) }),
    }
}
