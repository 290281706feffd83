//! The plans of sample, as SQL over the `deduped` layer and `held`, the conversations that
//! earlier batches hold.
//!
//! A unit is what one task asks about: a conversation that ends in an answer, or for `pairwise` a
//! prompt group with the two answers that come first by keyed hash.
//!
//! Always: nothing here sorts or depends on the order of rows.

use crate::config::Sample;
use crate::task::TaskType;

/// Digits of the largest keyed hash.
const DIGITS: usize = 20;

/// Label of a value that is null, in the name of a stratum.
const NULL: &str = "(null)";

/// All units, with their stratum.
fn units(sample: &Sample, task: TaskType, seed: u64) -> String {
    let strata: Vec<String> =
        sample.strata.iter().map(|expression| format!("coalesce(cast(({expression}) as varchar), '{NULL}')")).collect();
    let stratum = if strata.is_empty() { "'all'".to_owned() } else { strata.join(" || ' | ' || ") };
    let filter = sample.filter.as_deref().map(|filter| format!("and ({filter})")).unwrap_or_default();
    let pool = format!(
        "pool as (select *, {stratum} as stratum from deduped \
         where conversation_id not in (select conversation_id from held) and last_role = 'assistant' {filter})"
    );
    match task {
        TaskType::Pairwise => format!(
            "{pool}, \
             answers as (select prompt_group, \
               min(concat(lpad(cast(chance({seed}, 'sample/answer', conversation_id) as varchar), {DIGITS}, '0'), record_id)) as drawn \
               from pool where prompt_group is not null group by prompt_group, answer), \
             picked as (select prompt_group, array_sort(array_agg(drawn)) as drawn from answers \
               group by prompt_group having count(*) > 1), \
             units as (select x.prompt_group as unit, x.stratum as stratum, x.record_id as record_id, \
               x.conversation_id as conversation_id, y.record_id as other_record, y.conversation_id as other_conversation, \
               x.prompt_messages as prompt_messages, x.split_group as split_group, x.language as language \
               from (select substr(drawn[1], {behind}) as one, substr(drawn[2], {behind}) as other from picked) p \
               join pool x on x.record_id = p.one join pool y on y.record_id = p.other)",
            behind = DIGITS + 1
        ),
        _ => format!(
            "{pool}, units as (select conversation_id as unit, stratum, record_id, conversation_id, \
               cast(null as varchar) as other_record, cast(null as varchar) as other_conversation, \
               messages - 1 as prompt_messages, split_group, language from pool where messages > 1)"
        ),
    }
}

/// Units per stratum.
pub fn strata(sample: &Sample, task: TaskType, seed: u64) -> String {
    format!("with {} select stratum, count(*) as available from units group by stratum", units(sample, task, seed))
}

/// Units whose keyed hash lies below their stratum's limit (`quota`: stratum, limit), with that
/// hash. Who is drawn are the smallest of them; a limit instead of a sort keeps the plan without
/// windows, whose order Ballista loses between its stages.
pub fn below(sample: &Sample, task: TaskType, seed: u64) -> String {
    format!(
        "with {units}, drawn as (select *, chance({seed}, 'sample/{name}', unit) as draw from units) \
         select d.* from quota q join drawn d on d.stratum = q.q_stratum where d.draw <= q.q_limit",
        units = units(sample, task, seed),
        name = sample.name
    )
}

/// The limit below which about `times` as many units lie as are to be drawn.
pub fn limit(drawn: u64, available: u64, times: u64) -> u64 {
    // A few more, so that small numbers rarely need a second try.
    let wanted = u128::from(drawn) * u128::from(times) + 16;
    let share = wanted * u128::from(u64::MAX) / u128::from(available.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// Text of chosen records (`chosen`: record_id).
pub const TEXTS: &str = "select record_id, conversation_id, messages, tools, model, language, source_id, start_byte, end_byte, \
    line, element, record_hash from redacted where record_id in (select record_id from chosen)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_leaves_enough_and_reaches_all() {
        assert_eq!(limit(100, 100, 2), u64::MAX);
        assert_eq!(limit(1, 0, 1), u64::MAX);
        let tenth = limit(84, 1000, 1) as f64 / u64::MAX as f64;
        assert!((tenth - 0.1).abs() < 1e-9);
    }
}
