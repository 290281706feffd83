//! The plans of the semantic pass, as SQL over `vectors` (the user's files), `sketch` and a few tables
//! between them.
//!
//! They bring rows together by: vector id; band hash; record id. Vectors are read twice: once for their
//! bits, and those of candidates for their cosine.
//!
//! Always: the result does not depend on the order of rows. An id with several vectors has the one
//! whose digest is smallest, so it does not depend on the files they lie in either; a vector that was
//! brought for the record itself comes before one for what it says.

use super::hyperplanes::{DIGEST_DIGITS, Settings};

/// Names of the columns in the user's files.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    pub id: &'a str,
    pub vector: &'a str,
}

/// Hexadecimal digits of an id.
const ID_DIGITS: u32 = 32;

impl Columns<'_> {
    /// What cannot be an id is none, before anything is written or moved: a column that was named by mistake
    /// may hold what people said.
    fn renamed(&self) -> String {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let (id, vector) = (quoted(self.id), quoted(self.vector));
        format!(
            "select case when character_length({id}) = {ID_DIGITS} and translate({id}, '0123456789abcdef', '') = '' \
             then {id} end as id, {vector} as vector from vectors"
        )
    }
}

/// Signatures of all vectors; of one that cannot be compared why not.
pub fn hashes(columns: Columns, settings: &Settings) -> String {
    let Settings { seed, bands, bits } = settings;
    format!(
        "select id, case when id is null then 'no_id' else h['flaw'] end as flaw, h['length'] as length, \
           h['signature'] as signature \
         from (select id, vector_signature(vector, '{seed}', {bands}, {bits}) as h from ({}))",
        columns.renamed()
    )
}

/// How many vectors there are of each length and flaw.
pub const LENGTHS: &str =
    "select flaw, length, cast(count(*) as bigint unsigned) as n from hashes group by flaw, length";

/// Vectors that belong to no record; ids that have several vectors.
/// (`not in` over ids that may be null would be a join of one task.)
pub const STRANGERS: &str = "select cast(count(*) as bigint unsigned) as n from hashes h where h.flaw is null \
    and not exists (select 1 from sketch s where s.record_id = h.id) \
    and not exists (select 1 from sketch s where s.conversation_id = h.id)";
pub const REPEATED: &str = "select cast(count(*) as bigint unsigned) as n from (\
    select id from hashes where flaw is null group by id having min(signature) <> max(signature))";

/// Records that are still in the race; `gone` holds the others.
pub const RACE: &str = "select record_id, conversation_id, tokens from sketch \
    where record_id not in (select record_id from gone)";

/// Records of the race that have a vector, with its bands. A minimum over text needs no sorting.
pub fn points(settings: &Settings) -> String {
    let Settings { bands, bits, .. } = settings;
    let (digest, digits) = (DIGEST_DIGITS, settings.bit_digits());
    let of = |rank: u32, id: &str| {
        format!(
            "select r.record_id as record_id, r.tokens as tokens, concat('{rank}', h.signature, h.id) as mark \
             from race r join hashes h on r.{id} = h.id where h.flaw is null"
        )
    };
    format!(
        "select record_id, tokens, substr(mark, {id_at}) as vector_id, substr(mark, 2, {digest}) as digest, \
           signature_bands(substr(mark, {bits_at}, {digits}), {bands}, {bits}) as bands \
         from (select record_id, tokens, min(mark) as mark from ({} union all {}) group by record_id, tokens)",
        of(0, "record_id"),
        of(1, "conversation_id"),
        bits_at = 2 + digest,
        id_at = 2 + digest + digits,
    )
}

/// How often bands proposed a pair that is compared; what buckets skipped is counted in the same way.
pub const COMPARED: &str = "select cast(coalesce(sum(bands_hit), 0) as bigint unsigned) as n from candidates";

/// The vectors of all candidates.
pub fn picked(columns: Columns) -> String {
    format!(
        "select p.record_id as record_id, v.vector as vector from (\
           select record_id, vector_id, digest from points \
           where record_id in (select a from candidates union select b from candidates)) p \
         join ({}) v on p.vector_id = v.id where vector_digest(v.vector) = p.digest",
        columns.renamed()
    )
}

/// Candidate pairs whose cosine is high enough.
pub fn alike(min_cosine: f64) -> String {
    format!(
        "select a, b, bands_hit, cosine from (\
           select c.a as a, c.b as b, c.bands_hit as bands_hit, exact_cosine(x.vector, y.vector) as cosine \
           from (select a, b, sum(bands_hit) as bands_hit from candidates group by a, b) c \
           join picked x on c.a = x.record_id join picked y on c.b = y.record_id) \
         where cosine >= cast({min_cosine} as double)"
    )
}

/// `deduped` with the conversation that a record is tagged to be like; null where it is not.
pub const TAGGED: &str = "select d.*, t.winner as semantic_of from untagged d left join \
    (select record_id as t_record, winner from semantic where record_id is not null) t on d.record_id = t.t_record";
