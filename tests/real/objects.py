"""Logs as objects of an S3-compatible server: read as the same files are, whatever holds them.

The server is moto, on loopback, started and ended here. It keeps objects in memory.
"""

import gzip
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import boto3

from checks import Checks, expect

ROOT = Path(__file__).resolve().parents[2]
GRISTMILL = shlex.split(os.environ.get("GRISTMILL_BIN", "cargo run --release --quiet --"))
BUCKET = "raw-logs"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A moto server and a client of it, while the context lasts."""

    def __enter__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        binary = Path(sys.executable).parent / "moto_server"
        self.process = subprocess.Popen([binary, "-H", "127.0.0.1", "-p", str(port)], **quiet)
        secret = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.client = boto3.client("s3", endpoint_url=self.url, **secret)
        for _ in range(120):
            try:
                self.client.create_bucket(Bucket=BUCKET)
                return self
            except Exception:
                expect(self.process.poll() is None, "the server ended")
                time.sleep(0.5)
        raise TimeoutError("the server did not answer within a minute")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)

    def put(self, key, body):
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def environment(self):
        return os.environ | {
            "AWS_ENDPOINT": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }


def pipeline(folder, name, source):
    file = folder / f"{name}.toml"
    file.write_text(
        f'[pipeline]\nname = "{name}"\nseed = 3\nkey_file = "{ROOT}/fixtures/demo.key"\n\n[ingest]\n'
        f"sources = [{{ {source} }}]\n\n[[dataset]]\n"
        'name = "all"\nkind = "sft"\nfrom = "logs"\nallow_empty_split = true\n'
    )
    return file


def gristmill(server, *args, code=0):
    done = subprocess.run([*GRISTMILL, *map(str, args)], env=server.environment(), capture_output=True, text=True, timeout=300)
    expect(done.returncode == code, f"exit {done.returncode} instead of {code}: {done.stderr[-300:]}")
    return done.stdout if code == 0 else done.stderr


def run(server, folder, name, source):
    store = folder / f"store-{name}"
    outcome = json.loads(gristmill(server, "run", pipeline(folder, name, source), "--store", store, "--json"))
    return store, {stage["stage"]: stage for stage in outcome["stages"]}


def released(store):
    newest = max((store / "datasets/all").iterdir())
    return {path.name: path.read_bytes() for path in newest.rglob("*.parquet")}


def chats(start, count):
    line = lambda i: json.dumps(
        {"id": f"c{i}", "messages": [{"role": "user", "content": f"Question {i}"}, {"role": "assistant", "content": f"Answer {i}"}]}
    )
    return "".join(line(i) + " " * 4000 + "\n" for i in range(start, start + count)).encode()


def check_all(server, folder, checks):
    logs = folder / "logs"
    logs.mkdir()
    zipped = folder / "c.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/c.jsonl", chats(40_000, 10))
    # Several ranges of 8 MiB, several pieces of 32 MiB, and names that URLs write otherwise.
    objects = {
        "day=1/a.jsonl": chats(0, 9_000),
        "day=1/b c%2f#1?.jsonl.gz": gzip.compress(chats(30_000, 50)),
        "day=2/c.zip": zipped.read_bytes(),
    }
    for key, body in objects.items():
        server.put(f"app/{key}", body)
        (logs / key.replace("/", "_").replace("?", "_")).write_bytes(body)
    server.put("app/day=2/notes.txt", b"not asked for")

    def as_files():
        store, stages = run(server, folder, "objects", f'path = "s3://{BUCKET}/app/day=*/*[lp]*", format = "openai-chat"')
        files, own = run(server, folder, "files", f'path = "{logs}/*", format = "openai-chat"')
        expect(stages["ingest"]["records_read"] == 9_060, stages["ingest"])
        expect(stages["ingest"]["kept"] == own["ingest"]["kept"], "other records than from files")
        expect(released(store) == released(files), "another release than from files")
        return f"{stages['ingest']['bytes'] / 1e6:.0f} MB, {stages['ingest']['records_read']} records"

    def again():
        _, stages = run(server, folder, "objects", f'path = "s3://{BUCKET}/app/day=*/*[lp]*", format = "openai-chat"')
        expect(stages["ingest"]["cached"], "read again")

    def grown():
        server.put("app/day=1/a.jsonl", objects["day=1/a.jsonl"] + chats(20_000, 5))
        store, stages = run(server, folder, "objects", f'path = "s3://{BUCKET}/app/day=*/*[lp]*", format = "openai-chat"')
        expect(stages["ingest"]["kept"] == 9_065, stages["ingest"])
        return "one more piece"

    def traced():
        listed = json.loads(gristmill(server, "sources", "inspect", f"s3://{BUCKET}/app/day=2/c.zip", "--json"))
        expect(listed["format"] == "openai-chat" and listed["records"] == 10, listed["format"])
        import pyarrow.parquet as parquet

        store, count = folder / "store-objects", 0
        for part in sorted(store.glob("layers/redacted/*/part-*.parquet")):
            record = parquet.read_table(part, columns=["record_id"])["record_id"].to_pylist()
            for one in record[:1]:
                args = ["trace", one, "--store", store, "--pipeline", folder / "objects.toml", "--verify-source", "--json"]
                told = json.loads(gristmill(server, *args))["records"][0]
                # Pieces of before the log grew hold what still lies there.
                expect(told["source_ok"] and told["source"].startswith("s3://"), told)
                count += 1
        expect(count > 3, "nothing to trace")
        return f"{count} records"

    def manifests():
        rows = [
            {"id": f"o{i}", "trace_id": "t", "parent_observation_id": "", "type": "GENERATION", "input": json.dumps([{"role": "user", "content": f"hi {i}"}]), "output": "hello", "start_time": "2026-05-29 13:46:19.963000"}
            for i in range(3)
        ]
        lines = lambda part: "".join(json.dumps(row) + "\n" for row in part).encode()
        base = "export/proj-1"
        server.put(f"{base}/observations_v2/1.jsonl", lines(rows[:2]))
        server.put(f"{base}/observations_v2/2.jsonl", lines(rows[1:]))
        server.put(f"{base}/observations_v2/half-written.jsonl", b'{"id":')
        for hour in "12":
            listed = [{"key": f"{base}/observations_v2/{hour}.jsonl"}, {"key": f"{base}/scores/{hour}.jsonl"}]
            server.put(f"{base}/manifests/{hour}.json", json.dumps({"files": listed, "later": 1}).encode())
        source = f'path = "s3://{BUCKET}/{base}/manifests/*.json", manifests = true, format = "langfuse"'
        store, stages = run(server, folder, "langfuse", source)
        expect((stages["ingest"]["kept"], stages["ingest"]["rejected"]) == (4, {}), stages["ingest"])
        expect(stages["dedup"]["kept"] == 3, "an observation of two windows counts once")
        _, again = run(server, folder, "langfuse", source)
        expect(again["ingest"]["cached"] and again["dedup"]["cached"], "not idempotent")

    def vectors():
        import pyarrow as pa
        import pyarrow.parquet as parquet

        few = folder / "few.jsonl"
        few.write_bytes(chats(0, 4))

        def decided(name, vectors, *more):
            file = pipeline(folder, name, f'path = "{few}", format = "openai-chat"')
            file.write_text(file.read_text() + f'\n[dedup.semantic]\nvectors = "{vectors}"\n')
            store = folder / f"store-{name}"
            told = json.loads(gristmill(server, "run", file, "--store", store, "--json", *more))
            return store, {stage["stage"]: stage for stage in told["stages"]}

        file = folder / "vectors.parquet"
        store, _ = decided("vectors-here", file, "--until", "redact")
        ids = [parquet.read_table(part)["conversation_id"] for part in store.glob("layers/redacted/*/part-*.parquet")]
        ids = pa.chunked_array(ids).combine_chunks()
        parquet.write_table(pa.table({"id": ids, "vector": [[1.0, 0.1 * i] for i in range(len(ids))]}), file)
        server.put("vectors/day 1.parquet", file.read_bytes())
        here, own = decided("vectors-here", file)
        there, stages = decided("vectors-there", f"s3://{BUCKET}/vectors/*.parquet")
        expect(stages["dedup"]["counts"] == own["dedup"]["counts"], stages["dedup"])
        expect(stages["dedup"]["counts"]["semantic_edges"] > 0, stages["dedup"])
        tables = [next(store.glob("layers/deduped/*/semantic.parquet")).read_bytes() for store in (here, there)]
        expect(tables[0] == tables[1], "other pairs than from a file")
        expect(not list(there.rglob("*.tmp.parquet")), "a copy of the vectors stays")
        _, stages = decided("vectors-here", f"s3://{BUCKET}/vectors/*.parquet")
        expect(stages["dedup"]["cached"], "the same vectors elsewhere decide anew")

    def errors():
        for source, code, hint in [
            (f"s3://{BUCKET}/nothing/*.jsonl", 2, "matches no object"),
            (f"s3://{BUCKET}/nothing.jsonl", 21, "no such object"),
        ]:
            file = pipeline(folder, "errors", f'path = "{source}"')
            told = gristmill(server, "run", file, "--store", folder / "store-errors", code=code)
            expect(hint in told and source in told, told)

    for name, check in [
        ("release as from files", as_files),
        ("nothing new is read", again),
        ("a grown object", grown),
        ("places verified at the server", traced),
        ("Langfuse manifests", manifests),
        ("vectors as from a file", vectors),
        ("what is not there", errors),
    ]:
        checks.run(name, check)


def main():
    checks = Checks("objects ")
    with Server() as server, tempfile.TemporaryDirectory(prefix="gristmill-objects-") as folder:
        check_all(server, Path(folder), checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
