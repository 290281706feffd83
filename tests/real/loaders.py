"""Every release of a store, read by the real loaders: the same rows, ids and text in each.

Usage: loaders.py STORE
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from checks import ID_COLUMNS, digest, each_release, expect, offline, split_files

scratch = offline("loaders")

import datasets
import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq


def fields(arrow_type):
    """Every type nested in `arrow_type`, itself first."""
    yield arrow_type
    if isinstance(arrow_type, pa.BaseExtensionType):
        yield from fields(arrow_type.storage_type)
        return
    for i in range(arrow_type.num_fields):
        yield from fields(arrow_type.field(i).type)


def check_files(release, splits):
    others = [
        str(p.relative_to(release))
        for p in release.rglob("*")
        if p.is_file()
        and not re.fullmatch(r"data/[a-z]+-\d{5}-of-\d{5}\.parquet", str(p.relative_to(release)))
    ]
    expect(not others, f"beside the data files: {others[:5]}")
    expect("train" in splits, f"splits {sorted(splits)}: no train")
    return ", ".join(f"{s}: {len(f)} file(s)" for s, f in splits.items())


def check_parquet(splits):
    """What load_dataset is known to trip over, straight from the footers."""
    first = first_path = None
    groups = 0
    for path in (p for paths in splits.values() for p in paths):
        meta = pq.read_metadata(path)
        schema = pq.read_schema(path)
        # One schema for all files, the metadata (huggingface, ARROW:schema) included.
        if first is None:
            first, first_path = schema, path
        expect(
            schema.equals(first, check_metadata=True),
            f"schema of {path.name} is not that of {first_path.name}",
        )
        expect(meta.num_row_groups > 0, f"{path.name} has no row group")
        for i in range(meta.num_row_groups):
            expect(meta.row_group(i).num_rows > 0, f"{path.name}: row group {i} has no rows")
        groups += meta.num_row_groups
        maps = [f.name for f in schema if any(pa.types.is_map(t) for t in fields(f.type))]
        expect(not maps, f"{path.name}: map columns {maps}")
        for i in range(meta.num_columns):
            column = meta.schema.column(i)
            if {"tools", "tool_calls"} & set(column.path.split(".")):
                expect(
                    column.logical_type.type == "JSON",
                    f"{path.name}: {column.path} has logical type {column.logical_type}",
                )
    return f"{groups} row group(s)"


def check_tool_json(rows):
    """Tools and tool calls are JSON arrays of the shape that chat templates read."""
    tools = calls = 0
    for row in rows:
        if row.get("tools") is not None:
            value = json.loads(row["tools"])
            expect(isinstance(value, list) and value, f"tools is not a filled array: {value!r}")
            for tool in value:
                expect(tool["type"] == "function", f"tool type {tool['type']!r}")
                expect(isinstance(tool["function"]["name"], str), f"tool without name: {tool!r}")
                parameters = tool["function"].get("parameters", {})
                expect(isinstance(parameters, dict), f"parameters: {parameters!r}")
                tools += 1
        for column in ("messages", "prompt", "chosen", "rejected"):
            for message in row.get(column) or []:
                if message.get("tool_calls") is None:
                    continue
                value = json.loads(message["tool_calls"])
                expect(isinstance(value, list) and value, f"tool_calls: {value!r}")
                expect(message["role"] == "assistant", f"{message['role']} with tool_calls")
                for call in value:
                    function = call["function"]
                    expect(isinstance(function["name"], str), f"call without name: {call!r}")
                    expect(
                        isinstance(function["arguments"], dict),
                        f"arguments is not an object: {function['arguments']!r}",
                    )
                    calls += 1
    return f"{tools} tools, {calls} tool calls"


def check_splits(rows_by_split):
    """No id twice, and no split group on both sides."""
    ids, groups = {}, {}
    for split, rows in rows_by_split.items():
        for row in rows:
            key = next(row[c] for c in ID_COLUMNS if c in row)
            expect(key not in ids, f"{key} in {ids.get(key)} and {split}")
            ids[key] = split
            group = row.get("split_group") or row.get("split_group_id")
            if group is not None:
                expect(groups.setdefault(group, split) == split, f"group {group} in two splits")
    return f"{len(ids)} ids, {len(groups)} groups"


def from_datasets(loaded):
    return {split: digest(loaded[split]) for split in loaded}


def from_polars_scan(release, splits):
    """The whole directory in one lazy scan; the split is told by the path column."""
    frame = polars.scan_parquet(release / "data", include_file_paths="_path").collect()
    rows = {}
    for row in frame.iter_rows(named=True):
        rows.setdefault(Path(row.pop("_path")).name.split("-")[0], []).append(row)
    return {split: digest(rows.get(split, [])) for split in splits}


def from_duckdb(splits):
    out = {}
    for split, paths in splits.items():
        result = duckdb.sql("select * from read_parquet(" + repr([str(p) for p in paths]) + ")")
        names = result.columns
        out[split] = digest(dict(zip(names, row)) for row in result.fetchall())
    return out


def same(expected, seen):
    expect(seen == expected, f"(rows, hash) {seen}, pyarrow saw {expected}")
    return ", ".join(f"{s} {n}" for s, (n, _) in seen.items())


def check_release(release, checks):
    splits = split_files(release)
    checks.run("files", lambda: check_files(release, splits))
    checks.run("parquet shape", lambda: check_parquet(splits))

    def read(paths):
        return [row for p in paths for row in pq.ParquetFile(p).read().to_pylist()]

    rows = {split: read(paths) for split, paths in splits.items()}
    expected = {split: digest(r) for split, r in rows.items()}
    checks.run("splits disjoint", lambda: check_splits(rows))
    checks.run("tool JSON", lambda: check_tool_json(r for rs in rows.values() for r in rs))

    cache = {"cache_dir": tempfile.mkdtemp(dir=scratch.name)}
    load = datasets.load_dataset
    loaders = {
        "datasets load_dataset(dir)": lambda: from_datasets(load(str(release), **cache)),
        "datasets load_dataset('parquet')": lambda: from_datasets(
            load("parquet", data_dir=str(release), **cache)
        ),
        "datasets streaming": lambda: from_datasets(
            load(str(release), streaming=True, **cache)
        ),
        "polars read_parquet": lambda: {
            s: digest(polars.read_parquet(p).iter_rows(named=True)) for s, p in splits.items()
        },
        "polars scan_parquet": lambda: from_polars_scan(release, splits),
        "pandas read_parquet": lambda: {
            s: digest(pandas.concat(map(pandas.read_parquet, p)).to_dict("records"))
            for s, p in splits.items()
        },
        "duckdb read_parquet": lambda: from_duckdb(splits),
    }
    for name, loader in loaders.items():
        checks.run(name, lambda loader=loader: same(expected, loader()))

    evidence = release.parents[2] / "evidence" / release.parent.name / release.name
    lineage = evidence / "lineage" / "rows.parquet"

    def check_lineage():
        json.loads((evidence / "manifest.json").read_text())
        arrow = pq.read_table(lineage).num_rows
        duck = len(duckdb.sql(f"select 1 from read_parquet('{lineage}')").fetchall())
        seen = {arrow, duck, polars.read_parquet(lineage).height, len(pandas.read_parquet(lineage))}
        expect(len(seen) == 1, f"row counts differ: {seen}")
        return f"{arrow} rows"

    checks.run("evidence", check_lineage)


sys.exit(each_release("loaders", (datasets, polars, pandas, pa, duckdb), check_release))
