//! Tasks as Label Studio takes them: a labeling configuration and import files.
//!
//! Not here: which rows become tasks (the rest of `sample`), reading answers back
//! (`stages::label`), writing files (the runner). Uses only tags of the Community edition.
//!
//! Always: every `$variable` of the configuration is a key of every task's `data`; the names of
//! controls and keys are those of `task::control` and `task::data_key`, by which they are read back.

use serde_json::{Map, Value, json};

use crate::task::{BOTH_BAD, Rubric, TIE, Task, TaskMessage, TaskType, control, data_key};

/// A file may hold at most this many tasks (labelstud.io, guide/tasks).
pub const MAX_TASKS_PER_FILE: usize = 250_000;
/// 50 MB by the same page; decimal, to be on the safe side.
pub const MAX_FILE_BYTES: usize = 50_000_000;

/// Highest value of Label Studio's Rating where the rubric names no scale (its own default).
const DEFAULT_MAX_RATING: u8 = 5;

/// The XML for the project's "Labeling interface" page. Skipping a task there is a cancelled
/// annotation; submitting a `tag` task without a tag says "none of them".
pub fn labeling_config(rubric: &Rubric) -> String {
    let mut xml = String::from("<View>\n");
    header(&mut xml, &format!("{} {}", rubric.name, rubric.version), 4);
    for line in rubric.instructions.lines().filter(|line| !line.trim().is_empty()) {
        header(&mut xml, line.trim(), 6);
    }
    xml += &format!(
        "  <Paragraphs name=\"{0}\" value=\"${0}\" layout=\"dialogue\" nameKey=\"role\" textKey=\"content\"/>\n",
        data_key::DIALOGUE
    );
    let about = match rubric.task {
        TaskType::Pairwise => data_key::LEFT,
        _ => data_key::DIALOGUE,
    };
    xml += &match rubric.task {
        TaskType::Pairwise => pairwise(),
        TaskType::Rate => rating(rubric.scale.map_or(DEFAULT_MAX_RATING, |scale| scale.max)),
        TaskType::Rewrite => rewrite(),
        TaskType::Tag => choices(control::TAGS, about, "multiple", rubric.tags.iter().map(String::as_str)),
    };
    xml += &format!(
        "  <TextArea name=\"{}\" toName=\"{about}\" placeholder=\"Why? (optional)\" rows=\"2\" \
         maxSubmissions=\"1\" editable=\"true\" required=\"false\"/>\n</View>\n",
        control::JUSTIFICATION
    );
    xml
}

fn header(xml: &mut String, text: &str, size: u8) {
    *xml += &format!("  <Header value=\"{}\" size=\"{size}\"/>\n", escape(&literal(text)));
}

fn pairwise() -> String {
    let (left, right) = (data_key::LEFT, data_key::RIGHT);
    let side = |name: &str| {
        format!(
            "    <View style=\"flex: 50%\"><Text name=\"{name}\" value=\"${name}\" valueType=\"text\" \
             saveTextResult=\"no\"/></View>\n"
        )
    };
    format!(
        "  <Pairwise name=\"{}\" toName=\"{left},{right}\"/>\n  <View style=\"display: flex; gap: 1em\">\n{}{}  </View>\n{}",
        control::PREFERENCE,
        side(left),
        side(right),
        choices(control::TIE, left, "single", [TIE, BOTH_BAD].into_iter())
    )
}

fn rating(max: u8) -> String {
    format!(
        "  <Rating name=\"{}\" toName=\"{}\" maxRating=\"{max}\" required=\"true\"/>\n",
        control::RATING,
        data_key::DIALOGUE
    )
}

fn rewrite() -> String {
    format!(
        "  <TextArea name=\"{}\" toName=\"{}\" value=\"${}\" rows=\"12\" maxSubmissions=\"1\" editable=\"true\" \
         required=\"true\"/>\n",
        control::REWRITE,
        data_key::DIALOGUE,
        data_key::LAST_ANSWER
    )
}

fn choices<'a>(name: &str, about: &str, choice: &str, values: impl Iterator<Item = &'a str>) -> String {
    let mut xml = format!("  <Choices name=\"{name}\" toName=\"{about}\" choice=\"{choice}\" showInline=\"true\">\n");
    for value in values {
        xml += &format!("    <Choice value=\"{}\"/>\n", escape(value));
    }
    xml + "  </Choices>\n"
}

/// In shown text Label Studio replaces `$word` by the task's value of that name. A word joiner,
/// which has no width, keeps "$5" what it is.
fn literal(text: &str) -> String {
    text.replace('$', "$\u{2060}")
}

/// For double-quoted attributes. Control characters are no XML, even escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// The import format: a list of objects with `data`. Text keys follow the rubric's kind of task,
/// as the configuration does, so that the two always fit.
pub fn tasks_json(tasks: &[Task], rubric: &Rubric) -> Value {
    Value::Array(tasks.iter().map(|task| task_json(task, rubric)).collect())
}

/// The same as import files, each within Label Studio's limits. A task above the size limit on
/// its own gets a file of its own; nothing is left out.
pub fn files(tasks: &[Task], rubric: &Rubric) -> Vec<String> {
    split(tasks.iter().map(|task| task_json(task, rubric).to_string()), MAX_TASKS_PER_FILE, MAX_FILE_BYTES)
}

fn split(tasks: impl Iterator<Item = String>, max_tasks: usize, max_bytes: usize) -> Vec<String> {
    let mut files = Vec::new();
    let (mut file, mut held) = (String::new(), 0);
    for task in tasks {
        // One byte for the comma or bracket before the task, two for "]\n" at the end.
        if held > 0 && (held == max_tasks || file.len() + 1 + task.len() + 2 > max_bytes) {
            files.push(std::mem::take(&mut file) + "]\n");
            held = 0;
        }
        file.push(if held == 0 { '[' } else { ',' });
        file += &task;
        held += 1;
    }
    if held > 0 {
        files.push(file + "]\n");
    }
    files
}

fn task_json(task: &Task, rubric: &Rubric) -> Value {
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
    put(data_key::TASK_ID, json!(task.task_id));
    put(data_key::BATCH_ID, json!(task.batch_id));
    put(data_key::RUBRIC, json!(task.rubric));
    put(data_key::RUBRIC_VERSION, json!(task.rubric_version));
    put(data_key::TASK_SCHEMA_VERSION, json!(task.task_schema_version));
    put(data_key::TASK_TYPE, json!(task.task_type.as_str()));
    put(data_key::STRATUM, json!(task.stratum));
    let answer = |index: usize| task.responses.get(index).map_or(&[][..], |response| &response.messages);
    let shown = if rubric.task == TaskType::Pairwise { &[] } else { answer(0) };
    put(data_key::DIALOGUE, dialogue(task, shown));
    match rubric.task {
        TaskType::Pairwise => {
            put(data_key::LEFT, json!(answer_text(answer(0))));
            put(data_key::RIGHT, json!(answer_text(answer(1))));
        }
        TaskType::Rewrite => {
            let last = answer(0).iter().rev().find(|message| message.role == "assistant");
            put(data_key::LAST_ANSWER, json!(last.map_or("", |message| message.content.as_str())));
        }
        TaskType::Rate | TaskType::Tag => {}
    }
    json!({ "data": data })
}

/// Tool definitions first: whoever grades a call must see what could be called.
fn dialogue(task: &Task, answer: &[TaskMessage]) -> Value {
    let tools = task.tools.iter().map(|tools| json!({ "role": "tools", "content": tools }));
    let messages = task.prompt.iter().chain(answer);
    let messages = messages.map(|message| json!({ "role": speaker(message), "content": shown_text(message) }));
    Value::Array(tools.chain(messages).collect())
}

fn speaker(message: &TaskMessage) -> String {
    match &message.name {
        Some(name) => format!("{} ({name})", message.role),
        None => message.role.clone(),
    }
}

fn shown_text(message: &TaskMessage) -> String {
    match &message.tool_calls {
        Some(calls) if message.content.is_empty() => format!("[tool calls] {calls}"),
        Some(calls) => format!("{}\n[tool calls] {calls}", message.content),
        None => message.content.clone(),
    }
}

/// A plain answer stands as it is; one with tool steps names who speaks.
fn answer_text(messages: &[TaskMessage]) -> String {
    match messages {
        [only] => shown_text(only),
        many => {
            let turns = many.iter().map(|message| format!("{}: {}", speaker(message), shown_text(message)));
            turns.collect::<Vec<_>>().join("\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Response, Scale, TASK_SCHEMA_VERSION};

    const ALL: [TaskType; 4] = [TaskType::Pairwise, TaskType::Rate, TaskType::Rewrite, TaskType::Tag];

    fn rubric(task: TaskType) -> Rubric {
        Rubric {
            name: "help".into(),
            version: "3".into(),
            task,
            instructions: "Is it <good> & \"safe\"?\n\nIt costs $5 or $left.".into(),
            scale: (task == TaskType::Rate).then_some(Scale { min: 1, max: 7 }),
            tags: vec!["R&D".into(), "<b>".into()],
        }
    }

    fn says(role: &str, content: &str) -> TaskMessage {
        TaskMessage { role: role.into(), content: content.into(), name: None, tool_call_id: None, tool_calls: None }
    }

    fn task(task_type: TaskType) -> Task {
        let response = |text: &str| Response {
            conversation_id: "c".into(),
            model: None,
            messages: vec![
                TaskMessage { tool_calls: Some("[{\"name\":\"f\"}]".into()), ..says("assistant", "") },
                TaskMessage { name: Some("f".into()), ..says("tool", "42") },
                says("assistant", text),
            ],
        };
        let mut responses = vec![response("one"), response("two")];
        responses.truncate(if task_type == TaskType::Pairwise { 2 } else { 1 });
        Task {
            task_id: "t1".into(),
            batch_id: "b1".into(),
            task_schema_version: TASK_SCHEMA_VERSION,
            task_type,
            rubric: "help".into(),
            rubric_version: "3".into(),
            stratum: "en".into(),
            inclusion_probability: 0.5,
            split_group: "g".into(),
            language: None,
            tools: Some("[{\"name\":\"f\"}]".into()),
            prompt: vec![says("user", "what?")],
            responses,
        }
    }

    /// Values of an attribute, without an XML parser.
    fn attributes<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
        let start = format!(" {name}=\"");
        xml.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn every_variable_is_a_key_of_data_and_every_target_has_a_name() {
        for kind in ALL {
            let xml = labeling_config(&rubric(kind));
            let tasks = tasks_json(&[task(kind)], &rubric(kind));
            for variable in attributes(&xml, "value").into_iter().filter_map(|value| value.strip_prefix('$')) {
                assert!(tasks[0]["data"].get(variable).is_some(), "{kind:?}: {variable}");
            }
            let names = attributes(&xml, "name");
            for target in attributes(&xml, "toName").into_iter().flat_map(|targets| targets.split(',')) {
                assert!(names.contains(&target), "{kind:?}: {target}");
            }
            let mut distinct = names.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), names.len(), "{kind:?}: names are unique");
        }
    }

    #[test]
    fn each_kind_has_its_controls() {
        for (kind, expected) in [
            (TaskType::Pairwise, "<Pairwise name=\"preference\" toName=\"left,right\"/>"),
            (TaskType::Pairwise, "<Choice value=\"both-bad\"/>"),
            (TaskType::Rate, "maxRating=\"7\""),
            (TaskType::Rewrite, "value=\"$last_answer\""),
            (TaskType::Tag, "choice=\"multiple\""),
            (TaskType::Tag, "<Choice value=\"R&amp;D\"/>"),
            (TaskType::Tag, "<Choice value=\"&lt;b&gt;\"/>"),
            (TaskType::Tag, "value=\"Is it &lt;good&gt; &amp; &quot;safe&quot;?\""),
            (TaskType::Tag, "value=\"It costs $\u{2060}5 or $\u{2060}left.\""),
            (TaskType::Tag, "name=\"justification\" toName=\"dialogue\""),
        ] {
            let xml = labeling_config(&rubric(kind));
            assert!(xml.contains(expected), "{kind:?}: no {expected} in\n{xml}");
        }
    }

    #[test]
    fn tags_are_closed() {
        for kind in ALL {
            let xml = labeling_config(&rubric(kind));
            let opened = xml.matches("<View").count() + xml.matches("<Choices").count();
            assert_eq!(opened, xml.matches("</").count(), "{xml}");
        }
    }

    #[test]
    fn data_carries_versions_and_text() {
        let pair = tasks_json(&[task(TaskType::Pairwise)], &rubric(TaskType::Pairwise));
        let data = &pair[0]["data"];
        assert_eq!(data["rubric_version"], "3");
        assert_eq!(data["task_schema_version"], TASK_SCHEMA_VERSION);
        assert_eq!(data["right"], "assistant: [tool calls] [{\"name\":\"f\"}]\n\ntool (f): 42\n\nassistant: two");
        assert_eq!(data["dialogue"].as_array().map(Vec::len), Some(2));
        assert!(data.get("split_group").is_none(), "annotators need not see it");
        let rewrite = tasks_json(&[task(TaskType::Rewrite)], &rubric(TaskType::Rewrite));
        assert_eq!(rewrite[0]["data"]["last_answer"], "one");
        assert_eq!(rewrite[0]["data"]["dialogue"].as_array().map(Vec::len), Some(5));
    }

    #[test]
    fn files_keep_both_limits_and_all_tasks() {
        for (sizes, max_tasks, max_bytes, expected) in [
            (vec![], 2, 100, vec![]),
            (vec![3, 3, 3], 2, 100, vec![2, 1]),
            (vec![3, 3, 3], 9, 10, vec![2, 1]), // "[333,333]\n" is 10 bytes
            (vec![3, 3, 3], 9, 9, vec![1, 1, 1]),
            (vec![3, 50, 3], 9, 10, vec![1, 1, 1]),
        ] {
            let tasks: Vec<String> = sizes.iter().map(|size| "3".repeat(*size)).collect();
            let files = split(tasks.into_iter(), max_tasks, max_bytes);
            let held: Vec<usize> = files.iter().map(|file| file.matches(',').count() + 1).collect();
            assert_eq!(held, expected, "{sizes:?}");
            assert!(files.iter().all(|file| file.starts_with('[') && file.ends_with("]\n")));
        }
        let one = files(&[task(TaskType::Tag)], &rubric(TaskType::Tag));
        let read: Value = serde_json::from_str(&one[0]).unwrap();
        assert_eq!(read, tasks_json(&[task(TaskType::Tag)], &rubric(TaskType::Tag)));
    }
}
