#!/usr/bin/env python3
"""Searches a whole store for planted personal data: every Parquet file decoded, every other file as it is.

Usage: tests/real/canaries.py STORE CANARIES.txt [LOG…]   (canaries: one a line, as `corpus` writes them)
Needs polars and grep. Exits 1 if anything is found, and says in which file, never what.
"""
import json, pathlib, subprocess, sys, tempfile
import polars as pl

store, canaries, logs = pathlib.Path(sys.argv[1]), sys.argv[2], [pathlib.Path(log) for log in sys.argv[3:]]
wanted = [line for line in pathlib.Path(canaries).read_text().splitlines() if line]
rows = found = files = 0


def hits(lines):
    """How many lines hold a canary."""
    grep = subprocess.Popen(["grep", "-F", "-c", "-f", canaries], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in lines:
        grep.stdin.write(line)
    return int(grep.communicate()[0])


def text(path):
    global rows
    if path.suffix != ".parquet":
        yield path.read_bytes()
        return
    frame = pl.read_parquet(path)
    frame = frame.with_columns(pl.col(name).cast(pl.String) for name, kind in frame.schema.items() if kind == pl.Binary)
    rows += frame.height
    for part in frame.iter_slices(50_000):
        yield part.write_ndjson().encode()


# The search must see what is there: a canary put inside a value of a Parquet file is found.
with tempfile.TemporaryDirectory() as folder:
    planted = pathlib.Path(folder) / "planted.parquet"
    pl.DataFrame({"messages": [[{"content": f"x {wanted[0]} y"}]]}).write_parquet(planted)
    if hits(text(planted)) != 1:
        sys.exit("the search does not find what was planted")
rows = 0
for path in sorted(p for p in store.rglob("*") if p.is_file()) + logs:
    files += 1
    if n := hits(text(path)):
        found += n
        print(f"{path}: {n} lines hold planted data")
print(f"{len(wanted)} canaries searched in {files} files, {rows} rows: {found} found")
sys.exit(1 if found or not rows else 0)
