#!/usr/bin/env python3
"""Times gristmill dedup and its peers on one JSONL file, in one run.

    benches/peers/dedup.py FILE.jsonl --gristmill target/release/gristmill [--venv DIR] [--runs 1]

Peers: rensa (full R-MinHash, and rho, which samples tokens), datasketch, text-dedup 0.4.0, datatrove.
All with 16 bands of 8 rows (128 slots) where that can be set, word 5-grams as they do by default; reading and
tokenising count, imports do not. duplodocus is built from source only and cannot be fetched here: its figure of
2026-11 was 12.3 MB/s on two cores (reference on dedup, section 8). What does not install is said and skipped.
Peers read {"id", "text"}: of a chat all its messages, one behind the other. Ratios of one run are worth more than
the numbers: machines are shared.
"""
import argparse, json, pathlib, shutil, subprocess, sys, tempfile, time

PACKAGES = {"rensa": ["rensa"], "datasketch": ["datasketch"], "text-dedup": ["text-dedup==0.4.0"],
            "datatrove": ["datatrove[io,processing]", "spacy"]}

COMMON = r"""
import json, re, sys, time
WORD = re.compile(r"\w+")
def texts(file):
    with open(file) as lines:
        for line in lines:
            yield json.loads(line)["text"]
def shingles(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[i:i + 5]) for i in range(max(len(words) - 4, 1))}
def done(found, began):
    print(json.dumps({"found": found, "seconds": time.perf_counter() - began}))
"""

SCRIPTS = {
    "rensa": COMMON + r"""
from rensa import RMinHash, RMinHashLSH
began = time.perf_counter()
sets = [list(shingles(text)) for text in texts(sys.argv[1])]
matrix = RMinHash.digest_matrix_from_token_sets(sets, num_perm=128, seed=42)
flags = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16).query_duplicate_flags_matrix_one_shot(matrix)
done(int(sum(flags)), began)
""",
    "rensa-rho": COMMON + r"""
from rensa import RMinHash, RMinHashLSH
began = time.perf_counter()
sets = [list(shingles(text)) for text in texts(sys.argv[1])]
matrix = RMinHash.digest_matrix_from_token_sets_rho(sets, num_perm=128, seed=42, probes=4)
flags = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16).query_duplicate_flags_matrix_one_shot(matrix)
done(int(sum(flags)), began)
""",
    "datasketch": COMMON + r"""
from datasketch import MinHash, MinHashLSH
began = time.perf_counter()
lsh, found = MinHashLSH(num_perm=128, params=(16, 8)), 0
for at, text in enumerate(texts(sys.argv[1])):
    sketch = MinHash(num_perm=128)
    sketch.update_batch([shingle.encode() for shingle in shingles(text)])
    if lsh.query(sketch):
        found += 1
    else:
        lsh.insert(at, sketch)
done(found, began)
""",
    "datatrove": COMMON + r"""
import pathlib, tempfile
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
from datatrove.utils.hashing import HashConfig
config = MinhashConfig(n_grams=5, num_buckets=16, hashes_per_bucket=8, hash_config=HashConfig(precision=64))
file = pathlib.Path(sys.argv[1])
work = tempfile.mkdtemp()
read = lambda: JsonlReader(str(file.parent), glob_pattern=file.name)
began = time.perf_counter()
run = lambda pipeline, tasks: LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=min(tasks, 2)).run()
run([read(), MinhashDedupSignature(output_folder=work + "/s", config=config)], 1)
run([MinhashDedupBuckets(input_folder=work + "/s", output_folder=work + "/b", config=config)], 16)
run([MinhashDedupCluster(input_folder=work + "/b", output_folder=work + "/r", config=config)], 1)
stats = LocalPipelineExecutor(pipeline=[read(), MinhashDedupFilter(input_folder=work + "/r")], tasks=1, workers=1).run()
kept = stats.stats[-1].stats["forwarded"].total
total = sum(1 for _ in open(file))
done(int(total - kept), began)
""",
}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("file", type=pathlib.Path)
    args.add_argument("--gristmill", required=True)
    args.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "dedup-peers")
    args.add_argument("--slow-rows", type=int, default=10_000, help="rows that datasketch, datatrove and text-dedup get")
    args.add_argument("--runs", type=int, default=1)
    args.add_argument("--only", default="", help="peers, with commas between")
    args.add_argument("--no-install", action="store_true")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        whole, few = folder / "whole.jsonl", folder / "few.jsonl"
        plain(args.file, whole, None)
        plain(args.file, few, args.slow_rows)
        rows = [ours(args, args.file, folder), ours(args, whole, folder)]
        for peer in ["rensa", "rensa-rho", "datasketch", "text-dedup", "datatrove"]:
            if args.only and peer not in args.only.split(","):
                continue
            file = whole if peer.startswith("rensa") else few
            rows.append(timed(args, peer, file, folder))
        table(rows)
    print("\nduplodocus: built from source only, not fetched; 12.3 MB/s in 2026-11 on another file of this kind")


def plain(file, to, most):
    """Rows of {"id", "text"}."""
    with open(file) as lines, open(to, "w") as out:
        for at, line in enumerate(lines):
            if most is not None and at >= most:
                break
            row = json.loads(line)
            text = row.get("text") or "\n".join(m.get("content") or "" for m in row.get("messages", []))
            out.write(json.dumps({"id": at, "text": text}) + "\n")


def best(runs, call):
    results = sorted((call() for _ in range(runs)), key=lambda result: result[0])
    return results[len(results) // 2]


def ours(args, file, folder):
    def call():
        began = time.perf_counter()
        made = subprocess.run([args.gristmill, "dedup", str(file), "--out", str(folder / "out"), "--allow-wipeout", "--json"],
                              capture_output=True, check=True)
        report = json.loads(made.stdout)
        return time.perf_counter() - began, report["exact"] + report["prefix"] + report["near"]
    seconds, found = best(args.runs, call)
    kind = "as chats" if file == args.file else "as texts"
    return f"gristmill, {kind}", file.stat().st_size, seconds, found, ""


def timed(args, peer, file, folder):
    size = file.stat().st_size
    package = peer.split("-rho")[0]
    python = args.venv / package / "bin" / "python"
    if not python.exists() and not args.no_install:
        shutil.rmtree(args.venv / package, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(args.venv / package)], check=True)
        made = subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES[package]], capture_output=True, text=True)
        if made.returncode:
            shutil.rmtree(args.venv / package)
            return peer, size, None, None, "does not install: " + (made.stderr.strip().splitlines() or ["?"])[-1][:90]
    if not python.exists():
        return peer, size, None, None, "not installed"
    command = [str(python), "-c", SCRIPTS[peer], str(file)] if peer in SCRIPTS else text_dedup(python, file, folder)

    def call():
        began = time.perf_counter()
        made = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        seconds = time.perf_counter() - began
        if made.returncode:
            raise RuntimeError((made.stderr.strip().splitlines() or ["?"])[-1][:90])
        try:
            result = json.loads(made.stdout.strip().splitlines()[-1])
            return result["seconds"], result["found"]
        except (ValueError, IndexError, TypeError):
            return seconds, None
    try:
        seconds, found = best(args.runs, call)
    except RuntimeError as err:
        return peer, size, None, None, f"does not run: {err}"
    return peer, size, seconds, found, ""


def text_dedup(python, file, folder):
    return [str(python), "-m", "text_dedup.minhash", "--path", "json", "--data_files", str(file), "--split", "train",
            "--column", "text", "--output", str(folder / "text-dedup"), "--cache_dir", str(folder / "cache"),
            "--ngram", "5", "--num_perm", "128", "--b", "16", "--r", "8"]


def table(rows):
    ours = rows[1][1] / rows[1][2]
    print("| what | MB | seconds | MB/s | gristmill as texts is | found | |")
    print("|---|---|---|---|---|---|---|")
    for name, size, seconds, found, note in rows:
        if seconds is None:
            print(f"| {name} | {size / 1e6:.0f} | | | | | {note} |")
            continue
        rate = size / seconds
        print(f"| {name} | {size / 1e6:.0f} | {seconds:.2f} | {rate / 1e6:.2f} | {ours / rate:.1f} x as fast | {found} | {note} |")


if __name__ == "__main__":
    main()
