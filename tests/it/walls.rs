//! The source tree keeps its layers apart and its files small.
//!
//! Always: comments and `#[cfg(test)]` modules do not count; they may name anything.

use std::fs;
use std::path::{Path, PathBuf};

use super::help::{files, relative, root};

/// Under this path these words may not stand.
struct Wall {
    below: &'static str,
    forbidden: &'static [&'static str],
    /// Files and the words they may use all the same, with the reason.
    except: &'static [(&'static str, &'static str, &'static str)],
}

const WALLS: &[Wall] = &[
    Wall {
        below: "src/stages",
        forbidden: &[
            "crate::store",
            "crate::engine",
            "crate::runner",
            "crate::cli",
            "crate::lineage",
            "crate::report",
            "datafusion",
            "ballista",
            "object_store",
            "std::fs",
            "std::time",
            "std::thread",
            "SystemTime",
            "Instant",
        ],
        except: &[],
    },
    Wall {
        below: "src/record.rs",
        forbidden: &[
            "crate::layer",
            "crate::stages",
            "crate::store",
            "crate::engine",
            "crate::runner",
            "crate::cli",
            "crate::lineage",
            "arrow",
            "datafusion",
            "std::fs",
        ],
        except: &[],
    },
    Wall {
        below: "src/layer",
        forbidden: &["crate::stages", "crate::engine", "crate::runner", "crate::cli", "crate::lineage", "datafusion"],
        except: &[],
    },
    Wall {
        below: "src/store",
        forbidden: &["crate::stages", "crate::engine", "crate::runner", "crate::cli", "crate::lineage", "datafusion"],
        except: &[],
    },
    Wall { below: "src/lineage", forbidden: &["crate::engine", "crate::runner", "crate::cli"], except: &[] },
    Wall {
        below: "src/engine",
        forbidden: &["crate::runner", "crate::cli", "crate::lineage", "crate::report"],
        except: &[],
    },
    Wall {
        below: "src/gate",
        forbidden: &[
            "crate::store",
            "crate::engine",
            "crate::runner",
            "crate::cli",
            "crate::lineage",
            "crate::report",
            "crate::layer",
            "redact::detect",
            "redact::view",
            "datafusion",
            "std::fs",
            "std::time",
            "std::thread",
        ],
        except: &[],
    },
    Wall { below: "src/runner", forbidden: &["crate::cli", "crate::report"], except: &[] },
    Wall {
        below: "src/files",
        forbidden: &[
            "crate::cli",
            "crate::engine",
            "crate::lineage",
            "crate::report",
            "crate::runner",
            "crate::store",
            "datafusion",
        ],
        except: &[],
    },
    Wall {
        below: "src/alone",
        forbidden: &[
            "crate::cli",
            "crate::engine",
            "crate::lineage",
            "crate::report",
            "crate::runner",
            "crate::store",
            "crate::stages::redact",
            "datafusion",
        ],
        except: &[],
    },
    Wall {
        below: "src/token_classifier",
        forbidden: &[
            "crate::stages",
            "crate::store",
            "crate::engine",
            "crate::runner",
            "crate::cli",
            "crate::lineage",
            "datafusion",
        ],
        except: &[],
    },
    Wall {
        below: "src",
        forbidden: &["use ort::", " ort::", "tokenizers::"],
        except: &[("src/token_classifier/onnx.rs", "::", "the one file that runs a model")],
    },
    Wall {
        below: "src",
        forbidden: &["ballista"],
        except: &[("src/engine/cluster.rs", "ballista", "the one file that knows the cluster")],
    },
    Wall {
        below: "src",
        forbidden: &["polars::"],
        except: &[("src/stages/label/tally.rs", "polars::", "votes are counted by annotator and task")],
    },
    Wall {
        below: "src",
        forbidden: &["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout()", "stderr()"],
        except: &[
            ("src/main.rs", "print", "prints the error that ends the program"),
            ("src/cli/", "std", "the only place that prints"),
            ("src/bin/", "println!", "programs of their own"),
        ],
    },
];

const STAGES: [&str; 6] = ["ingest", "redact", "dedup", "sample", "label", "dataset"];

/// Uses of one stage by another.
const ACROSS: &[(&str, &str, &str)] =
    &[("src/stages/dedup/", "crate::stages::redact::mask_tokens", "pseudonyms count by type, not by value")];

/// Who may name more than one stage, beside the runner.
const SEES_STAGES: &[(&str, &str)] = &[
    ("src/alone/digest.rs", "records are read and sketched at once"),
    ("src/bin/dedup-eval/brute.rs", "reads and compares what the command read and compared"),
    ("src/alone/index.rs", "a segment fits one version of reading and one of sketching"),
    ("src/alone/said.rs", "a record as ingest reads it is turns as dedup sees them"),
    ("src/engine/join.rs", "what is joined is read and redacted once more"),
    ("src/engine/rows.rs", "ingest and redact are fused in the scan: raw text never rests"),
    ("src/engine/scan.rs", "the scan node carries the redactor to its rows"),
];

/// Where `#[cfg(test)]` stands before a `mod x;`: files that are tests as a whole.
fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.ends_with("_tests") || name == "testing" || name == "tests"
}

fn sources(below: &str) -> Vec<PathBuf> {
    let start = root().join(below);
    let found = if start.is_file() { vec![start] } else { files(&start) };
    let found: Vec<PathBuf> =
        found.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect();
    assert!(!found.is_empty(), "{below} is gone; this test checks nothing");
    found
}

/// Lines with their numbers, without `#[cfg(test)]` items (as rustfmt lays them out).
fn untested(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("a source file");
    let mut kept = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((i, line)) = lines.next() {
        if line.trim_start() != "#[cfg(test)]" {
            kept.push((i + 1, line.to_owned()));
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let opens = lines.find(|(_, line)| !line.trim_start().starts_with("#["));
        if opens.is_some_and(|(_, line)| line.ends_with('{')) {
            lines.by_ref().find(|(_, line)| *line == end);
        }
    }
    kept
}

/// Code lines of files that are no tests: place and text, comments gone.
fn code(below: &str) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for path in sources(below).iter().filter(|path| !is_test_file(path)) {
        let name = relative(path, root());
        for (n, line) in untested(path) {
            let code = line.split("//").next().unwrap_or_default().trim_end().to_owned();
            // A URL in a string is no comment, but no wall either.
            if !code.trim().is_empty() {
                lines.push((format!("{name}:{n}"), code));
            }
        }
    }
    lines
}

#[test]
fn layers_stay_apart() {
    let mut breaches = Vec::new();
    for wall in WALLS {
        for (place, line) in code(wall.below) {
            for word in wall.forbidden.iter().filter(|word| line.contains(*word)) {
                let excepted = wall.except.iter().any(|(file, part, _)| place.starts_with(file) && word.contains(part));
                if !excepted {
                    breaches.push(format!("{place}: {} may not use {word}", wall.below));
                }
            }
        }
    }
    breaches.dedup();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn exceptions_are_still_needed() {
    for wall in WALLS {
        for (file, word, reason) in wall.except {
            let used = code(wall.below).iter().any(|(place, line)| {
                place.starts_with(file) && wall.forbidden.iter().any(|w| w.contains(word) && line.contains(w))
            });
            assert!(used, "{file} no longer uses {word} ({reason}); take the exception out");
        }
    }
}

#[test]
fn stages_do_not_know_each_other() {
    for own in STAGES {
        for (place, line) in code(&format!("src/stages/{own}")) {
            for other in STAGES.iter().filter(|other| **other != own) {
                let named = line.contains(&format!("stages::{other}"));
                let excepted = ACROSS.iter().any(|(below, what, _)| place.starts_with(below) && line.contains(what));
                assert!(!named || excepted, "{place}: {own} may not use {other}");
            }
        }
    }
}

#[test]
fn only_the_runner_sees_several_stages() {
    let outside = sources("src")
        .into_iter()
        .map(|path| relative(&path, root()))
        .filter(|name| !name.starts_with("src/runner/") && !name.starts_with("src/stages/"));
    for name in outside {
        let lines = if is_test_file(Path::new(&name)) { Vec::new() } else { code_of(&name) };
        let seen: Vec<&str> = STAGES
            .into_iter()
            .filter(|stage| lines.iter().any(|line| line.contains(&format!("stages::{stage}"))))
            .collect();
        let excepted = SEES_STAGES.iter().any(|(file, _)| *file == name);
        assert!(seen.len() <= 1 || excepted, "{name} names {seen:?}; only the runner may name several stages");
        assert!(seen.len() > 1 || !excepted, "{name} no longer needs its exception");
    }
}

fn code_of(name: &str) -> Vec<String> {
    code(name).into_iter().map(|(_, line)| line).collect()
}

#[test]
fn files_are_small_enough_to_read() {
    let mut lengths: Vec<(usize, String)> = Vec::new();
    for path in sources("src").iter().filter(|path| !is_test_file(path)) {
        lengths.push((untested(path).len(), relative(path, root())));
    }
    lengths.sort();
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 150, "the median file has {median} lines without tests, the budget is 150");
    let long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > 500).collect();
    assert!(long.is_empty(), "above 500 lines without tests: {long:?}");
    let main = lengths.iter().find(|(_, name)| name == "src/main.rs").expect("src/main.rs");
    assert!(main.0 <= 40, "src/main.rs has {} lines, the budget is 40", main.0);
}

#[test]
fn functions_fit_a_screen() {
    let mut long = Vec::new();
    for path in sources("src").iter().filter(|path| !is_test_file(path)) {
        let lines = untested(path);
        for (i, (number, line)) in lines.iter().enumerate() {
            let start = line.trim_start();
            let is_fn = start.contains("fn ") && !start.starts_with("//") && signature(start);
            let indent = line.len() - start.len();
            let closing = format!("{}}}", " ".repeat(indent));
            let Some(length) = is_fn.then(|| lines[i..].iter().position(|(_, line)| *line == closing)).flatten() else {
                continue;
            };
            // A declaration without a body, or one on a single line, closes nothing.
            let body = lines[i..]
                .iter()
                .position(|(_, line)| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
            if body.is_some_and(|at| lines[i + at].1.ends_with('{')) && length + 1 > 60 {
                long.push(format!("{}:{number} has {} lines", relative(path, root()), length + 1));
            }
        }
    }
    assert!(long.is_empty(), "functions above 60 lines:\n{}", long.join("\n"));
}

fn signature(line: &str) -> bool {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe ", "extern \"C\" "];
    let mut rest = line;
    while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    rest.starts_with("fn ")
}

#[test]
fn every_file_says_what_it_is() {
    for path in sources("src").into_iter().chain(sources("tests")) {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(text.starts_with("//! "), "{} does not begin with //!", relative(&path, root()));
    }
}
