"""Makes PyPI's torch wheel import on a machine without CUDA, without its gigabytes of nvidia packages.

The wheel's libraries name libcudart, libcublas, … as needed although a CPU run calls none of them. For each
one that is missing, a stub with the symbols (and symbol versions) that torch takes from it satisfies the
loader. Every stubbed function answers 100 (cudaErrorNoDevice), so all work stays on the CPU.

Usage: torch_stubs.py SITE_PACKAGES     (needs cc, nm and objdump: any machine that links Rust has them)
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

CUDA = re.compile(r"lib(cu|nv|nccl)[\w-]*\.so")
CUDA_SYMBOL = re.compile(r"_*(cu|nccl|nv)[A-Za-z]|_Z\w*nvshmem")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def missing_symbols(files):
    """{library: {version or None: symbols}} that no torch library defines itself."""
    needed, owner = set(), {}
    wanted, defined = set(), set()
    for file in files:
        library = None
        for line in run("objdump", "-p", file).splitlines():
            words = line.split()
            if line.startswith("  required from"):
                library = words[-1].rstrip(":")
            elif words[:1] == ["NEEDED"]:
                needed.add(words[1])
            elif library and len(words) == 4 and words[0].startswith("0x"):
                owner[words[3]] = library
        for line in run("nm", "-D", file).splitlines():
            *_, kind, name = line.split()
            (wanted if kind in "Uw" else defined).add(name)
    plain = {name.split("@")[0] for name in defined}
    stubs = {name: defaultdict(set) for name in needed if CUDA.match(name)}
    for symbol in wanted:
        name, _, version = symbol.partition("@")
        if name in plain:
            continue
        if version and owner.get(version) in stubs:
            stubs[owner[version]][version].add(name)
        elif not version and CUDA_SYMBOL.match(name):
            # Unversioned: the loader takes it from whichever stub it meets first.
            for library in stubs:
                stubs[library][None].add(name)
    return stubs


def build(target, versions, work):
    source, script = work / "stub.c", work / "stub.map"
    body = ["typedef long l;"]
    for name in sorted({n for names in versions.values() for n in names}):
        if name.endswith(("String", "ErrorName")):
            body.append(f'const char *{name}(void) {{ return "no CUDA here"; }}')
        else:
            body.append(f"l {name}(void) {{ return 100; }}")
    source.write_text("\n".join(body))
    nodes = [
        f"{version} {{ global: {'; '.join(sorted(names))}; }};"
        for version, names in versions.items()
        if version
    ]
    script.write_text("\n".join(nodes))
    flags = [f"-Wl,--version-script={script}"] if nodes else []
    soname = f"-Wl,-soname,{target.name}"
    run("cc", "-shared", "-fPIC", "-w", "-fno-builtin", soname, *flags, "-o", target, source)


def main():
    folder = Path(sys.argv[1]) / "torch" / "lib"
    files = sorted(p for p in folder.glob("*.so*") if p.is_file() and not CUDA.match(p.name))
    stubs = missing_symbols(files)
    with tempfile.TemporaryDirectory() as work:
        for library, versions in sorted(stubs.items()):
            if not (folder / library).exists():
                build(folder / library, versions, Path(work))
    count = len({n for versions in stubs.values() for names in versions.values() for n in names})
    print(f"torch: {count} CUDA symbols stubbed in {len(stubs)} libraries", file=sys.stderr)


main()
