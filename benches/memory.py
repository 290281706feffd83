#!/usr/bin/env python3
"""Peak memory of `gristmill run --until redact` on one big file of lines and on one big array.

Usage: benches/memory.py GRISTMILL CORPUS [LINES_SIZE_MB, default 10000] [ARRAY_SIZE_MB, default 1000]

Repeats a synthetic corpus of 100 MB until the file is as big as wanted, runs with default settings
in a temporary folder (TMPDIR; twice the size must be free), and removes it all. Exits 1 above 512 MiB.
"""
import os, pathlib, shutil, subprocess, sys, tempfile, time

LIMIT_MIB = 512


def peak(command):
    """What the kernel says is at least what this process needs itself, so it must stay small."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        sys.exit(f"{command}: {errors.decode()}")
    return usage.ru_maxrss / 1024, time.monotonic() - began


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    gristmill, corpus = (str(pathlib.Path(one).resolve()) for one in sys.argv[1:3])
    sizes = [int(text) for text in sys.argv[3:5]] + [10_000, 1_000][len(sys.argv[3:5]):]
    worst = 0
    with tempfile.TemporaryDirectory(prefix="gristmill-memory-") as folder:
        folder = pathlib.Path(folder)
        made = [corpus, "--bytes", "100M", "--seed", "1", "--formats", "openai", "--out", folder / "corpus"]
        subprocess.run(made, check=True, capture_output=True)
        lines, elements = folder / "corpus/openai-000.jsonl", folder / "elements"
        # An array must be JSON, so its elements are the lines that look it.
        with lines.open("rb") as source, elements.open("wb") as out:
            for line in source:
                if line.startswith(b"{") and line.endswith(b"}\n"):
                    out.write(line[:-1] + b",\n")
        for name, text, size in [("lines.jsonl", lines, sizes[0]), ("array.json", elements, sizes[1])]:
            path = folder / name
            with path.open("wb") as out:
                out.write(b"[" if name == "array.json" else b"")
                for _ in range(max(1, size * 1_000_000 // text.stat().st_size)):
                    with text.open("rb") as source:
                        shutil.copyfileobj(source, out, 1 << 20)
                if name == "array.json":
                    out.seek(-2, os.SEEK_CUR)
                    out.write(b"]")
                    out.truncate()
            (folder / "pipeline.toml").write_text(
                '[pipeline]\nname = "memory"\nseed = 1\nkey_file = "key"\nstore = "store"\n\n'
                f'[ingest]\nsources = [{{ path = "{name}" }}]\n'
            )
            (folder / "key").write_text("a secret that only this measurement knows\n")
            store = folder / "store"
            mebibytes, seconds = peak([gristmill, "run", folder / "pipeline.toml", "--store", store, "--until", "redact"])
            megabytes = path.stat().st_size / 1e6
            print(f"{name}, {megabytes:.0f} MB: peak {mebibytes:.0f} MiB, {seconds:.0f} s, {megabytes / seconds:.0f} MB/s", flush=True)
            worst = max(worst, mebibytes)
            path.unlink()
            shutil.rmtree(store, ignore_errors=True)
    sys.exit(worst > LIMIT_MIB)


main()
