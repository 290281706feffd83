#!/usr/bin/env bash
# Every crate of the tree, for all features and platforms, against deny.toml, without cargo-deny:
# licences allowed, sources crates.io only, one copy of Arrow and Parquet. Needs cargo and awk, and
# no network once `cargo fetch --locked` has run.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^allow = \[/,/^\]/s/^ *"\([^"]*\)",\{0,1\} *$/\1/p' deny.toml >"$work/allow"
[ -s "$work/allow" ] || { echo "deny.toml: no list of allowed licences found"; exit 1; }

if ! cargo tree --locked --offline --all-features --target all -e normal,build,dev --prefix none -f '{l}|{p}' \
    >"$work/tree" 2>"$work/err"; then
    tail -n 5 "$work/err"
    echo "cargo tree failed; run 'cargo fetch --locked' first"
    exit 1
fi
sed 's/ (\*)$//; s/ (proc-macro)$//' "$work/tree" | sort -u >"$work/crates"

# SPDX: OR binds weaker than AND, AND weaker than WITH; "/" is the old way to write OR.
awk -F'|' '
    FNR == NR { allowed[$0] = 1; next }
    function next_token() { return at <= count ? token[at] : "" }
    function either(   ok) { ok = both(); while (next_token() == "OR") { at++; ok = both() || ok }; return ok }
    function both(   ok) { ok = one(); while (next_token() == "AND") { at++; ok = one() && ok }; return ok }
    function one(   ok, name) {
        if (next_token() == "(") { at++; ok = either(); at++; return ok }
        name = next_token(); at++
        if (next_token() == "WITH") { at++; name = name " WITH " next_token(); at++ }
        return name in allowed
    }
    {
        text = $1; gsub(/\//, " OR ", text); gsub(/\(/, " ( ", text); gsub(/\)/, " ) ", text)
        count = split(text, token, " "); at = 1
        if (count == 0 || !either() || at <= count) { bad++; print "not allowed: " $2 ": " (count ? $1 : "no licence named") }
    }
    END { printf "licences: %d crates, %d not allowed\n", FNR, bad; exit bad > 0 }
' "$work/allow" "$work/crates"

if grep '^source = ' Cargo.lock | grep -v '"registry+https://github.com/rust-lang/crates.io-index"'; then
    echo "Cargo.lock: a crate comes from elsewhere than crates.io"
    exit 1
fi
for crate in arrow parquet datafusion; do
    copies=$(grep -c "^name = \"$crate\"$" Cargo.lock || true)
    [ "$copies" = 1 ] || { echo "Cargo.lock: $copies copies of $crate, expected one"; exit 1; }
done
