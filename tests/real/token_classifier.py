"""Redaction with a token classifier in ONNX Runtime: the model is trained here (token_model.py), and
what `gristmill` finds with it is compared with what stands in the texts, to the byte.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import onnxruntime

import token_model
from checks import Checks, expect

ROOT = Path(__file__).resolve().parents[2]
GRISTMILL = shlex.split(os.environ.get("GRISTMILL_BIN", "cargo run --release --quiet --features onnx --"))
RUNTIME = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*"))
# No cue before them, in small letters, behind letters of several bytes.
TEXTS = [
    ("é 🙂 the invoice of zorvan brandovar is open", ["zorvan brandovar"]),
    ("東京 thessimo vandrillo, please", ["thessimo vandrillo"]),
    ("a parcel for quillix; das paket für ombeline graxmoor", ["quillix", "ombeline graxmoor"]),
    ("nothing but the weather report", []),
    ("l'été 🙂🙂 maelqin's order", ["maelqin"]),
]
NAMES = [name for _, names in TEXTS for name in names]


def gristmill(*args, code=0):
    """Runs the program and holds it to its exit code; what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DYLIB_PATH"}
    done = subprocess.run([*GRISTMILL, *map(str, args)], capture_output=True, text=True, env=environment, cwd=ROOT)
    told = f"{args[0]}: exit {done.returncode}, not {code}: {done.stderr[-300:]}"
    expect(done.returncode == code, told)
    return done


class Model:
    """A folder with logs, a model and pipelines that name it."""

    def __init__(self, folder):
        self.folder = folder
        self.failword = token_model.build(folder)
        self.digests = {}
        rows = [self.row(text) for text, _ in TEXTS]
        self.logs = self.write("logs.jsonl", rows)

    def row(self, text):
        return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]}

    def write(self, name, rows):
        path = self.folder / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return path

    def pipeline(self, name, settings="", model="model", digest=None, logs="logs.jsonl", share=0.0):
        section = ""
        if model:
            digest = digest or self.digest(model)
            section = f'[redact.model]\npath = "{model}"\ndigest = "{digest}"\nruntime = "{RUNTIME}"\n{settings}\n'
        path = self.folder / f"{name}.toml"
        path.write_text(
            f'[pipeline]\nname = "{name}"\nseed = 7\nkey_file = "{ROOT}/fixtures/demo.key"\nstore = "store-{name}"\n'
            f'[ingest]\nsources = [{{ path = "{logs}" }}]\nmax_reject_share = {share}\n{section}'
        )
        return path

    def digest(self, model):
        """As the program itself says it."""
        if model not in self.digests:
            wrong = self.pipeline("digest", model=model, digest="blake3:" + "0" * 64)
            told = gristmill("scan", self.logs, "--pipeline", wrong, code=2).stderr
            self.digests[model] = re.search(r"its digest is (blake3:[0-9a-f]{64})", told).group(1)
        return self.digests[model]

    def found(self, pipeline, logs=None):
        """(line, value, rule) of what `scan` finds."""
        logs = logs or self.logs
        texts = [json.loads(line)["messages"][0]["content"] for line in logs.read_text().splitlines()]
        done = subprocess.run(
            [*GRISTMILL, "scan", logs, "--json", "--exit-zero", "--pipeline", pipeline],
            capture_output=True, text=True, cwd=ROOT,
        )
        expect(done.returncode == 0, done.stderr[-300:])
        for one in map(json.loads, done.stdout.splitlines()):
            raw = texts[one["line"] - 1].encode()
            yield one["line"], raw[one["start_byte"] : one["end_byte"]].decode(), one["rule"]


def exact(model):
    expected = [(n + 1, name, "model.person") for n, (_, names) in enumerate(TEXTS) for name in names]
    found = list(model.found(model.pipeline("with")))
    expect(found == expected, f"{found} is not {expected}")
    without = list(model.found(model.pipeline("without", model=None)))
    expect(without == [], f"found without a model: {without}")
    return f"{len(expected)} names, none of them without the model"


def redacted(model):
    out = model.folder / "clean.jsonl"
    gristmill("redact", model.logs, "-o", out, "--pipeline", model.pipeline("with"))
    text = out.read_text()
    expect(not any(name in text for name in NAMES), "a name is left")
    expect(text.count("[PERSON:") == len(NAMES), f"{text.count('[PERSON:')} tokens")
    again = model.folder / "again.jsonl"
    gristmill("redact", out, "-o", again, "--pipeline", model.pipeline("with"))
    expect(again.read_bytes() == out.read_bytes(), "redacting again changed something")
    gristmill("redact", model.logs, "-o", out, "--pipeline", model.pipeline("without", model=None))
    expect(all(name in out.read_text() for name in NAMES), "a name is gone without the model")


def run(model):
    """The whole path: the ledger names the rule, no name rests, and the model is part of the key."""
    one = model.pipeline("run")
    gristmill("run", one, "--until", "redact")
    report = gristmill("report", "redaction", "--pipeline", one, "--json").stdout
    expect(json.loads(report)["rules"].get("model.person") == len(NAMES), report[:300])
    rest = [path for path in (model.folder / "store-run").rglob("*") if path.is_file()]
    left = [path.name for path in rest if any(name.encode() in path.read_bytes() for name in NAMES)]
    expect(rest and not left, f"a name in {left}")
    again = json.loads(gristmill("run", one, "--until", "redact", "--json").stdout)
    expect(all(stage["cached"] for stage in again["stages"]), "the second run made something anew")
    moved = (model.folder / "model").rename(model.folder / "moved")
    other = model.pipeline("run", model="moved", digest=model.digest("model"))
    again = json.loads(gristmill("run", other, "--until", "redact", "--json").stdout)
    moved.rename(model.folder / "model")
    expect(all(stage["cached"] for stage in again["stages"]), "another place of the same model is another key")
    other = model.pipeline("run", settings="min_score = 0.75")
    other = json.loads(gristmill("run", other, "--until", "redact", "--json").stdout)
    expect(not other["stages"][0]["cached"], "another threshold is the same key")
    return f"{len(rest)} files"


def refused(model):
    """What is not as the pipeline says stops the run before anything is read."""
    good = model.digest("model")
    config = model.folder / "model" / "config.json"
    kept = config.read_bytes()
    for name, change, settings, told in [
        ("changed", lambda: config.write_bytes(kept + b" "), "", "its digest is blake3:"),
        ("runtime", None, f'runtime_digest = "blake3:{"0" * 64}"', "runtime"),
        ("labels", None, 'labels = { PER = "PERSONS" }', "redact.model.labels.PER"),
        ("unknown", None, 'labels = { ORG = "none" }', "it has PER"),
        ("scheme", None, 'scheme = "bio"', "does not fit the scheme"),
        ("window", None, "window_tokens = 17\noverlap_tokens = 9", "window_tokens"),
        ("key", None, "batch = 7", "unknown field"),
    ]:
        pipeline = model.pipeline(name, settings, digest=good)
        if change:
            change()
        try:
            done = gristmill("run", pipeline, "--until", "redact", code=2)
        finally:
            config.write_bytes(kept)
        expect(told in done.stderr, f"{name}: {done.stderr[-300:]}")
        layers = list((model.folder / f"store-{name}").glob("layers/*/*"))
        expect(not layers, f"{name}: {layers} were written")


def windows(model):
    """A text of many windows finds what one of a few words does, wherever the cuts fall."""
    words, names, texts = "the report on the menu is late 🙂 and".split(), [], []
    for start in range(7):
        text = []
        for n in range(400):
            name = f"{token_model.GIVEN[n % 10]} {token_model.FAMILY[n % 8]}"
            text += words[: 2 + (n + start) % 8] + [name, ","]
            names.append((start + 1, name))
        texts.append(" ".join(text))
    logs = model.write("long.jsonl", map(model.row, texts))
    settings = [("", "wide"), ("window_tokens = 32\noverlap_tokens = 12", "narrow")]
    for text, name in settings:
        found = [(line, value) for line, value, rule in model.found(model.pipeline(name, text, logs="long.jsonl"), logs)]
        expect(found == names, f"{name}: {len(found)} of {len(names)}: {[a for a in zip(found, names) if a[0] != a[1]][:3]}")
    return f"{len(names)} names in {sum(map(len, texts)) // 1000} kB, windows of 512 and of 32 tokens"


def sessions(model):
    """Several sessions and threads say what one says."""
    logs = model.write("many.jsonl", [model.row("the " * (n % 9) + text) for n in range(300) for text, _ in TEXTS])
    found = [list(model.found(model.pipeline("many", f"sessions = {n}"), logs)) for n in (1, 4)]
    expect(found[0] == found[1] and len(found[0]) == 300 * len(NAMES), f"{len(found[0])} and {len(found[1])}")


def closed(model):
    """A graph that fails on a word: the record is refused, with a reason, and never passed on."""
    rows = [model.row("order of zorvan brandovar"), model.row(f"quillix says {model.failword} to all")]
    logs = model.write("failing.jsonl", rows)
    pipeline = model.pipeline("failing", model="failing", logs="failing.jsonl", share=0.5)
    out = model.folder / "failing-clean.jsonl"
    told = gristmill("redact", logs, "-o", out, "--pipeline", pipeline, code=12).stderr
    expect("model_failed" in told and not out.exists(), told)
    expect("indices" not in told and "onnx" not in told.lower().replace(str(model.folder).lower(), ""), told)
    gristmill("redact", logs, "-o", out, "--pipeline", pipeline, "--max-reject-share", "0.5")
    expect(out.read_text().count("\n") == 1 and "quillix" not in out.read_text(), "what failed was written")
    gristmill("run", pipeline, "--until", "redact")
    report = json.loads(gristmill("report", "redaction", "--pipeline", pipeline, "--json").stdout)
    expect(report["rejected"] == {"model_failed": 1}, report["rejected"])


def main():
    print(f"# onnxruntime=={onnxruntime.__version__}", flush=True)
    checks = Checks("onnx ")
    with tempfile.TemporaryDirectory(prefix="gristmill-onnx-") as folder:
        model = Model(Path(folder))
        wrong = model.pipeline("probe", digest="blake3:" + "0" * 64)
        probe = gristmill("scan", model.logs, "--pipeline", wrong, code=2)
        if "--features onnx" in probe.stderr:
            checks.passed("a program without the feature names it")
            checks.skip("all else", "GRISTMILL_BIN was built without the feature onnx")
            return 0
        checks.run("names are found to the byte", lambda: exact(model))
        checks.run("names are redacted", lambda: redacted(model))
        checks.run("the whole path", lambda: run(model))
        checks.run("what is not as said is refused", lambda: refused(model))
        checks.run("long texts", lambda: windows(model))
        checks.run("threads", lambda: sessions(model))
        checks.run("a model that fails", lambda: closed(model))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
