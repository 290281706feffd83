//! Releases made from the logs themselves: every kept conversation as an example, or the
//! preferences that the logs state.
//!
//! Rows stream from the plan to the files in the order of their ids; only ids are held.

use std::collections::{HashMap, HashSet};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use futures::StreamExt;
use std::sync::Arc;

use super::Job;
use super::dataset::{Inputs, STAGE, behind, count, maybe};
use super::dataset_rows::{Example, PairRow, examples_batch, pairs_batch};
use super::release::{Behind, Origin, Release};
use super::sink::{arrow_error, column, text};
use super::stated::Stated;
use super::tasks::{Texts, messages, read_texts};
use crate::config::Dataset;
use crate::engine::Joins;
use crate::error::{Error, Result};
use crate::stages::dataset::pair::pair;
use crate::store::{Books, Staged};

impl Job<'_> {
    pub(super) async fn sft_from_logs(
        &mut self,
        dataset: &Dataset,
        inputs: &Inputs<'_>,
        release: &mut Release<'_>,
    ) -> Result<Books> {
        self.logs_tables(inputs).await?;
        let filter = dataset.filter.as_deref().map(|filter| format!("and ({filter})")).unwrap_or_default();
        let sql = format!(
            "select r.*, d.split_group as split_group from \
             (select record_id, split_group from deduped where true {filter}) d \
             join redacted r on r.record_id = d.record_id order by r.conversation_id"
        );
        let plan = self.engine.sql(STAGE, &sql, Joins::HashWide).await?;
        let mut rows = plan.execute_stream().await.map_err(|err| Error::engine(STAGE, &err))?;
        let mut books = Books { records_read: inputs.deduped.manifest.books.kept, ..Default::default() };
        let mut cut = HashSet::new();
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(|err| Error::engine(STAGE, &err))?;
            let (examples, origins) = examples(&batch, &inputs.sources, &mut cut, &mut books)?;
            books.kept += examples.len() as u64;
            if !examples.is_empty() {
                release.push(&examples_batch(&examples)?, &origins)?;
            }
        }
        // Known from the input, not from what came out: a lost row would show.
        let wanted = self.wanted(&filter).await?;
        if wanted < books.records_read {
            books.dropped.insert("not_wanted".to_owned(), books.records_read - wanted);
        }
        Ok(books)
    }

    async fn wanted(&self, filter: &str) -> Result<u64> {
        let sql = format!("select count(*) as n from deduped where true {filter}");
        let counted = self.engine.collect(STAGE, &sql).await?;
        Ok(counted
            .first()
            .map_or(0, |batch| batch.column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0) as u64))
    }

    pub(super) async fn pairs_from_logs(
        &mut self,
        inputs: &Inputs<'_>,
        aside: &Staged,
        release: &mut Release<'_>,
    ) -> Result<Books> {
        self.logs_tables(inputs).await?;
        let mut books = Books::default();
        let pairs = self.stated(inputs, &mut books).await?;
        if pairs.is_empty() {
            return Ok(books);
        }
        let schema = Schema::new(
            ["pair_id", "chosen", "rejected", "split_group"]
                .map(|name| Field::new(name, DataType::Utf8, false))
                .to_vec(),
        );
        let words =
            |of: fn(&Stated) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(pairs.iter().map(of))) };
        let columns =
            vec![words(|p| &p.pair_id), words(|p| &p.chosen), words(|p| &p.rejected), words(|p| &p.split_group)];
        let table = RecordBatch::try_new(Arc::new(schema), columns).map_err(|err| arrow_error(STAGE, &err))?;
        self.temporary(&aside.staging, "pairs", &table)?;
        let side = |alias: &str, part: &str| {
            let columns = [
                "conversation_id",
                "record_id",
                "source_id",
                "start_byte",
                "end_byte",
                "line",
                "element",
                "record_hash",
                "messages",
                "tools",
                "model",
                "language",
            ];
            columns.map(|name| format!("{alias}.{name} as {part}_{name}")).join(", ")
        };
        let sql = format!(
            "select p.pair_id as pair_id, p.split_group as split_group, {}, {} from pairs p \
             join redacted c on p.chosen = c.record_id join redacted r on p.rejected = r.record_id order by p.pair_id",
            side("c", "chosen"),
            side("r", "rejected")
        );
        // Both sides carry text.
        let plan = self.engine.sql(STAGE, &sql, Joins::Sort).await?;
        let mut rows = plan.execute_stream().await.map_err(|err| Error::engine(STAGE, &err))?;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(|err| Error::engine(STAGE, &err))?;
            let (pairs, origins) = pair_rows(&batch, &inputs.sources, &mut books)?;
            books.kept += pairs.len() as u64;
            if !pairs.is_empty() {
                release.push(&pairs_batch(&pairs)?, &origins)?;
            }
        }
        Ok(books)
    }
}

/// Rows of conversations, without what stands behind the last answer. `cut` gathers hashes of those
/// that were longer: two that users went on with in different ways may be the same row now.
fn examples(
    batch: &RecordBatch,
    sources: &HashMap<String, String>,
    cut: &mut HashSet<blake3::Hash>,
    books: &mut Books,
) -> Result<(Vec<Example>, Vec<Origin>)> {
    let mut texts = Texts::new();
    read_texts(batch, &mut texts)?;
    let groups = text(batch, "split_group")?;
    let (mut examples, mut origins) = (Vec::new(), Vec::new());
    for (i, behind) in behind(batch, sources)?.into_iter().enumerate() {
        let gone = || Error::damaged(behind.record_id.clone(), "its text is gone");
        let mut text = texts.remove(&behind.record_id).ok_or_else(gone)?;
        // What users or tools say behind the last answer teaches nothing.
        let answered = text.messages.iter().rposition(|message| message.role == "assistant");
        let (all, answered) = (text.messages.len(), answered.map_or(0, |last| last + 1));
        text.messages.truncate(answered);
        if !text.messages.iter().any(|message| message.role == "user") {
            count(&mut books.dropped, "no_answered_question");
            continue;
        }
        let said = || blake3::hash(serde_json::json!([text.messages, text.tools]).to_string().as_bytes());
        if answered < all && !cut.insert(said()) {
            count(&mut books.dropped, "same_answers");
            continue;
        }
        examples.push(Example {
            example_id: text.conversation_id.clone(),
            messages: text.messages,
            tools: text.tools,
            conversation_id: text.conversation_id,
            language: text.language,
            model: text.model,
            label_source: "log",
            split_group: groups.as_string::<i32>().value(i).to_owned(),
            ..Default::default()
        });
        origins.push(Origin { records: vec![behind], ..Default::default() });
    }
    Ok((examples, origins))
}

/// The columns of one side under their own names.
fn side(batch: &RecordBatch, part: &str) -> Result<RecordBatch> {
    let prefix = format!("{part}_");
    let schema = batch.schema();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if let Some(name) = field.name().strip_prefix(&prefix) {
            fields.push(Field::new(name, field.data_type().clone(), true));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|err| arrow_error(STAGE, &err))
}

fn pair_rows(
    batch: &RecordBatch,
    sources: &HashMap<String, String>,
    books: &mut Books,
) -> Result<(Vec<PairRow>, Vec<Origin>)> {
    let (chosen, rejected) = (side(batch, "chosen")?, side(batch, "rejected")?);
    let (ids, groups) = (text(batch, "pair_id")?, text(batch, "split_group")?);
    let talk = |side: &RecordBatch, i: usize| {
        Ok::<_, Error>(messages(column(side, "messages")?.as_list::<i32>().value(i).as_struct()))
    };
    let (models, other_models) = (text(&chosen, "model")?, text(&rejected, "model")?);
    let (languages, tools) = (text(&chosen, "language")?, text(&chosen, "tools")?);
    let (behind_chosen, behind_rejected) = (behind(&chosen, sources)?, behind(&rejected, sources)?);
    let (mut rows, mut origins) = (Vec::new(), Vec::new());
    for i in 0..batch.num_rows() {
        let made = match pair(&talk(&chosen, i)?, &talk(&rejected, i)?) {
            Ok(made) => made,
            Err(why) => {
                count(&mut books.dropped, why.as_str());
                continue;
            }
        };
        rows.push(PairRow {
            pair_id: ids.as_string::<i32>().value(i).to_owned(),
            prompt: made.prompt,
            chosen: made.chosen,
            rejected: made.rejected,
            tools: maybe(&tools, i),
            margin: 1.0,
            chosen_model: maybe(&models, i),
            rejected_model: maybe(&other_models, i),
            language: languages.as_string::<i32>().value(i).to_owned(),
            label_source: "log",
            split_group: groups.as_string::<i32>().value(i).to_owned(),
            ..Default::default()
        });
        let records = vec![
            Behind { part: "chosen", ..behind_chosen[i].clone() },
            Behind { part: "rejected", ..behind_rejected[i].clone() },
        ];
        origins.push(Origin { records, ..Default::default() });
    }
    Ok((rows, origins))
}
