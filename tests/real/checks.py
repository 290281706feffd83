"""One line per check: `PASS|FAIL|SKIP <name>[: reason]`; run.sh counts these lines."""

import hashlib
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path


def offline(part):
    """Keeps `datasets` off the network and its cache in a folder of its own, which lives as long as what
    is returned. Before the first import of a Hugging Face package: they read these once."""
    scratch = tempfile.TemporaryDirectory(prefix=f"gristmill-{part}-")
    os.environ |= {
        "HF_HOME": scratch.name,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    return scratch


class Checks:
    def __init__(self, prefix=""):
        self.prefix = prefix
        self.failed = 0

    def line(self, word, name, note=""):
        note = " ".join(str(note).split())[:400]
        print(f"{word} {self.prefix}{name}" + (f": {note}" if note else ""), flush=True)

    def passed(self, name, note=""):
        self.line("PASS", name, note)

    def fail(self, name, note):
        self.failed += 1
        self.line("FAIL", name, note)

    def skip(self, name, note):
        self.line("SKIP", name, note)

    def run(self, name, check):
        """Runs `check`; what it returns is the note of a pass, an exception is a failure."""
        began = time.monotonic()
        try:
            note = check() or ""
        except Exception as error:  # any exception of an outside tool is the finding
            traceback.print_exc(file=sys.stderr)
            self.fail(name, f"{type(error).__name__}: {error}")
            return False
        self.passed(name, f"{note}{' ' if note else ''}({time.monotonic() - began:.1f} s)")
        return True


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


ID_COLUMNS = ("example_id", "pair_id", "sample_id")
JSON_FIELDS = ("tools", "tool_calls")
TEXT_COLUMNS = ("messages", "prompt", "chosen", "rejected", "completion", "tools")


def releases(store):
    """Version directories of the store, oldest first."""
    return sorted(p for p in Path(store).glob("datasets/*/v*") if p.is_dir())


def each_release(part, packages, check):
    """Runs `check(release, checks)` on every release of the store that the command line names; an exit code."""
    store = Path(sys.argv[1]).resolve()
    print("# " + " ".join(f"{m.__name__}=={m.__version__}" for m in packages), flush=True)
    checks = Checks(f"{part} ")
    found = releases(store)
    if not found:
        checks.fail("releases", f"no release in {store}/datasets")
    for release in found:
        checks.prefix = f"{part} {release.parent.name}/{release.name} "
        # A release that can't be read at all must not hide the others.
        try:
            check(release, checks)
        except Exception as error:
            checks.fail("read", f"{type(error).__name__}: {error}")
    return 1 if checks.failed else 0


def split_files(release):
    """{split: [files]} by the file name's part before the first dash."""
    splits = {}
    for path in sorted((release / "data").glob("*.parquet")):
        splits.setdefault(path.name.split("-")[0], []).append(path)
    return splits


def plain(value, field=None):
    """The same Python value whatever reader it came from (numpy, JSON text, decoded JSON)."""
    if field in JSON_FIELDS:
        if isinstance(value, (str, bytes)):
            value = json.loads(value)
        return as_python(value)
    if value is None:
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: plain(item, key) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def as_python(value):
    return value.tolist() if hasattr(value, "tolist") else value


def missing(value):
    return value is None or (isinstance(value, float) and value != value)


def digest(rows):
    """(row count, hash over the sorted (id, conversation columns as JSON))."""
    lines = []
    for row in rows:
        key = next((row[c] for c in ID_COLUMNS if c in row), None)
        expect(isinstance(key, str) and key, f"row without an id: {sorted(row)}")
        text = {
            c: None if missing(row[c]) else plain(row[c], c) for c in TEXT_COLUMNS if c in row
        }
        lines.append(json.dumps([key, text], sort_keys=True, ensure_ascii=False))
    lines.sort()
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
