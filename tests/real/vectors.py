"""Writes vectors for the conversations of a store, as a user's model would: python vectors.py STORE OUT.

Three in a row of the sorted ids point into nearly the same direction, so there are pairs to find; no
model is run, because only the ids and the numbers matter here.
"""

import glob
import hashlib
import struct
import sys

import pyarrow as pa
import pyarrow.parquet as pq

LENGTH = 24


def direction(name: str) -> list[float]:
    """Numbers from -1 to 1 that depend on the name alone."""
    digest = hashlib.shake_128(name.encode()).digest(4 * LENGTH)
    return [number / 2**31 - 1 for number in struct.unpack(f"<{LENGTH}I", digest)]


def main(store: str, out: str) -> None:
    parts = glob.glob(f"{store}/layers/redacted/*/part-*.parquet")
    ids = sorted({value for part in parts for value in pq.read_table(part, columns=["conversation_id"])[0].to_pylist()})
    rows = []
    for place, name in enumerate(ids):
        own = direction(name)
        rows.append([x + 0.1 * y for x, y in zip(direction(f"group {place // 3}"), own)])
    vectors = pa.array(rows, type=pa.list_(pa.float32(), LENGTH))
    pq.write_table(pa.table({"id": ids, "vector": vectors}), out)
    print(f"{len(ids)} vectors")


if __name__ == "__main__":
    main(*sys.argv[1:])
