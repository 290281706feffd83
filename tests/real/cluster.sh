#!/usr/bin/env bash
# Checks that a cluster makes the bytes that one process makes, also when an executor is killed, and
# that nothing raw reaches its disks: one line per check, the last one counts them.
#
# Usage: tests/real/cluster.sh
#   GRISTMILL_BIN  a binary with the feature `cluster`; default: ${CARGO_TARGET_DIR:-target}/release/gristmill
#   CORPUS_BIN     the corpus maker; default: ${CARGO_TARGET_DIR:-target}/release/corpus
#   CLUSTER_RATIO  most that a cluster of two executors may take, in times of a local run; default: 1.5
set -uo pipefail
cd "$(dirname "$0")/../.."
. tests/real/lib.sh

target=${CARGO_TARGET_DIR:-target}
gristmill=$(realpath -m "${GRISTMILL_BIN:-$target/release/gristmill}")
corpus=$(realpath -m "${CORPUS_BIN:-$target/release/corpus}")
ratio=${CLUSTER_RATIO:-1.5}
work=$(mktemp -d -t gristmill-cluster-XXXXXX)
lines=$work/lines
logs=$work/logs
mkdir "$logs"
: >"$lines"
GRISTMILL_KEY=$(cat fixtures/demo.key)
export GRISTMILL_KEY
# Times mean nothing beside somebody else's build.
busy=
read -r load _ </proc/loadavg
awk "BEGIN { exit !($load > $(nproc)) }" && busy="load $load before the start"
export LC_ALL=C # grep looks at bytes
# The runs that are compared must not wait for our own searches.
nice=(nice -n 19)

# Only what this script started and what still runs.
end() {
    local left
    left=$(jobs -pr)
    [ -z "$left" ] && return
    kill $left 2>/dev/null
    sleep 0.3
    kill -9 $(jobs -pr) 2>/dev/null
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo "$*" | tee -a "$lines"; }
last() { tail -n 3 "$1" | tr '\n' ' ' | cut -c1-300; }
# check NAME COMMAND…: one line.
check() {
    local name=$1
    shift
    if "$@"; then say "PASS $name"; else say "FAIL $name"; fi
}
now() { date +%s.%N; }
# calc EXPRESSION: with two decimals.
calc() { awk "BEGIN { printf \"%.2f\", $1 }"; }

finish() {
    local passed failed skipped
    end
    passed=$(grep -c '^PASS ' "$lines") failed=$(grep -c '^FAIL ' "$lines") skipped=$(grep -c '^SKIP ' "$lines")
    if [ "$failed" -gt 0 ]; then echo "logs and stores: $work"; else rm -rf "$work"; fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# Below the range from which systems take ports of their own.
taken=" "
free_port() { # sets $port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 10000))
        [[ $taken == *" $port "* ]] || listens "$port" || { taken+="$port " && return; }
    done
    return 1
}

# start NAME PORT COMMAND…: a process of the cluster, up when it listens; sets $pid.
start() {
    local name=$1 listen=$2
    shift 2
    "$@" >"$logs/$name.out" 2>"$logs/$name.err" &
    pid=$!
    for _ in $(seq 100); do
        listens "$listen" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    say "FAIL $name does not start: $(last "$logs/$name.err")"
    return 1
}
executors=0
executor() { # sets $pid
    executors=$((executors + 1))
    free_port &&
        start "executor-$executors" "$port" "$gristmill" cluster executor --scheduler "127.0.0.1:$scheduler" \
            --port "$port" --threads 1 --work-dir "$work/work/$executors"
}

# run NAME PIPELINE ARGS…: a store $work/NAME; sets $took.
run() {
    local name=$1 pipeline=$2 began
    shift 2
    began=$(now)
    timeout --kill-after=5 120 "$gristmill" run "$pipeline" --store "$work/$name" --threads 2 "$@" \
        >"$logs/$name.out" 2>"$logs/$name.err"
    local code=$?
    took=$(calc "$(now) - $began")
    [ $code -eq 0 ] && return
    say "FAIL $name: exit $code: $(last "$logs/$name.err")"
    return 1
}

# Release data, and the tasks that annotators get: path and SHA-256.
hashes() {
    # A pipeline may draw no batches.
    (cd "$work/$1" && find datasets batches -type f \( -path 'datasets/*/data/*' -o -name tasks.jsonl \) -print0 2>/dev/null |
        sort -z | xargs -0 sha256sum)
}
# same NAME LIKE HOW: both stores hold the same, whole releases.
same() {
    local files
    hashes "$1" >"$work/$1.sha256"
    hashes "$2" >"$work/$2.sha256"
    files=$(grep -c '\.parquet$' "$work/$2.sha256")
    if [ "$files" -ge 2 ] && cmp -s "$work/$1.sha256" "$work/$2.sha256"; then
        say "PASS $1: $files data files and $(grep -c 'tasks.jsonl$' "$work/$2.sha256") batches as in a local run ($3)"
    else
        say "FAIL $1: not as in a local run: $(diff "$work/$1.sha256" "$work/$2.sha256" | grep -c '^[<>]') lines differ"
    fi
    if timeout 60 "$gristmill" datasets verify --store "$work/$1" >"$logs/$1.verify" 2>&1; then
        say "PASS $1: datasets verify"
    else
        say "FAIL $1: datasets verify: $(last "$logs/$1.verify")"
    fi
}
# What dedup decided and by which pairs: key of its folder, table and SHA-256.
decided() {
    (cd "$work/$1/layers" && find deduped -type f \( -name decisions.parquet -o -name edges.parquet -o -name semantic.parquet \) \
        -print0 | sort -z | xargs -0 sha256sum)
}
# counted NAME COUNT: a count of dedup that is not 0.
counted() { grep -qE "\"$2\": [1-9]" "$work/$1"/layers/deduped/*/manifest.json; }
# clustered NAME PIPELINE LIKE: undisturbed.
clustered() { run "$1" "$2" --cluster "$url" && same "$1" "$3" "$took s"; }
# killed NAME PIPELINE LIKE SECONDS PID: an executor dies so long after the run began.
killed() {
    local name=$1 pipeline=$2 like=$3 seconds=$4 victim=$5 began runner
    began=$(now)
    timeout --kill-after=5 150 "$gristmill" run "$pipeline" --store "$work/$name" --threads 2 --cluster "$url" \
        >"$logs/$name.out" 2>"$logs/$name.err" &
    runner=$!
    sleep "$seconds"
    local alive=0
    kill -0 "$runner" 2>/dev/null && alive=1
    kill -9 "$victim"
    wait "$victim" 2>/dev/null
    wait "$runner"
    local code=$?
    took=$(calc "$(now) - $began")
    if [ $alive -eq 0 ]; then
        say "FAIL $name: the run was over when its executor was killed"
    elif [ $code -ne 0 ]; then
        say "FAIL $name: exit $code: $(last "$logs/$name.err")"
    else
        same "$name" "$like" "$took s, one executor killed after $seconds s"
    fi
}

# finds_nothing_in NAME PLACES…: none of the needles; the place is told, not the needle.
finds_nothing_in() {
    local name=$1 found
    shift
    found=$("${nice[@]}" grep -rlaF -f "$work/needles" "$@" 2>/dev/null | head -n 3 | tr '\n' ' ')
    if [ -z "$found" ]; then say "PASS $name"; else say "FAIL $name: something raw in $found"; fi
}
# The work dirs are searched while runs go on, too: files may be gone in the end.
watch() {
    while :; do
        "${nice[@]}" grep -rlaF -f "$work/needles" "$work/work" >>"$work/seen" 2>/dev/null
        echo >>"$work/looks"
        sleep 0.5
    done
}

if ! [ -x "$gristmill" ] || ! [ -x "$corpus" ]; then
    say "FAIL binaries: $gristmill and $corpus must be built: cargo build --release --features cluster"
    finish
fi
if ! "$gristmill" cluster scheduler --help >/dev/null 2>&1; then
    say "SKIP cluster: this gristmill was built without the feature cluster"
    finish
fi

# pipeline FOLDER ROWS SEED MORE: a corpus and a pipeline over it.
pipeline() {
    local folder=$work/$1 kind
    timeout 60 "$corpus" --rows "$2" --seed "$3" --files 7 --compress "$4" --out "$folder" >"$logs/$1.corpus" 2>&1 || return
    {
        printf '[pipeline]\nname = "corpus"\nseed = 11\nkey_file = "%s"\n\n[ingest]\nsources = [\n' "$PWD/fixtures/demo.key"
        for kind in openai:openai-chat sharegpt:sharegpt hh:hh; do
            printf '    { path = "%s/%s-*", format = "%s" },\n' "$folder" "${kind%%:*}" "${kind#*:}"
        done
        printf ']\n'
        for kind in sft preference; do
            printf '\n[[dataset]]\nname = "all-%s"\nkind = "%s"\nfrom = "logs"\ntest_share = 0.2\n' "$kind" "$kind"
        done
        printf '\n[[sample]]\nname = "quality"\nrubric = "%s"\nrows = 60\nstrata = ["language", "turns"]\n' \
            "$PWD/pipelines/rubrics/support-quality.toml"
    } >"$work/$1.toml"
}
quickstart=$PWD/pipelines/quickstart.toml
small=$work/small.toml
large=$work/large.toml
if ! pipeline small 4000 3 mixed || ! pipeline large 60000 4 none; then
    say "FAIL corpus: $(last "$logs/small.corpus")"
    finish
fi
# What the corpora plant, and every e-mail address of the fixtures.
{
    cat "$work/small/canaries.txt" "$work/large/canaries.txt"
    gzip -dcf fixtures/raw/* | grep -aoE '[A-Za-z0-9._-]+@[A-Za-z0-9-]+(\.[A-Za-z]+)+'
} | grep -v '^$' | sort -u >"$work/needles"

# Benchmarks and the user's vectors: functions that executors read files for, or join with.
known=$work/known.toml
{
    sed "s#\"\.\./#\"$PWD/#g" pipelines/decontaminate.toml
    printf 'where = "semantic_of is null"\n\n[dedup.semantic]\nvectors = "%s"\n' "$work/vectors.parquet"
} >"$known"

run quickstart-local "$quickstart" && run small-local "$small" && run known-local "$known" --until redact || finish
in_venv loaders vectors 60 tests/real/vectors.py "$work/known-local" "$work/vectors.parquet" >"$logs/vectors" 2>&1
if [ -e "$work/vectors.parquet" ]; then
    run known-local "$known" || finish
    for count in contaminated semantic_edges semantic_tags; do
        check "known-local: $count to compare" counted known-local "$count"
    done
else
    say "SKIP benchmarks and vectors: no pyarrow: $(last "$logs/vectors")"
fi

free_port && scheduler=$port && start scheduler "$port" "$gristmill" cluster scheduler --port "$port" || finish
url=df://127.0.0.1:$scheduler
mkdir "$work/work"
executor || finish
executor || finish
second=$pid

: >"$work/seen"
watch &
watcher=$!
clustered quickstart "$quickstart" quickstart-local
clustered small "$small" small-local
if [ -e "$work/vectors.parquet" ] && clustered known "$known" known-local; then
    check "known: decisions, edges and pairs of vectors as in a local run" cmp -s <(decided known) <(decided known-local)
fi
kill "$watcher" && wait "$watcher" 2>/dev/null # it would take part of what is timed next

# Shuffle files are compressed: a search of their bytes alone might miss something.
if command -v python3 >/dev/null; then
    "${nice[@]}" timeout 60 python3 tests/real/unlz4.py "$work/work" >"$work/shuffled"
    check "the search sees into shuffle files: $(grep -aoF '[EMAIL:' "$work/shuffled" | wc -l) redacted addresses" \
        grep -qaF '[EMAIL:' "$work/shuffled"
    finds_nothing_in "nothing raw in shuffle files, decompressed ($(du -m "$work/shuffled" | cut -f1) MB)" "$work/shuffled"
    rm "$work/shuffled"
else
    say "SKIP shuffle files, decompressed: no python3"
fi

watch &
watcher=$!
executor && killed quickstart-killed "$quickstart" quickstart-local 0.7 "$pid"

# Minutes on two busy cores, and how Ballista ends a job whose executor dies while nothing else has
# room is not settled: only when asked for.
if [ "${CLUSTER_LARGE:-0}" = 1 ]; then
    run large-local "$large" || finish
    local_took=$took
    if clustered large "$large" large-local; then
        times="two executors take $(calc "$took / $local_took") times what one process takes ($took s, $local_took s); at most $ratio"
        if [ -n "$busy" ]; then
            say "SKIP $times: others kept this machine busy ($busy)"
        else
            check "$times" awk "BEGIN { exit !($took <= $ratio * $local_took) }"
        fi
    fi
    killed large-killed "$large" large-local 2 "$second"
else
    say "SKIP 60,000 rows: set CLUSTER_LARGE=1"
fi
kill "$watcher" && wait "$watcher" 2>/dev/null

check "nothing raw in work dirs while runs went on ($(wc -l <"$work/looks") looks)" \
    test ! -s "$work/seen"
finds_nothing_in "nothing raw in work dirs ($(du -sm "$work/work" | cut -f1) MB)" "$work/work"
finds_nothing_in "nothing raw in logs" "$logs"
finish
