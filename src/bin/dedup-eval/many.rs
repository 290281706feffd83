//! Millions of short conversations: what the command takes of memory and time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use gristmill::alone;

use crate::cases::Talk;
use crate::score::row;
use crate::words::Chance;

/// What a conversation may take, and what may be taken beside them all.
const BYTES_EACH: u64 = 300;
const BYTES_BESIDE: u64 = 256 << 20;

/// Another stream of chance than those of the ten cases.
const STREAM: u64 = 1000;

/// Conversation `n`: one question of 3 to 14 words and one answer of 3 to 24. Every fifth is an exact copy of
/// the one four before it; every fiftieth says in capitals what stands three before it.
fn talk(seed: u64, n: u64) -> Talk {
    let (of, is_loud) = match (n % 5, n % 50) {
        (4, _) => (n - 4, false),
        (_, 3) => (n - 3, true),
        _ => (n, false),
    };
    let chance = &mut Chance::new(seed, STREAM, of);
    let said = [(3, 14), (3, 24)].map(|(from, to)| {
        let words = chance.between(from, to);
        chance.prose(words).join(" ")
    });
    said.into_iter().map(|text| if is_loud { text.to_uppercase() } else { text }).collect()
}

fn write(seed: u64, records: u64, file: &Path) -> std::io::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(file)?);
    (0..records).try_for_each(|n| to.write_all(row(&n.to_string(), &talk(seed, n)).as_bytes()))?;
    to.flush()
}

/// Prints peak memory and seconds; false where more memory was taken than is promised, or where other
/// records were dropped than the planted ones.
pub fn check(seed: u64, records: u64) -> Result<bool, String> {
    let folder = crate::Folder::make()?;
    let file = folder.path().join("many.jsonl");
    write(seed, records, &file).map_err(|err| format!("{}: {err}", file.display()))?;
    let options = crate::options(&file, folder.path().join("out"), crate::settings());
    let began = Instant::now();
    let (report, _) = alone::run(&options).map_err(|err| err.to_string())?;
    let seconds = began.elapsed().as_secs_f64();
    let planted = |every: u64, behind: u64| (records + every - 1 - behind) / every;
    let is_right = (report.exact, report.near) == (planted(5, 4), planted(50, 3));
    let megabytes = report.bytes as f64 / 1e6;
    println!("{records} conversations, {megabytes:.0} MB, in {seconds:.0} s ({:.0} MB/s)", megabytes / seconds);
    println!(
        "{} exact, {} near: {}",
        report.exact,
        report.near,
        if is_right { "those planted" } else { "NOT those planted" }
    );
    let (peak, limit) = (peak_bytes()?, BYTES_EACH * records + BYTES_BESIDE);
    println!(
        "peak memory {} MiB of {} MiB ({BYTES_EACH} bytes each and {} MiB)",
        peak >> 20,
        limit >> 20,
        BYTES_BESIDE >> 20
    );
    Ok(is_right && peak <= limit)
}

/// The most memory this process had so far, as Linux counts it.
fn peak_bytes() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|err| format!("/proc/self/status: {err}"))?;
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    peak.map(|kib| kib << 10).ok_or_else(|| "no VmHWM in /proc/self/status".to_owned())
}
