#!/usr/bin/env python3
"""gristmill dedup and its peers, in one run: time on one file of chats, and the ten planted cases.

    benches/peers/chats.py chats.jsonl ARCHIVE     # real chats from public dialogues
    benches/peers/dedup.py chats.jsonl --gristmill target/release/gristmill --cases target/release/dedup-eval

Peers: rensa (full R-MinHash, and rho, which samples tokens), FastSketchLSH, datasketch, text-dedup 0.4.0, datatrove,
Data-Juicer; each in a virtual environment of its own below --venv. All with 16 bands of 8 rows and word 5-grams, as they have
by default; gristmill with its own default, word triples and verification. Reading and tokenising count. Imports do not, where a
peer is called from Python; text-dedup and Data-Juicer are commands and their start counts, as gristmill's does. Slow peers
get the first --slow-rows rows. What does not install or run is said and skipped. duplodocus is built from source only and
cannot be fetched here.

Peers read {"id", "text"}: of a chat all its messages, one behind the other. In the cases a pair is found if at least one
of its two records is removed; every other removal is a false one. Sketch libraries say only who meets whom: the record that
meets an earlier one that stays is removed. Machines are shared: seconds on processors say more than those on the clock, ratios of one run more
than both.
"""
import argparse, json, os, pathlib, platform, resource, shutil, subprocess, sys, tempfile, time

PACKAGES = {"rensa": ["rensa"], "FastSketchLSH": ["FastSketchLSH"], "datasketch": ["datasketch"],
            "text-dedup": ["text-dedup==0.4.0"], "datatrove": ["datatrove[io,processing]", "spacy"],
            "Data-Juicer": ["py-data-juicer==1.6.1", "aiohttp"]}
FAST = ["rensa", "rensa-rho", "FastSketchLSH"]
PEERS = [*FAST, "datasketch", "text-dedup", "datatrove", "Data-Juicer"]

# Every script gets the file and where to write the ids that it removes; it prints its seconds.
COMMON = r"""
import json, os, pathlib, re, subprocess, sys, tempfile, time
FILE, REMOVED = map(pathlib.Path, sys.argv[1:])
WORD = re.compile(r"\w+")
def rows():
    with open(FILE) as lines:
        for line in lines:
            yield json.loads(line)
def shingles(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[i:i + 5]) for i in range(max(len(words) - 4, 1))}
def now():
    # Seconds on the clock, and on processors by this process and those that it waited for.
    return time.perf_counter(), sum(os.times()[:4])
def since(began):
    return [there - here for here, there in zip(began, now())]
def done(removed, seconds):
    REMOVED.write_text("".join(f"{one}\n" for one in removed))
    print(json.dumps({"seconds": seconds}))
def later(ids, flags, sketch):
    # Not timed: who meets an earlier one that stays, in a band.
    kept, removed = [set() for _ in range(16)], []
    for at, (one, flag) in enumerate(zip(ids, flags)):
        if flag:
            slots = tuple(sketch(at))
            bands = [slots[8 * i:8 * i + 8] for i in range(16)]
            if any(band in known for band, known in zip(bands, kept)):
                removed.append(one)
            else:
                for band, known in zip(bands, kept):
                    known.add(band)
    return removed
"""

RENSA = COMMON + r"""
from rensa import RMinHash, RMinHashLSH
began = now()
ids, sets = [], []
for row in rows():
    ids.append(row["id"])
    sets.append(list(shingles(row["text"])))
matrix = RMinHash.CALL
flags = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16).query_duplicate_flags_matrix_one_shot(matrix)
met = since(began)
sketches = matrix.to_rows()
done(later(ids, flags, lambda at: sketches[at]), met)
"""

SCRIPTS = {
    "rensa": RENSA.replace("CALL", "digest_matrix_from_token_sets(sets, num_perm=128, seed=42)"),
    "rensa-rho": RENSA.replace("CALL", "digest_matrix_from_token_sets_rho(sets, num_perm=128, seed=42, probes=4)"),
    "FastSketchLSH": COMMON + r"""
from FastSketchLSH import LSH, FastSimilaritySketch
began = now()
ids, sets = [], []
for row in rows():
    ids.append(row["id"])
    sets.append(list(shingles(row["text"])))
matrix = FastSimilaritySketch(128, 42).batch(sets)
flags = LSH(128, 16).insert_and_query_duplicates(matrix)
met = since(began)
done(later(ids, flags, lambda at: matrix[at].tolist()), met)
""",
    "datasketch": COMMON + r"""
from datasketch import MinHash, MinHashLSH
began = now()
lsh, removed = MinHashLSH(num_perm=128, params=(16, 8)), []
for row in rows():
    sketch = MinHash(num_perm=128)
    sketch.update_batch([shingle.encode() for shingle in shingles(row["text"])])
    if lsh.query(sketch):
        removed.append(row["id"])
    else:
        lsh.insert(row["id"], sketch)
done(removed, since(began))
""",
    "datatrove": COMMON + r"""
import gzip
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
from datatrove.utils.hashing import HashConfig
config = MinhashConfig(n_grams=5, num_buckets=16, hashes_per_bucket=8, hash_config=HashConfig(precision=64))
work = tempfile.mkdtemp(dir=REMOVED.parent)
read = lambda: JsonlReader(str(FILE.parent), glob_pattern=FILE.name)
began = now()
run = lambda pipeline, tasks: LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=min(tasks, 2)).run()
run([read(), MinhashDedupSignature(output_folder=work + "/s", config=config)], 1)
run([MinhashDedupBuckets(input_folder=work + "/s", output_folder=work + "/b", config=config)], 16)
run([MinhashDedupCluster(input_folder=work + "/b", output_folder=work + "/r", config=config)], 1)
run([read(), MinhashDedupFilter(input_folder=work + "/r", exclusion_writer=JsonlWriter(work + "/x"))], 1)
seconds = since(began)
lines = [line for part in sorted(pathlib.Path(work, "x").glob("*.gz")) for line in gzip.open(part)]
done([json.loads(line)["id"] for line in lines], seconds)
""",
    "text-dedup": COMMON + r"""
import datasets
out = tempfile.mkdtemp(dir=REMOVED.parent)
began = now()
made = subprocess.run([sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--data_files", str(FILE), "--split", "train",
    "--column", "text", "--output", out, "--cache_dir", out + "-cache", "--ngram", "5", "--num_perm", "128", "--b", "16", "--r", "8"],
    capture_output=True, text=True)
seconds = since(began)
sys.exit(made.stderr[-400:]) if made.returncode else None
kept = set(datasets.load_from_disk(out)["id"])
done([row["id"] for row in rows() if row["id"] not in kept], seconds)
""",
    "Data-Juicer": COMMON + r"""
out = pathlib.Path(tempfile.mkdtemp(dir=REMOVED.parent))
settings = {"tokenization": "space", "window_size": 5, "lowercase": True, "num_permutations": 128, "num_bands": 16, "num_rows_per_band": 8}
config = {"project_name": "peers", "dataset_path": str(FILE), "np": 2, "export_path": str(out / "kept.jsonl"), "text_keys": "text",
    "process": [{"document_minhash_deduplicator": settings}]}
(out / "config.yaml").write_text(json.dumps(config))
began = now()
made = subprocess.run([str(pathlib.Path(sys.executable).parent / "dj-process"), "--config", str(out / "config.yaml")], capture_output=True, text=True)
seconds = since(began)
sys.exit(made.stderr[-400:]) if made.returncode else None
kept = {json.loads(line)["id"] for line in open(out / "kept.jsonl")}
done([row["id"] for row in rows() if row["id"] not in kept], seconds)
""",
}

CASES = ["1 exact copy", "2 case or white space changed", "3 one word replaced", "4 a word in front", "5 5 % appended",
         "6 snapshot of a longer one", "7 3-8 words, the same", "7 3-8 words, different", "8 same template, other topic",
         "9 same prompt, other answer", "10 digits only"]
APART = 7  # From this case on both records should stay.


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("file", type=lambda path: pathlib.Path(path).resolve())
    args.add_argument("--gristmill", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    args.add_argument("--cases", metavar="DEDUP-EVAL", help="also run the ten cases, planted by this program")
    args.add_argument("--pairs", type=int, default=1000, help="of each case")
    args.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "dedup-peers")
    args.add_argument("--slow-rows", type=int, default=10_000, help="rows that all but the sketch libraries in Rust and C++ get")
    args.add_argument("--limit-seconds", type=int, default=1200, help="a peer that takes longer is left")
    args.add_argument("--runs", type=int, default=1, help="the median is printed")
    args.add_argument("--only", default="", help="peers, with commas between")
    args.add_argument("--no-install", action="store_true")
    args = args.parse_args()
    peers = [peer for peer in PEERS if not args.only or peer in args.only.split(",")]
    with tempfile.TemporaryDirectory(dir=args.file.parent) as folder:
        folder = pathlib.Path(folder)
        whole, few = folder / "whole.jsonl", folder / "few.jsonl"
        plain(args.file, whole, None)
        plain(args.file, few, args.slow_rows)
        rows = [ours(args, args.file, folder, "gristmill, as chats"), ours(args, whole, folder, "gristmill, as texts")]
        rows += [ours(args, few, folder, f"gristmill, the first {args.slow_rows} as texts")]
        for peer in peers:
            rows.append(timed(args, peer, whole if peer in FAST else few, folder))
            say(rows[-1])
        print(machine())
        table(rows, few)
        if args.cases:
            cases(args, peers, folder)


def machine():
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")][:1]
    return f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores ({', '.join(model)}), {platform.machine()}, load {os.getloadavg()[0]:.1f}\n"


def say(row):
    print(row[0], row[2], row[4], file=sys.stderr)


def plain(file, to, most):
    """Rows of {"id", "text"}; ids are those of the file, as text."""
    with open(file) as lines, open(to, "w") as out:
        for at, line in enumerate(lines):
            if most is not None and at >= most:
                break
            row = json.loads(line)
            text = row.get("text") or "\n".join(m.get("content") or "" for m in row.get("messages", []))
            out.write(json.dumps({"id": str(row.get("id", at)), "text": text}) + "\n")


def middle(runs, call):
    results = sorted((call() for _ in range(runs)), key=lambda result: result[0])
    return results[len(results) // 2]


def ours(args, file, folder, name):
    """Name, bytes, seconds on the clock and on processors, ids that go, and what is to be said."""
    def call():
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([args.gristmill, "dedup", str(file), "--out", str(folder / "out"), "--allow-wipeout", "--json"],
                       capture_output=True, check=True)
        then = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = then.ru_utime - used.ru_utime + then.ru_stime - used.ru_stime
        seconds = time.perf_counter() - began, processor
        decisions = map(json.loads, open(folder / "out" / "decisions.jsonl"))
        return seconds, {one["id"] for one in decisions if one["fate"] in ("exact", "prefix", "near")}
    return name, file.stat().st_size, *middle(args.runs, call), ""


def python_of(args, package):
    """The interpreter that has the package, and why there is none."""
    python = args.venv.resolve() / package.lower() / "bin" / "python"
    if python.exists() or args.no_install:
        return (python, "") if python.exists() else (None, "not installed")
    subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
    made = subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES[package]], capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(python.parent.parent)
        return None, "does not install: " + (made.stderr.strip().splitlines() or ["?"])[-1][:90]
    return python, ""


def timed(args, peer, file, folder):
    size = file.stat().st_size
    python, why = python_of(args, peer.split("-rho")[0])
    if why:
        return peer, size, None, None, why
    removed = folder / "removed"

    def call():
        try:
            made = subprocess.run([str(python), "-c", SCRIPTS[peer], str(file), str(removed)], capture_output=True, text=True, cwd=folder,
                                  timeout=args.limit_seconds)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"not within {args.limit_seconds} s") from None
        if made.returncode:
            raise RuntimeError((made.stderr.strip().splitlines() or ["?"])[-1][:90])
        return json.loads(made.stdout.strip().splitlines()[-1])["seconds"], set(removed.read_text().splitlines())
    try:
        return peer, size, *middle(args.runs, call), ""
    except RuntimeError as err:
        return peer, size, None, None, f"does not run: {err}"


def table(rows, few):
    print("| what | MB | seconds | MB/s | gristmill as texts is | processor seconds | gristmill as texts takes | removed | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, size, seconds, removed, note in rows:
        if seconds is None:
            print(f"| {name} | {size / 1e6:.1f} | | | | | | | {note} |")
            continue
        same = rows[2] if size == few.stat().st_size else rows[1]
        clock, processor = seconds
        print(f"| {name} | {size / 1e6:.1f} | {clock:.2f} | {size / clock / 1e6:.2f} | {clock / same[2][0]:.1f} x as fast "
              f"| {processor:.2f} | 1/{processor / same[2][1]:.1f} | {len(removed)} | {note} |")


def cases(args, peers, folder):
    planted, texts = folder / "planted.jsonl", folder / "cases.jsonl"
    subprocess.run([args.cases, "write", str(args.pairs), str(planted)], check=True)
    plain(planted, texts, None)
    rows = [ours(args, planted, folder, "gristmill")] + [timed(args, peer, texts, folder) for peer in peers]
    counted = [(name, removed, note) for name, _, _, removed, note in rows if removed is not None]
    print(f"\nTen cases, {args.pairs} pairs each: found of 100 planted duplicates / records removed by mistake\n")
    print("| case | " + " | ".join(name for name, _, _ in counted) + " |")
    print("|---|" + "---|" * len(counted))
    for case, name in enumerate(CASES):
        cells = [cell(case, removed, args.pairs) for _, removed, _ in counted]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for name, _, _, removed, note in rows:
        if removed is None:
            print(f"\n{name}: {note}")


def cell(case, removed, pairs):
    gone = [sum(f"{case}-{n}-{side}" in removed for side in "ab") for n in range(pairs)]
    if case >= APART:
        return f"- / {sum(gone)}"
    found = sum(one > 0 for one in gone)
    return f"{100 * found / pairs:.1f} / {sum(gone) - found}"


if __name__ == "__main__":
    main()
