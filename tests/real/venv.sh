#!/usr/bin/env bash
# Makes (or reuses) a venv with pinned packages and prints its path.
#
# Usage: venv.sh loaders|label-studio|objects|onnx     under ${GRISTMILL_VENVS:-$HOME/.cache/gristmill-venvs}
# Prints `SKIP: <reason>` and exits 0 where it cannot be had here (no Python, no registry); any other exit
# than 0 is a real failure: a pin that no longer installs, a full disk.
set -euo pipefail

name=$1
here=$(cd "$(dirname "$0")" && pwd)
pins=$here/$name.txt
root=${GRISTMILL_VENVS:-$HOME/.cache/gristmill-venvs}
venv=$root/$name
limit=${GRISTMILL_VENV_SECONDS:-1500}

skip() {
    echo "SKIP: $*"
    exit 0
}

registry_answers() {
    local probe
    probe=$(mktemp -d)
    # One small package that is pinned anyway.
    timeout 90 "$venv/bin/pip" download --quiet --no-deps --no-cache-dir --retries 1 --timeout 30 \
        --dest "$probe" "$(grep '^idna==' "$pins")" >"$probe/log" 2>&1
    local code=$?
    rm -rf "$probe"
    return $code
}

command -v python3 >/dev/null || skip "no python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip "$(python3 --version) is older than 3.11"
python3 -c 'import ensurepip' 2>/dev/null || skip "python3 has no ensurepip (Debian: python3-venv)"

mkdir -p "$root"
exec 9>"$root/$name.lock"
flock 9

# The stamp names everything that the venv was made from, and is written last.
stamp="$(cat "$pins" "$here/torch_stubs.py" | sha256sum | cut -d' ' -f1) $(python3 --version)"
if [ "$(cat "$venv/.made-from" 2>/dev/null)" != "$stamp" ]; then
    log=$root/$name.log
    began=$SECONDS
    python3 -m venv --clear "$venv"
    # --no-deps: the pins are complete, and torch must not bring gigabytes of nvidia packages along.
    if ! nice timeout "$limit" "$venv/bin/pip" install --quiet --no-deps --no-compile --no-cache-dir \
        --retries 2 --timeout 60 -r "$pins" >"$log" 2>&1 9>&-; then
        registry_answers || skip "the package registry cannot be reached"
        echo "venv $name: pip failed (limit $limit s), see $log" >&2
        tail -n 5 "$log" >&2
        exit 1
    fi
    site=$(echo "$venv"/lib/python3*/site-packages)
    if [ -d "$site/torch" ] && ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
        for tool in cc nm objdump; do
            command -v $tool >/dev/null || skip "torch does not import without CUDA libraries, and no $tool to stub them"
        done
        "$venv/bin/python" "$here/torch_stubs.py" "$site"
        "$venv/bin/python" -c 'import torch; torch.ones(2, 2) @ torch.ones(2, 2)'
    fi
    echo "$stamp" >"$venv/.made-from"
    echo "venv $name: made in $((SECONDS - began)) s, $(du -sh "$venv" | cut -f1)" >&2
fi
echo "$venv"
