#!/usr/bin/env python3
"""Turns public dialogues into JSONL of chats, one {"id", "messages"} a line, for benches of dedup.

    benches/peers/chats.py OUT.jsonl SOURCE...

A source is a folder or an archive (.tar, .tar.zst with `zstd` on the path) of JSON arrays or JSONL: Schema-Guided Dialogue (`turns`),
Taskmaster (`utterances`), rows of `messages`, `traj` (tau-bench) or `instruction`, `input`, `response` (GPTeacher).
Files are taken in the order of their names, so the same sources give the same bytes; ids tell file and row.
"""
import json, pathlib, subprocess, sys, tarfile


def files(source):
    """(name, bytes) of each JSON file."""
    if source.is_dir():
        for path in sorted(source.rglob("*.json*")):
            yield str(path.relative_to(source)), path.read_bytes()
        return
    unpacked = subprocess.Popen(["zstd", "-dc", source], stdout=subprocess.PIPE).stdout if source.suffix == ".zst" else open(source, "rb")
    with unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
        for member in archive:
            if member.isfile() and ".json" in member.name:
                yield member.name, archive.extractfile(member).read()


def rows(data):
    text = data.decode("utf-8")
    try:
        whole = json.loads(text)
        return whole if isinstance(whole, list) else [whole]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def messages(row):
    """Role and text of each message that says something."""
    if "turns" in row or "utterances" in row:
        said = [(turn["speaker"], turn.get("utterance") or turn.get("text")) for turn in row.get("turns") or row["utterances"]]
        return [("user" if who.lower() == "user" else "assistant", text) for who, text in said if text]
    if "instruction" in row:
        asked = "\n".join(part for part in [row["instruction"], row.get("input")] if part)
        return [("user", asked), ("assistant", row.get("response") or row.get("output") or "")]
    listed = row.get("messages") or row.get("traj") or []
    return [(one["role"], one["content"]) for one in listed if isinstance(one.get("content"), str) and one["content"]]


def main():
    out, *sources = map(pathlib.Path, sys.argv[1:])
    with open(out, "w") as to:
        for source in sources:
            for name, data in files(source):
                for at, row in enumerate(rows(data)):
                    said = messages(row) if isinstance(row, dict) else []
                    if said:
                        listed = [{"role": role, "content": text} for role, text in said]
                        to.write(json.dumps({"id": f"{name}:{at}", "messages": listed}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
