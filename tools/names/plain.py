"""Writes the lines of the plain texts that word counts and clusters are taken from, each once.

    python3 tools/names/plain.py DATA > plain.txt

DATA holds gpteacher, hh-rlhf, korean-mt-bench, taskmaster4, fastchat, open-assistant and pandalm.
"""

import glob
import gzip
import json
import sys

FILES = [
    "gpteacher/Toolformer/toolformer-dedupe-only-dataset.json",
    "gpteacher/Roleplay/roleplay-simple-deduped-roleplay-instruct.json",
    "gpteacher/Codegen/codegen-instruct.json",
    "hh-rlhf/harmless-base/test.jsonl.gz",
    "korean-mt-bench/en/**/*.jsonl",
    "taskmaster4/data/*.json",
    "fastchat*/**/*.json*",
    "open-assistant/**/*.json*",
    "pandalm/**/*.json*",
]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("annotations", "instructions", "segments"):
                yield from strings(item)


def documents(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", errors="ignore") as file:
        text = file.read()
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip().startswith("{")]


def main():
    seen = set()
    for pattern in FILES:
        for path in sorted(glob.glob(f"{sys.argv[1]}/{pattern}", recursive=True)):
            for document in documents(path):
                for text in strings(document):
                    for line in text.split("\n"):
                        if len(line) > 20 and line not in seen:
                            seen.add(line)
                            print(line)


main()
