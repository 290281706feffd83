#!/usr/bin/env python3
"""What leaving very frequent shingles out of the comparison would change.

    benches/peers/chats.py chats.jsonl SOURCE...
    gristmill dedup chats.jsonl --out OUT --allow-wipeout
    benches/frequent.py chats.jsonl OUT [--graded PART]

For every edge of OUT both Jaccards are counted again without the shingles that more than a share of the distinct chats say on
that side; an edge whose sides consist of such shingles alone keeps its numbers. Prints how many near-duplicate edges go and come.
With --graded: of the rows dropped as near, how many stand with their winner in the file whose name holds PART, where
somebody else has taken out what is alike. Words here are runs of letters and digits, so Jaccards differ a little from gristmill's.
"""
import argparse, collections, json, pathlib, re

WORD = re.compile(r"[^\W_]+")
MIN_JACCARD = 0.8


def shingles(text):
    words = WORD.findall(text.lower())
    return list(zip(words, words[1:], words[2:])) if len(words) > 2 else [tuple(words)] * bool(words)


def sides(row):
    return [frozenset(one for message in row["messages"] if message["role"] == role for one in shingles(message["content"]))
            for role in ("user", "assistant")]


def jaccard(a, b):
    return len(a & b) / max(len(a | b), 1)


def without(rows, edge, frequent):
    both = [(a - often, b - often, a, b) for a, b, often in zip(rows[edge["a"]], rows[edge["b"]], frequent)]
    return min(jaccard(a, b) if a or b else jaccard(whole, other) for a, b, whole, other in both)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("chats", type=pathlib.Path)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--graded", metavar="PART")
    args = args.parse_args()
    lines = lambda path: map(json.loads, open(path))
    decisions = list(lines(args.out / "decisions.jsonl"))
    copies = {one["id"] for one in decisions if one["fate"] == "exact"}
    rows = {row["id"]: sides(row) for row in lines(args.chats) if row["id"] not in copies}
    counts = [collections.Counter(one for row in rows.values() for one in row[side]) for side in (0, 1)]
    said = sum(sum(count.values()) for count in counts)
    edges = [edge for edge in lines(args.out / "edges.jsonl") if edge["a"] in rows and edge["b"] in rows]
    near = sum(edge["rule"] == "near_duplicate" for edge in edges)
    print(f"{len(rows)} distinct chats, {len(edges)} edges, {near} of them near-duplicates\n")
    print("| left out: said by more than | shingles | of all that is said | edges that go | that come |")
    print("|---|---|---|---|---|")
    for share in (0.002, 0.01, 0.05, 0.2):
        frequent = [{one for one, count in counted.items() if count > share * len(rows)} for counted in counts]
        often = sum(counted[one] for counted, them in zip(counts, frequent) for one in them)
        go = come = 0
        for edge in edges:
            was, now = edge["rule"] == "near_duplicate", without(rows, edge, frequent) >= MIN_JACCARD
            go += was and not now
            come += now and not was and min(edge["jaccard_user"], edge["jaccard_assistant"]) < MIN_JACCARD
        print(f"| {100 * share:g} % | {sum(map(len, frequent))} | {100 * often / said:.0f} % | {go} | {come} |")
    if args.graded:
        text = {row["id"]: json.dumps(row["messages"]) for row in lines(args.chats)}
        part = {said for one, said in text.items() if args.graded in one}
        dropped = [one for one in decisions if one["fate"] == "near"]
        both = sum(text[one["id"]] in part and text[one["winner"]] in part for one in dropped)
        print(f"\n{both} of {len(dropped)} rows dropped as near stand with their winner in {args.graded} ({len(part)} distinct rows)")


if __name__ == "__main__":
    main()
