#!/usr/bin/env python3
"""The path from raw logs to a sampled batch, timed, with its answer checked.

Usage: benches/path.py [BYTES, default 1G] [TIMES, default 2]
Binaries: GRISTMILL_BIN, CORPUS_BIN (default: target/release or $CARGO_TARGET_DIR/release).
Makes a corpus in a temporary folder, runs with 1 and 2 threads, compares every count with
expected.json, prints MB/s, peak memory and the ratio. Exits 1 if a count differs.
"""
import json, os, pathlib, resource, shutil, subprocess, sys, tempfile, time

root = pathlib.Path(__file__).resolve().parent.parent
release = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release"
gristmill = os.environ.get("GRISTMILL_BIN", release / "gristmill")
corpus = os.environ.get("CORPUS_BIN", release / "corpus")
size = sys.argv[1] if len(sys.argv) > 1 else "1G"
times = int(sys.argv[2]) if len(sys.argv) > 2 else 2


def check(outcome, expected):
    stages = {stage["stage"]: stage for stage in outcome["stages"]}
    dedup = stages["dedup"]
    for name, got, want in [
        ("records_read", stages["ingest"]["records_read"], expected["records_read"]),
        ("rejected", stages["ingest"]["rejected"], expected["rejected"]),
        # A model takes a few words that mean nothing for names.
        ("findings", {k: n for k, n in stages["redact"]["counts"].items() if k != "PERSON"}, expected["findings"]),
        ("exact", dedup["dropped"].get("exact_duplicate", 0), expected["exact_duplicate"]),
        ("near", dedup["dropped"].get("near_duplicate", 0), expected["near_duplicate"]),
        ("superseded", dedup["folded"], expected["superseded"]),
        ("prompt groups", dedup["counts"]["prompt_groups"], expected["prompt_groups"]),
    ]:
        if got != want:
            sys.exit(f"{name}: {got}, expected {want}")


with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
    folder = pathlib.Path(folder)
    subprocess.run([corpus, "--bytes", size, "--seed", "1", "--out", folder / "corpus"], check=True)
    expected = json.loads((folder / "corpus/expected.json").read_text())
    megabytes = sum(file["bytes"] for file in expected["files"]) / 1e6
    text = (root / "pipelines/corpus.toml").read_text()
    for name in ("fixtures", "pipelines"):
        os.symlink(root / name, folder / name)
    (folder / "run").mkdir()
    (folder / "run/corpus.toml").write_text(text.replace("rubrics/", "../pipelines/rubrics/"))
    best = {}
    for threads in [1, 2] * times:
        store = folder / f"store-{threads}"
        shutil.rmtree(store, ignore_errors=True)
        began = time.monotonic()
        command = [gristmill, "run", folder / "run/corpus.toml", "--store", store, "--json", "--threads", str(threads)]
        ran = subprocess.run(command, check=True, capture_output=True)
        seconds = time.monotonic() - began
        outcome = json.loads(ran.stdout)
        check(outcome, expected)
        best[threads] = min(best.get(threads, seconds), seconds)
        parts = ", ".join(f"{s['stage']} {s['seconds']:.1f} s" for s in outcome["stages"] if s["seconds"] > 0.05)
        print(f"{threads} threads: {seconds:.1f} s, {megabytes / seconds:.0f} MB/s ({parts})", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{megabytes:.0f} MB, {expected['records_read']} records, every count as planted; peak {peak:.0f} MiB")
    print(f"2 threads are {best[1] / best[2]:.2f} times as fast as 1")
