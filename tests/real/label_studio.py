"""A round trip through a real Label Studio: our config and tasks in, its export back through `labels import`.

Usage: label_studio.py STORE PIPELINE   (run by label_studio.sh, with the Python of the Label Studio venv)
"""

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import requests

from checks import Checks, expect

START_SECONDS = int(os.environ.get("LABEL_STUDIO_START_SECONDS", "300"))
ANNOTATED_TASKS = 6
TASK_KEYS = ("task_id", "batch_id", "rubric", "rubric_version", "task_type")


class Server:
    """A Label Studio of our own on a free loopback port, with its data in a temp directory."""

    def __init__(self, folder):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        token = secrets.token_hex(20)
        self.log = folder / "label-studio.log"
        binary = Path(sys.executable).parent / "label-studio"
        # Its own session: the whole group can be ended without naming anybody else's process.
        self.process = subprocess.Popen(
            [binary, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
            + ["--username", "real@example.com", "--password", secrets.token_hex(12)]
            + ["--user-token", token],
            env=os.environ
            | {
                "COLLECT_ANALYTICS": "False",
                "SENTRY_DSN": "",
                "FRONTEND_SENTRY_DSN": "",
                "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
                "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            },
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.http = requests.Session()
        self.http.trust_env = False  # loopback only: no proxy of the environment
        self.http.headers["Authorization"] = f"Token {token}"

    def wait(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            expect(self.process.poll() is None, f"server ended: {self.tail()}")
            try:
                if self.http.get(self.url + "/health", timeout=5).status_code == 200:
                    return self.http.get(self.url + "/api/version", timeout=30).json().get("release")
            except requests.RequestException:
                pass
            time.sleep(0.5)
        raise TimeoutError(f"no /health after {START_SECONDS} s: {self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-300:]

    def call(self, method, path, **arguments):
        answer = self.http.request(method, self.url + path, timeout=120, **arguments)
        expect(answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(20)
                return
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def controls(config):
    """The labeling config's controls that are always shown, in order."""
    found = []

    def walk(node, shown):
        shown = shown and "visibleWhen" not in node.attrib and node.get("perRegion") != "true"
        if "toName" in node.attrib and shown:
            found.append(node)
        for child in node:
            walk(child, shown)

    walk(ET.fromstring(config), True)
    return found


def options(control):
    return [c.get("alias") or c.get("value") for c in control.iter() if c.tag in ("Choice", "Label")]


def answer(control, n):
    """What Label Studio's own page would send for the n-th task: (type, value)."""
    if control.tag == "Pairwise":
        return "pairwise", {"selected": ("left", "right")[n % 2]}
    if control.tag == "Choices":
        picks = options(control)
        if control.get("choice") == "multiple":
            first = n % len(picks)
            return "choices", {"choices": picks[first : first + 2]}
        return "choices", {"choices": [picks[n % len(picks)]]}
    if control.tag == "Rating":
        return "rating", {"rating": 1 + n % int(control.get("maxRating", "5"))}
    if control.tag == "TextArea":
        return "textarea", {"text": [f"Round trip {n}: Grüße, 日本語, 🌾\nsecond line"]}
    if control.tag == "Number":
        low = int(float(control.get("min", "0")))
        return "number", {"number": low + n}
    if control.tag == "Taxonomy":
        first = next(c for c in control if c.tag == "Choice")
        return "taxonomy", {"taxonomy": [[first.get("alias") or first.get("value")]]}
    raise AssertionError(f"no answer known for the control <{control.tag}>")


def result_of(shown, n):
    """The n-th annotation: every control, but a pairwise task is answered by its pick or its tie, never both."""
    pairwise = [c for c in shown if c.tag == "Pairwise"]
    ties = [c for c in shown if c.tag == "Choices" and any("tie" in o for o in options(c))]
    used = shown
    if pairwise and ties:
        # tasks 0, 1: left, right; tasks 2, 3: the tie control's options; then again
        dropped = ties if n % 4 < 2 else pairwise
        used = [c for c in shown if c not in dropped]
    result = []
    for control in used:
        kind, value = answer(control, n)
        result.append(
            {
                "id": f"r{n}-{control.get('name')}",
                "from_name": control.get("name"),
                "to_name": control.get("toName").split(",")[0],
                "type": kind,
                "value": value,
            }
        )
    expect(result, "the labeling config has no control to answer")
    return result


class Batch:
    def __init__(self, folder, server, scratch):
        self.folder, self.server = folder, server
        self.export_file = scratch / f"{folder.name}.json"
        self.config = (folder / "labeling-config.xml").read_text()
        self.tasks = json.loads((folder / "labelstudio.json").read_text())
        self.sent = {}

    def create(self):
        # The title holds at most 50 characters.
        body = {"title": self.folder.name[:50], "label_config": self.config}
        self.project = self.server.call("POST", "/api/projects", json=body)["id"]
        names = [f"{c.tag} {c.get('name')}" for c in controls(self.config)]
        return ", ".join(names)

    def upload(self):
        """As a file, as a person would drop it into the page."""
        path = self.folder / "labelstudio.json"
        with path.open("rb") as file:
            seen = self.server.call(
                "POST",
                f"/api/projects/{self.project}/import",
                files={"file": (path.name, file, "application/json")},
            )
        expect(seen["task_count"] == len(self.tasks), f"{seen['task_count']} of {len(self.tasks)}")
        for task in self.tasks:
            lost = [k for k in TASK_KEYS if k not in task["data"]]
            expect(not lost, f"task data without {lost}")
        return f"{seen['task_count']} tasks"

    def annotate(self):
        listed = self.server.call(
            "GET", f"/api/projects/{self.project}/tasks", params={"page_size": ANNOTATED_TASKS + 1}
        )
        shown = controls(self.config)
        # The last one is skipped; a batch of one task gets its answer and no skip.
        answered = listed[:-1] if len(listed) > 1 else listed
        for n, task in enumerate(answered):
            body = {"result": result_of(shown, n), "lead_time": 3.25 + n}
            self.server.call("POST", f"/api/tasks/{task['id']}/annotations/", json=body)
            self.sent[task["data"]["task_id"]] = body["result"]
        self.cancelled = len(listed) - len(answered)
        for task in listed[len(answered) :]:
            body = {"result": [], "was_cancelled": True, "lead_time": 1.0}
            self.server.call("POST", f"/api/tasks/{task['id']}/annotations/", json=body)
        return f"{len(self.sent)} answered, {self.cancelled} cancelled"

    def export(self):
        tasks = self.server.call(
            "GET", f"/api/projects/{self.project}/export", params={"exportType": "JSON"}
        )
        self.export_file.write_text(json.dumps(tasks, ensure_ascii=False))
        ours = {t["data"]["task_id"]: t["data"] for t in self.tasks}
        cancelled = 0
        for task in tasks:
            key = task["data"]["task_id"]
            expect(task["data"] == ours[key], f"{key}: data came back changed")
            for annotation in task["annotations"]:
                cancelled += annotation["was_cancelled"]
                if not annotation["was_cancelled"]:
                    same = annotation["result"] == self.sent[key]
                    expect(same, f"{key}: sent {self.sent[key]}, got {annotation['result']}")
        count = sum(len(t["annotations"]) for t in tasks)
        expect(count == len(self.sent) + self.cancelled, f"{count} annotations in the export")
        expect(cancelled == self.cancelled, f"{cancelled} cancelled in the export")
        return f"{count} annotations of {len(tasks)} tasks"


def gristmill(*arguments):
    """What our program prints with --json."""
    command = shlex.split(os.environ.get("GRISTMILL_BIN", "cargo run --release --quiet --"))
    command += [*map(str, arguments), "--json"]
    root = Path(__file__).resolve().parents[2]  # where cargo and the pipelines' paths are at home
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=root)
    expect(done.returncode == 0, f"{command[1]}: exit {done.returncode}: {done.stderr[-400:]}")
    return json.loads(done.stdout)


def import_labels(store, pipeline, batches):
    """`gristmill labels import` must report what was annotated: no more, no less, nothing unknown."""
    ours = ["--pipeline", pipeline, "--store", store]
    files = gristmill("labels", "import", *(b.export_file for b in batches), *ours)["files"]
    expect(len(files) == len(batches), f"{len(files)} files reported, {len(batches)} given")
    for batch, file in zip(batches, files):
        name = batch.folder.name
        expect(Path(file["file"]).name == batch.export_file.name, f"{name} reported as {file['file']}")
        answered, cancelled = len(batch.sent), batch.cancelled
        expect(file["new"], f"{name}: not new: {file}")
        expect(file["read"] == answered + cancelled, f"{name}: {answered} + {cancelled} sent, {file}")
        expect(file["accepted"] == answered, f"{name}: {answered} answered, {file}")
        wanted = {"cancelled": cancelled} if cancelled else {}
        expect(file["refused"] == wanted, f"{name}: {cancelled} cancelled, {file}")
        expect(not file["unreadable"], f"{name}: {file}")
    again = gristmill("labels", "import", *(b.export_file for b in batches), *ours)["files"]
    expect(not any(f["new"] for f in again), f"a second import keeps the same labels again: {again}")
    return f"{sum(f['accepted'] for f in files)} accepted, {sum(b.cancelled for b in batches)} cancelled"


def expected_outcome(result):
    """The verdict of one vote, from what was sent to Label Studio."""
    for item in result:
        value = item["value"]
        if item["type"] == "pairwise":
            return value["selected"]
        if item["type"] == "rating":
            return str(value["rating"])
        if item["type"] == "number":
            return str(value["number"])
        if item["type"] == "textarea":
            return "rewritten"
        if item["type"] == "choices" and len(value["choices"]) == 1:
            return value["choices"][0]
    return None


def without_ready_labels(pipeline, scratch):
    """The pipeline without its own label files, so that what counts is what Label Studio gave."""
    text = pipeline.read_text()
    parsed = tomllib.loads(text)
    paths = [s["path"] for s in parsed["ingest"]["sources"]]
    paths += [s["rubric"] for s in parsed.get("sample", [])]
    paths += [parsed["pipeline"][k] for k in ("key_file", "store") if k in parsed["pipeline"]]
    # Paths are relative to the file, and the copy lies elsewhere.
    for path in set(paths):
        text = text.replace(f'"{path}"', json.dumps(os.path.abspath(pipeline.parent / path)))
    text, found = re.subn(r"^files\s*=\s*\[[^\]]*\]\s*$", "", text, flags=re.MULTILINE)
    expect(found <= 1 and not tomllib.loads(text).get("label", {}).get("files"), "label files are still named")
    copy = scratch / pipeline.name
    copy.write_text(text)
    return copy


def check_verdicts(pipeline, batches, scratch):
    """In a store without other labels each answer is the verdict of its task, by one vote."""
    copy = without_ready_labels(pipeline, scratch)
    ours = ["--store", scratch / "fresh"]
    gristmill("run", copy, *ours, "--until", "sample")
    exports = [b.export_file for b in batches]
    gristmill("labels", "import", *exports, "--pipeline", copy, *ours)
    gristmill("run", copy, *ours, "--until", "label")
    sent = {task_id: result for batch in batches for task_id, result in batch.sent.items()}
    for task_id, result in sent.items():
        found = gristmill("trace", task_id, *ours)["tasks"]
        expect(len(found) == 1, f"{task_id}: {len(found)} tasks")
        expect(found[0]["verdict"], f"{task_id}: no verdict")
        wanted = expected_outcome(result)
        seen = found[0]["verdict"]["outcome"], found[0]["verdict"]["votes"]
        expect(wanted is None or seen == (wanted, 1), f"{task_id}: sent {wanted}, verdict and votes {seen}")
    return f"{len(sent)} verdicts"


def main():
    store, pipeline = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    checks = Checks("label-studio ")
    folders = sorted(p.parent for p in store.glob("batches/*/labelstudio.json"))
    if not folders:
        checks.fail("batches", f"no batch with labelstudio.json in {store}/batches")
        return 1
    scratch = Path(tempfile.mkdtemp(prefix="gristmill-label-studio-"))
    server = None
    try:
        # Labels go into a copy: a store named by hand stays as it was.
        copy = scratch / "store"
        shutil.copytree(store, copy)
        server = Server(scratch)
        if not checks.run("server starts", server.wait):
            return 1
        batches = [Batch(folder, server, scratch) for folder in folders]
        for batch in batches:
            checks.prefix = f"label-studio {batch.folder.name} "
            steps = {
                "config accepted": batch.create,
                "tasks imported": batch.upload,
                "annotated": batch.annotate,
                "exported": batch.export,
            }
            if not all(checks.run(name, step) for name, step in steps.items()):
                return 1
        checks.prefix = "label-studio "
        if checks.run("labels come back", lambda: import_labels(copy, pipeline, batches)):
            checks.run("verdicts", lambda: check_verdicts(pipeline, batches, scratch))
        return 1 if checks.failed else 0
    finally:
        if server:
            server.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    # A SIGTERM, e.g. of timeout, must still stop the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
