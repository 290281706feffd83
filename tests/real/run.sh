#!/usr/bin/env bash
# Checks our outputs with the real outside tools: one line per check, the last one counts them.
#
# Usage: tests/real/run.sh [PIPELINE]
#   GRISTMILL_BIN     the program; default: cargo run --release --quiet --
#   GRISTMILL_VENVS   where the Python venvs are kept (3 GB); default: ~/.cache/gristmill-venvs
set -uo pipefail
cd "$(dirname "$0")/../.."
. tests/real/lib.sh

pipeline=${1:-pipelines/quickstart.toml}
export GRISTMILL_BIN=${GRISTMILL_BIN:-cargo run --release --quiet --}
read -ra gristmill <<<"$GRISTMILL_BIN"
work=$(mktemp -d -t gristmill-real-XXXXXX)
store=$work/store
lines=$work/lines
: >"$lines"

say() { echo "$*" | tee -a "$lines"; }

# command_passes NAME ARGS…: one command of ours must succeed.
command_passes() {
    local name=$1 began=$SECONDS
    shift
    if timeout 1800 "${gristmill[@]}" "$@" >"$work/$name.out" 2>"$work/$name.err"; then
        say "PASS gristmill $name ($((SECONDS - began)) s)"
    else
        say "FAIL gristmill $name: exit $?: $(tail -n 3 "$work/$name.err" | tr '\n' ' ' | cut -c1-300)"
        return 1
    fi
}

# part NAME SCRIPT ARGS…: its lines count; a script that dies or says nothing is a failure of its own.
part() {
    local name=$1 script=$2 before code
    shift 2
    before=$(wc -l <"$lines")
    "tests/real/$script" "$@" 2>"$work/$name.err" | tee -a "$lines"
    code=${PIPESTATUS[0]}
    local own
    own=$(tail -n +$((before + 1)) "$lines")
    if [ "$code" -ne 0 ] && ! grep -q '^FAIL ' <<<"$own"; then
        say "FAIL $name: exit $code: $(tail -n 3 "$work/$name.err" | tr '\n' ' ' | cut -c1-300)"
    elif ! grep -qE '^(PASS|FAIL|SKIP) ' <<<"$own"; then
        say "FAIL $name: no check ran"
    fi
}

# Each [[dataset]] of the pipeline must have come out: what is not there, no loader could complain about.
all_released() {
    local name released
    for name in $(sed -n '/^\[\[dataset\]\]/,/^\[[^[]/s/^name *= *"\(.*\)"/\1/p' "$pipeline"); do
        released=$(find "$store/datasets/$name" -name '*.parquet' 2>/dev/null | head -n 1)
        if [ -n "$released" ]; then
            say "PASS gristmill release of $name"
        else
            say "FAIL gristmill release of $name: not in the store: $(grep -A3 '  label  ' "$work/quickstart.out" | tr -s ' ' | tr '\n' ' ' | cut -c1-300)"
        fi
    done
}

if command_passes quickstart run "$pipeline" --store "$store"; then
    all_released
    command_passes verify datasets verify --store "$store"
    part loaders loaders.sh "$store"
    part trl trl.sh "$store"
    part label-studio label_studio.sh "$store" "$pipeline"
    part objects objects.sh
    part onnx onnx.sh
fi

count() { grep -c "^$1 " "$lines"; }
passed=$(count PASS) failed=$(count FAIL) skipped=$(count SKIP)
if [ "$failed" -gt 0 ]; then
    echo "logs and store: $work"
else
    rm -rf "$work"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
