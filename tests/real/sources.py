#!/usr/bin/env python3
"""Every real file under ../shared/data: what a person would call it, and what gristmill says it is.

    sources.py                tells: `sources inspect` on every file, and the share that is right
    sources.py --run [FOLDER]   reads: each folder into fresh stores; books, rejects, places, sources
    sources.py --oracle       compares Langfuse traces with the chats that Langfuse itself makes of them

Not here: what comes after `redact`. Nothing of the data is printed but names, counts and, with --oracle, roles.
The table is written by hand, after looking at each file. Standard library only; places and messages are read from
Parquet in the `loaders` venv (venv.sh), and are skipped where there is none.

Environment: GRISTMILL_BIN (default: target/release/gristmill), GRISTMILL_DATA (default: ../shared/data).
"""

import argparse
import collections
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GRISTMILL_DATA", ROOT.parent / "shared" / "data"))
GRISTMILL = os.environ.get("GRISTMILL_BIN", str(ROOT / "target/release/gristmill"))
VENV = Path.home() / ".cache/gristmill-venvs/loaders/bin/python"
KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
ENOUGH = 0.95
TRACED = 5
PLACES = 50

TALK, PARTS, TEXTS, NONE, POINTER = "conversations", "parts", "texts", "no_conversations", "pointer"
# The first pattern that fits says what a file holds, and in which format. `mapping` is a format of somebody's own.
TABLE = [
    ("convabuse/**/*.csv", TALK, "mapping"),
    ("fastchat-vicuna80/question.jsonl", TALK, "judged"),
    ("fastchat-vicuna80/answer/*", PARTS, "judged"),
    ("fastchat-vicuna80/review/**/*.jsonl", PARTS, "judged"),
    ("fastchat-vicuna80/*.jsonl", NONE, None),  # models, prompts of judges, reviewers
    ("fastchat/data/*.json", TALK, "sharegpt"),
    ("fastchat/**/question.jsonl", TALK, "judged"),
    ("fastchat/**/reference_answer/*", PARTS, "judged"),
    ("fastchat/**/judge_prompts.jsonl", NONE, None),
    ("gpteacher/*/*.*", TALK, "instruction"),
    ("hh-rlhf/harmless-base/*", TALK, "hh"),
    ("hh-rlhf/helpful-base/*", POINTER, None),
    ("korean-mt-bench/*/questions.jsonl", TALK, "judged"),
    ("korean-mt-bench/*/answers/*", PARTS, "judged"),
    ("korean-mt-bench/*/judgments/**/*.jsonl", PARTS, "judged"),
    ("korean-mt-bench/**/*.csv", NONE, None),  # scores
    ("label-studio-converter/**/*.json", NONE, None),  # tasks and labels of texts and images
    ("label-studio-converter/**/*.csv", NONE, None),
    ("langfuse-seed-traces/chat_ml_json.json", TALK, "openai-chat"),  # messages of LangChain
    ("langfuse-seed-traces/nested_json.json", NONE, None),
    ("langfuse-*/framework-traces/openai-assistants-*", TALK, "langfuse"),
    ("langfuse-seed-traces/framework-traces/*", TALK, "langfuse"),
    ("langfuse-worker-traces/**/*.trace.json", TALK, "langfuse"),
    ("open-assistant*/**/*_message.jsonl.gz", TALK, "oasst"),
    ("open-assistant*/**/*_tree.jsonl.gz", TALK, "oasst"),
    ("open-assistant/**/realistic_seed_data.json", PARTS, "oasst"),  # one message a record, none with its tree
    ("open-assistant*/**/*_text.jsonl*", TEXTS, None),  # JSON strings: nothing says that they are prompts
    ("openinference/java/**/*.json", PARTS, "openai-exchange"),  # answers without their requests
    ("openinference/**/openinference_client_span*", TALK, "openinference"),
    ("openinference/**/otel_genai_tool_execution_span.json", PARTS, "otel"),
    ("openinference/**/otel_genai*", TALK, "otel"),
    ("openinference/**/openinference-instrumentation-anthropic/**/*.json", PARTS, "anthropic"),  # answers alone
    ("openinference/**/*should-re_1063497518/*.har", NONE, None),  # a search of documents, and what it found
    ("openinference/**/*.har", TALK, "http-recording"),
    ("openinference/**/should-*error*.json", PARTS, "bedrock"),  # calls that failed
    ("openinference/**/*pixtral*.json", PARTS, "bedrock"),  # and here without the right to call
    ("openinference/**/recordings/*.json", TALK, "bedrock"),
    ("openinference/**/v6-spans/ai-embed*.json", PARTS, "otel"),
    ("openinference/**/v6-spans/capture-results.json", NONE, None),
    ("openinference/**/v6-spans/*.json", TALK, "otel"),
    ("pandalm/gpt-3.5-turbo-*", PARTS, "judged"),
    ("pandalm/pandalm-7b-*", PARTS, "judged"),
    ("pandalm/*.json", TALK, "judged"),
    ("speed/*.tar.zst", TALK, "mapping"),
    ("taskmaster4/data/*", TALK, "mapping"),
    ("taskmaster4/reward/*", NONE, None),
    ("tau-bench/few_shot_data/*", TALK, "mapping"),
    ("tau-bench/historical_trajectories/*", TALK, "mapping"),
]
# Chats that Langfuse made of its traces are what --oracle compares with; the rest is prose, settings or votes.
LEFT_OUT = ("pii/", "get-another-label/", "langfuse-worker-traces/framework-traces/")
ENDINGS = (".json", ".jsonl", ".jsonl.gz", ".csv", ".yaml", ".har", ".tar.zst")


def files():
    """Every file of the table with what it should be told as; one that no line fits is an error."""
    listed = {}
    for pattern, holds, name in TABLE:
        for path in DATA.glob(pattern):
            listed.setdefault(path, (holds, name))
    for path in sorted(DATA.rglob("*")):
        name = path.relative_to(DATA).as_posix()
        if path not in listed and name.endswith(ENDINGS) and not name.startswith(LEFT_OUT):
            sys.exit(f"{name}: not in the table")
    return sorted((path, *wanted) for path, wanted in listed.items() if path.is_file())


def gristmill(*args, code=0):
    environment = os.environ | {"GRISTMILL_KEY": KEY}
    ran = subprocess.run([GRISTMILL, *map(str, args)], capture_output=True, text=True, env=environment)
    if ran.returncode not in (code, 12):
        raise RuntimeError(f"gristmill {args[0]}: exit {ran.returncode}: {ran.stderr[:300]}")
    return json.loads(ran.stdout)


def inspect(path):
    told = gristmill("sources", "inspect", "--json", path)
    return told, told["holds"], "mapping" if told["mapping"] else told["format"]


def tell():
    """Prints each file, what it should be, what it is told as; the share of those told right."""
    folders, lines = collections.defaultdict(lambda: [0, 0]), []
    for path, holds, name in files():
        told, told_holds, told_name = inspect(path)
        # Parts of a format are told right as that format; whether they are read is for --run to say.
        right = told_name == name if name else told_holds == holds
        sure = told["mapping_sure"] if told["mapping"] else told["sure"]
        relative = path.relative_to(DATA).as_posix()
        # Hundreds of verdicts of one kind must not make up for others.
        folder = "korean-mt-bench verdicts" if "/judgments/" in relative else relative.split("/")[0]
        folders[folder][0] += right
        folders[folder][1] += 1
        lines.append((right, "judgments" in relative, holds in (TALK, PARTS)))
        if "judgments" not in relative or not right:
            word = "right" if right else "WRONG"
            print(f"{word}  {relative}: expected {holds} {name or '-'}, told {told_holds} {told_name or '-'} ({sure:.2f})")
    for folder, (right, of) in sorted(folders.items()):
        print(f"{right:4} of {of:4}  {folder}")
    everything = [right for right, _, _ in lines]
    others = [right for right, verdict, _ in lines if not verdict]
    talk = [right for right, verdict, spoken in lines if spoken and not verdict]
    shares = [sum(some) / len(some) for some in (everything, others, talk)]
    print(
        f"told right: {shares[0]:.1%} of {len(everything)} files; without verdicts {shares[1]:.1%} of {len(others)}, "
        f"and of those that hold conversations or parts of them {shares[2]:.1%} of {len(talk)}"
    )
    return min(shares) >= ENOUGH


def records(name, data):
    """How many records a file has, counted without gristmill."""
    if name.endswith(".tar.zst"):
        packed = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            return sum(records(one.name, archive.extractfile(one).read()) for one in archive if one.isfile())
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    if name.endswith(".csv"):
        csv.field_size_limit(1 << 30)
        delimiter = max(",;\t|", key=text.split("\n", 1)[0].count)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        return len(rows) - 1
    if name.endswith(".yaml"):
        return sum(line.startswith("- ") for line in text.splitlines())
    try:
        whole = json.loads(text)
        return len(whole) if isinstance(whole, list) else 1
    except json.JSONDecodeError:
        return sum(bool(line.strip()) for line in text.split("\n"))


def pipeline(folder, path, told):
    """A pipeline for one file, as inspect proposes it."""
    mapping, name = told["mapping"], told["format"]
    text = f'[pipeline]\nname = "real"\nseed = 1\nstore = "{folder}/store"\n[ingest]\nmax_reject_share = 1.0\n'
    text += f"[[ingest.sources]]\npath = {json.dumps(str(path))}\n"
    if mapping:
        said = {key: value for key, value in mapping.items() if value}
        text += f"mapping = {toml(said)}\n"
    elif name:
        text += f'format = "{name}"\n'
    file = folder / "pipeline.toml"
    file.write_text(text)
    return file


def toml(value):
    """JSON as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items() if one is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


ROWS = """
import json, pathlib, sys
import pyarrow.parquet as parquet
want = ["record_id", "source_id", "start_byte", "end_byte", "line", "element", "external_id", "messages"]
for file in sorted(pathlib.Path(sys.argv[1]).rglob("part*.parquet")):
    if "layers/redacted" not in str(file):
        continue
    table = parquet.ParquetFile(file).read()
    if "messages" in table.column_names:
        for row in table.select(want).to_pylist():
            print(json.dumps(row, default=str))
"""


def rows(store):
    """Rows of the redacted layer; nothing without the venv."""
    if not VENV.exists():
        return None
    ran = subprocess.run([VENV, "-c", ROWS, store], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def places(path, kept, data):
    """Ranges that hold what was read: JSON in place of JSON. The number of ranges that were looked at."""
    name = path.name
    if name.endswith(".tar.zst"):
        return 0
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    looked = kept[:: max(1, len(kept) // PLACES)]
    for row in looked:
        piece = text[int(row["start_byte"]) : int(row["end_byte"])]
        if name.endswith(".csv"):
            csv.reader(io.StringIO(piece.decode(), newline="")).__next__()
        elif name.endswith(".yaml"):
            assert piece.startswith(b"- ") and not piece.endswith(b"\n"), row["start_byte"]
        else:
            json.loads(piece)
        assert text[: int(row["start_byte"])].count(b"\n") + 1 == int(row["line"]), ("line", row["start_byte"])
    return len(looked)


def read_one(path, scratch):
    """Books, rejects and places of one file."""
    told, _, name = inspect(path)
    folder = Path(tempfile.mkdtemp(dir=scratch))
    file = pipeline(folder, path, told)
    outcome = gristmill("run", file, "--until", "redact", "--json")
    stages = {stage["stage"]: stage for stage in outcome["stages"]}
    # Parts of conversations are folded first, and joined then.
    read = [stages[name] for name in ("ingest", "join") if name in stages]
    kept_of_all = sum(stage["kept"] for stage in read)
    rejected = collections.Counter()
    for stage in read:
        rejected.update(stage.get("rejected") or {})
    data = path.read_bytes()
    counted = records(path.name, data)
    kept = rows(folder / "store")
    looked = traced = 0
    if kept is not None:
        assert len(kept) == kept_of_all, ("rows kept", len(kept), kept_of_all)
        # A record gives more than one row where it states a preference or is a tree.
        whole = len({(row["source_id"], row["start_byte"]) for row in kept}) + sum(rejected.values())
        if "join" in stages:
            # Each part is in one conversation, or rejected with all of its key.
            whole += stages["join"]["folded"]
        assert whole == counted, ("records", whole, "counted", counted)
        looked = places(path, kept, data)
        for row in kept[:: max(1, len(kept) // TRACED)][:TRACED]:
            found = gristmill("trace", row["record_id"], "--pipeline", file, "--verify-source", "--json")
            assert found["records"][0]["source_ok"] is True, row["record_id"]
            traced += 1
    return name, counted, kept_of_all, rejected, looked, traced


def run(only):
    failed, totals = 0, collections.Counter()
    print("file | format | records | kept | rejected | places | traced")
    with tempfile.TemporaryDirectory(prefix="gristmill-sources-") as scratch:
        for path, holds, _ in files():
            relative = path.relative_to(DATA).as_posix()
            if not relative.startswith(only or "") or "judgments" in relative or holds == POINTER:
                continue
            if relative.startswith("speed/") and only != "speed":
                continue
            try:
                name, counted, kept, rejected, looked, traced = read_one(path, scratch)
            except (AssertionError, RuntimeError, StopIteration, ValueError) as error:
                failed += 1
                print(f"FAIL {relative}: {type(error).__name__} {error}")
                continue
            why = ", ".join(f"{reason} {n}" for reason, n in sorted(rejected.items())) or "-"
            print(f"{relative} | {name or '-'} | {counted} | {kept} | {why} | {looked} | {traced}", flush=True)
            totals[relative.split("/")[0]] += looked
    print("places looked at:", dict(totals), "failed:", failed)
    return failed == 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", nargs="?", const="", metavar="FOLDER")
    parser.add_argument("--oracle", action="store_true")
    given = parser.parse_args()
    if not DATA.is_dir():
        print(f"SKIP sources: {DATA} is not there")
        sys.exit(0)
    if not Path(GRISTMILL).exists():
        sys.exit(f"{GRISTMILL} is not there: build it, or set GRISTMILL_BIN")
    if given.oracle:
        import langfuse_oracle

        sys.exit(0 if langfuse_oracle.compare() else 1)
    sys.exit(0 if (tell() if given.run is None else run(given.run)) else 1)
