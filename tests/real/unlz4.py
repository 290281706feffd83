"""Prints what LZ4 frames in files hold, and the files themselves: shuffle files for grep.

Usage: unlz4.py FOLDER…
"""

import pathlib
import sys

MAGIC = b"\x04\x22\x4d\x18"


def extended(length: int, data: bytes, at: int) -> tuple[int, int]:
    """A length that goes on in the bytes from `at`, up to the first that is not 255; and where it ends."""
    while True:
        more = data[at]
        at += 1
        length += more
        if more != 255:
            return length, at


def block(data: bytes, out: bytearray) -> None:
    """Appends one decompressed block; matches may reach back into `out`."""
    at, end = 0, len(data)
    while at < end:
        token = data[at]
        at += 1
        literals = token >> 4
        if literals == 15:
            literals, at = extended(literals, data, at)
        out += data[at : at + literals]
        at += literals
        if at >= end:
            return
        back = data[at] | data[at + 1] << 8
        at += 2
        length = (token & 15) + 4
        if length == 19:
            length, at = extended(length, data, at)
        start = len(out) - back
        if back >= length:
            out += out[start : start + length]
        else:
            out += (out[start:] * (length // back + 1))[:length]


def frame(data: bytes, at: int) -> bytes:
    """The frame whose magic number ends before `at`."""
    flags = data[at]
    at += 3 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    out = bytearray()
    while size := int.from_bytes(data[at : at + 4], "little"):
        at += 4
        length = size & 0x7FFFFFFF
        if size >> 31:
            out += data[at : at + length]
        else:
            block(data[at : at + length], out)
        at += length + (4 if flags & 16 else 0)
    return bytes(out)


def main() -> None:
    for folder in sys.argv[1:]:
        for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
            data = path.read_bytes()
            sys.stdout.buffer.write(data + b"\n")
            at = 0
            while (at := data.find(MAGIC, at)) >= 0:
                at += len(MAGIC)
                try:
                    text = frame(data, at)
                except IndexError:  # not a frame, or a file that was being written at a kill
                    continue
                sys.stdout.buffer.write(text + b"\n")


main()
