//! Tasks from drawn units and the text of their records.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};

use super::sink::{column, text};
use crate::error::{Error, Result};
use crate::record::{Id, ProjectKey, chance};
use crate::task::{Response, Rubric, TASK_SCHEMA_VERSION, Task, TaskMessage, TaskType};

/// A unit that was drawn.
#[derive(Clone, Debug)]
pub struct Unit {
    pub unit: String,
    pub stratum: String,
    pub inclusion_probability: f64,
    pub record_ids: Vec<String>,
    pub conversation_ids: Vec<String>,
    pub prompt_messages: u32,
    pub split_group: String,
    pub language: Option<String>,
}

/// A record's text, and where it comes from.
#[derive(Clone, Debug)]
pub struct Text {
    pub conversation_id: String,
    pub messages: Vec<TaskMessage>,
    pub tools: Option<String>,
    pub model: Option<String>,
    pub language: String,
}

/// Texts by record id.
pub type Texts = HashMap<String, Text>;

pub fn read_texts(batch: &RecordBatch, into: &mut Texts) -> Result<()> {
    let named = |name| text(batch, name);
    let (records, ids, languages) = (named("record_id")?, named("conversation_id")?, named("language")?);
    let (tools, models) = (named("tools")?, named("model")?);
    let lists = column(batch, "messages")?.as_list::<i32>();
    for i in 0..batch.num_rows() {
        let at = |column: &ArrayRef| column.as_string::<i32>().value(i).to_owned();
        let maybe = |column: &ArrayRef| column.is_valid(i).then(|| at(column));
        let text = Text {
            conversation_id: at(&ids),
            messages: messages(lists.value(i).as_struct()),
            tools: maybe(&tools),
            model: maybe(&models),
            language: at(&languages),
        };
        into.insert(at(&records), text);
    }
    Ok(())
}

pub fn messages(rows: &StructArray) -> Vec<TaskMessage> {
    let value = |name: &str, i: usize| -> Option<String> {
        let column = rows.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(i).then(|| column.value(i).to_owned())
    };
    (0..rows.len())
        .map(|i| TaskMessage {
            role: value("role", i).unwrap_or_default(),
            content: value("content", i).unwrap_or_default(),
            name: value("name", i),
            tool_call_id: value("tool_call_id", i),
            tool_calls: value("tool_calls", i),
        })
        .collect()
}

/// The whole question. Which of two answers is left is drawn, so that position tells nothing.
pub fn task(
    unit: &Unit,
    texts: &Texts,
    sample: &str,
    rubric: &Rubric,
    batch_id: &str,
    key: &ProjectKey,
    seed: u64,
) -> Result<Task> {
    let mut records: Vec<&String> = unit.record_ids.iter().collect();
    if rubric.task == TaskType::Pairwise && chance(seed, "sample/side", &unit.unit) % 2 == 1 {
        records.reverse();
    }
    let found =
        |record: &&String| texts.get(*record).ok_or_else(|| Error::damaged((*record).clone(), "its text is gone"));
    let texts = records.iter().map(found).collect::<Result<Vec<_>>>()?;
    let first = texts.first().ok_or_else(|| Error::damaged(unit.unit.clone(), "a task without a record"))?;
    let split = match rubric.task {
        TaskType::Pairwise => unit.prompt_messages as usize,
        _ => last_answer(&first.messages),
    };
    let response = |text: &&Text| Response {
        conversation_id: text.conversation_id.clone(),
        model: text.model.clone(),
        messages: turn(&text.messages, split),
    };
    Ok(Task {
        task_id: task_id(key, sample, rubric, &unit.conversation_ids).to_string(),
        batch_id: batch_id.to_owned(),
        task_schema_version: TASK_SCHEMA_VERSION,
        task_type: rubric.task,
        rubric: rubric.name.clone(),
        rubric_version: rubric.version.clone(),
        stratum: unit.stratum.clone(),
        inclusion_probability: unit.inclusion_probability,
        split_group: unit.split_group.clone(),
        language: unit.language.clone(),
        tools: first.tools.clone(),
        prompt: first.messages[..split.min(first.messages.len())].to_vec(),
        responses: texts.iter().map(response).collect(),
    })
}

/// The same question is the same task, whatever batch it is drawn into.
/// Another pair of answers to the same prompt is another task.
fn task_id(key: &ProjectKey, sample: &str, rubric: &Rubric, conversation_ids: &[String]) -> Id {
    let mut ids: Vec<&str> = conversation_ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    key.id("task", [sample, &rubric.name, &rubric.version, &ids.join(" ")].join("\0").as_bytes())
}

/// Where the last assistant message begins.
fn last_answer(messages: &[TaskMessage]) -> usize {
    messages.iter().rposition(|message| message.role == "assistant").unwrap_or(messages.len())
}

/// The assistant's turn from `start`: up to the next user message.
pub fn turn(messages: &[TaskMessage], start: usize) -> Vec<TaskMessage> {
    messages.iter().skip(start).take_while(|message| message.role != "user").cloned().collect()
}
