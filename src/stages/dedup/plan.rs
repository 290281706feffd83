//! The plans of dedup, as SQL over the `sketch` layer and a few small tables beside it.
//!
//! They bring rows together by: exact key; prefix hash; band hash; record id. Nothing here reads
//! text but [`sketches`] and [`sides`], which turn it into hashes at once.
//!
//! Always: the result does not depend on the order of rows, and nothing here has to sort them.

use super::sketch::Settings;

const FACTS: &str = "record_id, conversation_id, source_id, start_byte, end_byte, line, element, record_hash, \
    model, created_at, external_id, metadata, preference, language, language_confidence, script, \
    turns, content_bytes, finding_count, input_tokens, output_tokens, model_tokens, user_key, surface";

/// `redacted` → rows of `sketch`.
pub fn sketches(settings: &Settings) -> String {
    let call = call("sketch", settings);
    format!(
        "select {FACTS}, s['exact_key'] as exact_key, s['head'] as head, s['opening'] as opening, s['messages'] as messages, \
         s['last_role'] as last_role, s['prefixes'] as prefixes, s['tokens'] as tokens, s['bands'] as bands \
         from (select {FACTS}, {call} as s from redacted)"
    )
}

fn call(function: &str, settings: &Settings) -> String {
    let Settings { shingle_words, bands, rows_per_band, short_tokens } = settings;
    format!("{function}(messages, {shingle_words}, {bands}, {rows_per_band}, {short_tokens})")
}

/// `redacted` → rows of `overlap`; `benchmarks` is what the function `overlap` takes, as JSON.
pub fn overlaps(benchmarks: &str) -> String {
    let benchmarks = benchmarks.replace('\'', "''");
    let columns =
        ["benchmark", "row", "row_record", "rule", "overlap"].map(|name| format!("h['{name}'] as \"{name}\""));
    format!(
        "select record_id, conversation_id, source_id, {} from (\
           select record_id, conversation_id, source_id, unnest(overlap(messages, '{benchmarks}')) as h from redacted)",
        columns.join(", ")
    )
}

/// Records that share their exact form with another, with what decides who is kept.
pub const COPIES: &str = "select s.exact_key as exact_key, s.record_id as record_id, s.conversation_id as conversation_id, \
       s.created_at as created_at, s.preference as preference \
     from (select exact_key from sketch group by exact_key having count(*) > 1) k \
     join sketch s on s.exact_key = k.exact_key";

/// Records whose whole is a proper prefix of another, each with the longest that holds it, as
/// [`longest`] text: a maximum needs no sorting, so this stays small and does not spill. Who is
/// `barred` stands for nobody.
pub const SNAPSHOTS: &str = "select h.record_id as record_id, h.conversation_id as conversation_id, \
       max(concat(lpad(cast(i.messages as varchar), 8, '0'), i.conversation_id, i.record_id)) as longest \
     from (select record_id, conversation_id, head from sketch) h join (\
       select record_id, conversation_id, messages, p['hash'] as hash from (\
         select record_id, conversation_id, messages, unnest(prefixes) as p from sketch \
         where record_id not in (select record_id from barred))\
     ) i on h.head = i.hash \
     group by h.record_id, h.conversation_id";

/// What [`SNAPSHOTS`] finds: conversation and record id out of the text it compares.
pub fn longest(text: &str) -> Option<(&str, &str)> {
    Some((text.get(8..40)?, text.get(40..72)?))
}

/// Bands that one pass looks at: a quarter of the default 16, so that counting their hashes takes
/// a quarter of the memory.
pub const BANDS_AT_ONCE: u32 = 4;

/// Digits before a record id that put longer conversations first; see [`candidates`].
pub const RANK_DIGITS: usize = 10;

/// Candidate pairs of bands `first..first + BANDS_AT_ONCE` (from 1) with the number of bands they
/// share. `gone` holds the records that are out of the race; they may count, but not pair. One band hash is shared by few
/// records, so counting first and gathering members only of shared bands keeps memory small.
/// `of` has a `record_id`, `tokens` and `bands`: the sketches, or what else is cut into bands.
pub fn candidates(of: &str, first: u32, bucket_limit: u32) -> String {
    let last = first + BANDS_AT_ONCE - 1;
    let bands =
        |columns: &str| format!("select {columns} unnest(array_slice(bands, {first}, {last})) as band from {of}");
    // Ranks are written out only for members of a bucket.
    let rank = format!("concat(lpad(cast(4294967295 - b.tokens as varchar), {RANK_DIGITS}, '0'), b.record_id)");
    format!(
        "with shared as (select band from ({}) group by band having count(*) > 1), \
         members as (select b.band as band, array_agg({rank}) as ids \
           from shared s join ({}) b on b.band = s.band \
           where b.record_id not in (select record_id from gone) group by b.band), \
         made as (select unnest(bucket_pairs(ids, {bucket_limit})) as pair from members) \
         select pair['a'] as a, pair['b'] as b, count(*) as bands_hit, sum(pair['skipped']) as skipped from made group by 1, 2",
        bands(""),
        bands("record_id, tokens,")
    )
}

/// What both sides of every candidate say, as hashes, straight from the text.
pub fn sides(settings: &Settings) -> String {
    let sides = call("sides", settings);
    format!(
        "select record_id, {sides} as side from redacted where record_id in \
         (select a from candidates union select b from candidates)"
    )
}

/// Exact comparison of candidate pairs from their `sides`, by the kernel `verify`, or `judge` where vectors
/// are near.
pub fn compared(kernel: &str, settings: &Settings, min_jaccard: f64) -> String {
    format!(
        "select a, b, bands_hit, v['rule'] as rule, v['jaccard_user'] as jaccard_user, \
           v['jaccard_assistant'] as jaccard_assistant, v['containment'] as containment from (\
           select c.a as a, c.b as b, c.bands_hit as bands_hit, \
             {kernel}(x.side, y.side, cast({min_jaccard} as double), {short}) as v \
           from (select a, b, sum(bands_hit) as bands_hit from candidates group by a, b) c \
           join sides x on c.a = x.record_id join sides y on c.b = y.record_id) \
         where v['rule'] <> 'different'",
        short = settings.short_tokens
    )
}

/// Order keys of the records that stand in an edge.
pub const RANKS: &str = "select record_id, conversation_id, tokens, created_at from sketch \
    where record_id in (select a from edges union select b from edges)";

/// Records at whose prefix an assistant answered in more than one way.
pub const BRANCHES: &str = "with links as (\
       select record_id, p['hash'] as hash, p['next'] as next, p['messages'] as messages from (\
         select record_id, unnest(prefixes) as p from sketch) where p['next'] <> 0), \
     parting as (select hash from links group by hash having min(next) <> max(next)) \
     select l.record_id as record_id, l.hash as hash, l.next as next, l.messages as messages \
     from links l join parting p on l.hash = p.hash";

/// First prompts of the records in `ends`: duplicates and those who stand for them.
pub const OPENINGS: &str = "select record_id, opening from sketch where record_id in (select record_id from ends)";

/// Rows of `deduped`: those without a decision, with their groups.
pub fn kept() -> String {
    format!(
        "select {FACTS}, messages, last_role, tokens, cast(coalesce(g_copies, 1) as int unsigned) as copies, \
           g_group as prompt_group, cast(coalesce(g_messages, 0) as int unsigned) as prompt_messages, \
           cast(coalesce(g_answer, 0) as bigint unsigned) as answer, lpad(to_hex(coalesce(t_root, opening)), 16, '0') as split_group, \
           b_name as benchmark \
         from sketch left join groups on sketch.record_id = groups.g_record \
         left join ties on sketch.opening = ties.t_opening \
         left join tags on sketch.record_id = tags.b_record \
         where record_id not in (select record_id from gone)"
    )
}
