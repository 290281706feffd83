#!/usr/bin/env python3
"""Reading OpenAI chat JSONL beside DuckDB, Polars and datatrove: same file, same columns, one thread.

Usage: benches/peers/read.py READ_BENCH CORPUS [SIZE, default 64M] [ROUNDS, default 3]
READ_BENCH is the program of `cargo bench --bench read --no-run`, CORPUS the corpus maker.

Columns: id, model, created and messages (a list of role and content), to Arrow in memory; ours makes
all 21 columns of a row. Each reader is a process of its own and takes turns with the others; seconds
are seconds on the processor (all threads), the best of the rounds counts. Peers are installed from
PyPI into ~/.cache/gristmill-venvs/peers; one that cannot be installed is skipped, and said to be.
"""
import os, pathlib, subprocess, sys, tempfile, venv

PEERS = {
    "duckdb": """
import duckdb
c = duckdb.connect(); c.execute("SET threads=1")
columns = "{id: 'VARCHAR', model: 'VARCHAR', created: 'BIGINT', messages: 'STRUCT(role VARCHAR, content VARCHAR)[]'}"
def read(path):
    q = f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={columns}, ignore_errors=true)"
    return c.execute(q).to_arrow_table().num_rows
""",
    "polars": """
import polars as pl
message = pl.Struct({"role": pl.String, "content": pl.String})
schema = {"id": pl.String, "model": pl.String, "created": pl.Int64, "messages": pl.List(message)}
def read(path):
    return pl.scan_ndjson(path, schema=schema, ignore_errors=True).collect().height
""",
    "datatrove": """
import os, pathlib
os.environ["DATATROVE_COLORIZE_LOGS"] = "0"
from loguru import logger; logger.remove()
from datatrove.pipeline.readers import JsonlReader
import pyarrow as pa
kept = ("id", "model", "created")
def adapter(self, data, path, at):
    said = [{"role": m.get("role"), "content": m.get("content")} for m in data["messages"]]
    return {"text": "-", "id": data.get("id") or "-", "metadata": {**{k: data.get(k) for k in kept}, "messages": said}}
def read(path):
    path = pathlib.Path(path)
    reader = JsonlReader(str(path.parent), glob_pattern=path.name, adapter=adapter)
    batch, rows = [], 0
    tables = []
    for document in reader.run():
        batch.append({k: document.metadata.get(k) for k in (*kept, "messages")})
        if len(batch) == 4096:
            tables.append(pa.Table.from_pylist(batch)); batch = []
    tables.append(pa.Table.from_pylist(batch))
    return sum(table.num_rows for table in tables)
""",
}
TIMED = """
import resource, sys
def clock():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
began = clock()
rows = read(sys.argv[1])
print(clock() - began, rows)
"""


def install():
    home = pathlib.Path.home() / ".cache/gristmill-venvs/peers"
    python = home / "bin/python"
    if not python.exists():
        venv.create(home, with_pip=True)
    missing = []
    for name in PEERS:
        have = subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode == 0
        wanted = [name, "pyarrow"] + (["orjson"] if name == "datatrove" else [])
        if not have and subprocess.run([python, "-m", "pip", "install", "-q", *wanted]).returncode != 0:
            missing.append(name)
    return python, missing


def run(command):
    """Seconds, rows and peak memory of one reader; None if it failed."""
    env = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        out.seek(0), err.seek(0)
        if status != 0:
            print("failed:", err.read().strip().splitlines()[-1:], file=sys.stderr)
            return None
        seconds, rows = out.read().split()
        return float(seconds), int(rows), usage.ru_maxrss / 1024


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    bench, corpus = sys.argv[1:3]
    size = sys.argv[3] if len(sys.argv) > 3 else "64M"
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    python, missing = install()
    with tempfile.TemporaryDirectory(prefix="gristmill-peers-") as folder:
        made = [corpus, "--bytes", size, "--seed", "1", "--formats", "openai", "--out", folder]
        subprocess.run(made, check=True, capture_output=True)
        # Lines that are no JSON make some readers give up: only whole records are compared.
        path = pathlib.Path(folder) / "rows.jsonl"
        keep = "import json, sys\nfor line in open(sys.argv[1], 'rb'):\n    try: row = json.loads(line)\n" \
            "    except ValueError: continue\n    good = isinstance(row, dict) and isinstance(row.get('messages'), list)\n" \
            "    if good and all(isinstance(m, dict) for m in row['messages']): sys.stdout.buffer.write(line)"
        with path.open("wb") as out:
            subprocess.run([python, "-c", keep, f"{folder}/openai-000.jsonl"], stdout=out, check=True)
        commands = {"gristmill": [bench, "--file", path]}
        commands |= {name: [python, "-c", code + TIMED, path] for name, code in PEERS.items() if name not in missing}
        best = {}
        for _ in range(rounds):
            for name, command in commands.items():
                if (got := run(command)) and got[0] < best.get(name, (float("inf"),))[0]:
                    best[name] = got
        megabytes = path.stat().st_size / 1e6
        print(f"{megabytes:.0f} MB\n| reader | MB/s | rows/s | rows | peak MiB | gristmill is |\n|---|---|---|---|---|---|")
        for name, (seconds, rows, peak) in best.items():
            ratio = seconds / best["gristmill"][0]
            print(f"| {name} | {megabytes / seconds:.0f} | {rows / seconds:.0f} | {rows} | {peak:.0f} | {ratio:.2f} x |")
        for name in [*missing, *(name for name in commands if name not in best)]:
            print(f"{name}: skipped, it could not be installed or did not read the file")


main()
