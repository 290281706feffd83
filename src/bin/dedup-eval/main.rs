//! `dedup-eval`: how right `gristmill dedup` is, on planted cases and against brute force.
//!
//! `dedup-eval cases [N]` plants N pairs of each of the ten cases and prints what was found and what
//! was merged by mistake; `dedup-eval brute FILE [RECORDS]` compares all pairs of a file of chats;
//! `dedup-eval write N FILE` writes the planted records for other programs to be tried on; `dedup-eval many [N]`
//! tells what N short conversations (20 million) take of memory and time, and needs 500 bytes of disk for each.
//!
//! Always: exit 1 where a goal is missed.

mod brute;
mod cases;
mod many;
mod score;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gristmill::alone::{CHUNK_BYTES, Guards, Options, Settings};
use gristmill::input::Location;

/// Any number will do; this one is printed, so that a table can be made again.
const SEED: u64 = 2026;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |written: &str| written.parse::<u64>().map_err(|_| format!("{written} is no number"));
    let done = match words.as_slice() {
        ["cases"] => score::cases(SEED, 10_000, &settings()),
        ["cases", n] => number(n).and_then(|n| score::cases(SEED, n, &settings())),
        ["brute", file] => brute::check(Path::new(file), 20_000),
        ["brute", file, n] => number(n).and_then(|n| brute::check(Path::new(file), n as usize)),
        ["write", n, file] => number(n).and_then(|n| score::write(SEED, n, Path::new(file)).map(|()| true)),
        ["many"] => many::check(SEED, 20_000_000),
        ["many", n] => number(n).and_then(|n| many::check(SEED, n)),
        _ => Err("dedup-eval cases [N] | brute FILE [RECORDS] | write N FILE | many [N]".to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// A folder that is gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Folder, String> {
        let path = std::env::temp_dir().join(format!("dedup-eval-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|err| format!("{}: {err}", path.display()))?;
        Ok(Folder(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn settings() -> Settings {
    Settings { shingle_words: 3, bands: 16, rows_per_band: 8, short_tokens: 10 }
}

fn options(file: &Path, out: PathBuf, settings: Settings) -> Options {
    Options {
        inputs: vec![Location::File(file.to_owned())],
        decisions: out.join("decisions.jsonl"),
        out,
        settings,
        min_jaccard: 0.8,
        keep_answers: false,
        bucket_limit: 50,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        chunk_bytes: CHUNK_BYTES,
        index: None,
        against: None,
        guards: Guards { allow_wipeout: true, ..Guards::default() },
    }
}
