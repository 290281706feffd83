#!/usr/bin/env bash
# Fuzzes the readers of raw input: fuzz/run.sh [SECONDS | runs=N [CHECK...]]
#
# Each check runs for SECONDS of processor time (600 unless told), on the fixtures and what earlier
# runs found worth keeping. With runs=N it makes N inputs of its own, the same ones every time.
# A panic, a hang of 5 s or more than 512 MB ends the check; its input lies in WORK/CHECK/found.
# Make it small with -minimize_crash=1, put it into fuzz/found/CHECK and repair the reader.
#
# GRISTMILL_FUZZ_WORK names WORK, which holds corpora, logs and the table of results.
set -euo pipefail
cd "$(dirname "$0")"

amount=${1:-600}
shift || true
work=${GRISTMILL_FUZZ_WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/gristmill-fuzz}
mkdir -p "$work"
export CARGO_TARGET_DIR=$work/target

# libFuzzer brings its C++ source and takes the compiler that is here.
command -v c++ >/dev/null || { apt-get update -q && apt-get install -yq --no-install-recommends g++; }

# Counts which branches run, and shows the fuzzer what is compared: what cargo-fuzz sets, less the
# address sanitizer, which needs a nightly compiler.
flags="--cfg fuzzing -Cpasses=sancov-module"
for arg in level=4 inline-8bit-counters pc-table trace-compares stack-depth; do
    flags+=" -Cllvm-args=-sanitizer-coverage-$arg"
done
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS=$flags cargo build --locked --release --quiet --target "$host"
binary=$CARGO_TARGET_DIR/$host/release/gristmill-fuzz
GRISTMILL_FUZZ_SEEDS=$work/seeds "$binary" 2>"$work/seeds.log"
# Large buffers of the readers come from fresh pages then, which are not zeroed again for each run.
export MALLOC_MMAP_THRESHOLD_=131072

# fuzz CHECK OPTION…: one run of libFuzzer; adds its processor time to $spent.
fuzz() {
    local check=$1 own=$work/$1 folders TIMEFORMAT='%U %S' user system code=0
    shift
    folders=("$own/corpus" "$work/seeds/$check")
    [ ! -d "found/$check" ] || folders+=("found/$check")
    mkdir -p "$own/corpus" "$own/found"
    { time GRISTMILL_FUZZ_TARGET=$check "$binary" "${folders[@]}" "$@" -dict=words.dict -timeout=5 \
        -rss_limit_mb=512 -max_len=8192 -use_value_profile=1 -print_final_stats=1 \
        -artifact_prefix="$own/found/" >>"$work/$check.log" 2>&1 || code=$?; } 2>"$own/time"
    read -r user system < <(tail -n 1 "$own/time")
    spent=$(awk -v a="$spent" -v b="$user" -v c="$system" 'BEGIN { printf "%.1f", a + b + c }')
    return "$code"
}

# left SECONDS: whole seconds until then.
left() {
    awk -v all="$1" -v spent="$spent" 'BEGIN { printf "%d", all - spent + 0.99 }'
}

report() {
    local log=$work/$1.log executed peak reached
    executed=$(awk '/stat::number_of_executed_units/ { n += $2 } END { print n + 0 }' "$log")
    peak=$(awk '/stat::peak_rss_mb/ && $2 > n { n = $2 } END { print n + 0 }' "$log")
    reached=$(grep -ao 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$log" | tail -n 1 || true)
    echo "$1: $spent s, $executed runs, $reached, $peak MB, $2" | tee -a "$work/results"
}

checks=("$@")
[ $# -gt 0 ] || mapfile -t checks < <(ls "$work/seeds")
failed=0
for check in "${checks[@]}"; do
    spent=0 code=0
    : >"$work/$check.log"
    case $amount in
        runs=*)
            rm -rf "${work:?}/$check"
            fuzz "$check" -runs="${amount#runs=}" -seed=1 || code=$?
            ;;
        *)
            # Time on the clock is more than that of the processor, so it takes several turns.
            while [ "$code" -eq 0 ] && [ "$(left "$amount")" -gt 0 ]; do
                fuzz "$check" -max_total_time="$(left "$amount")" || code=$?
            done
            ;;
    esac
    if [ "$code" -eq 0 ]; then
        report "$check" "nothing found"
    else
        failed=1
        report "$check" FAILED
        tail -n 25 "$work/$check.log"
    fi
done
exit "$failed"
