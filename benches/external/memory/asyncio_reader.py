"""asyncio's StreamReader, fed from memory: `asyncio_reader.py KIND FILE CHUNK PASSES`.

Reads what lies in FILE, PASSES times over, and prints how many records and bytes it saw and the nanoseconds of
processor time that it took. The next chunk arrives when the reader would wait for it, so that no event loop is
in the figure.
"""

import asyncio
import sys
import time
from pathlib import Path


class Fed(asyncio.StreamReader):
    """A reader whose next bytes are there as soon as it asks for them."""

    def __init__(self, chunks):
        super().__init__(limit=64 * 1024)
        self.chunks = chunks

    async def _wait_for_data(self, _):
        chunk = next(self.chunks, None)
        if chunk is None:
            self.feed_eof()
        else:
            self.feed_data(chunk)


def chunks_of(block, chunk, passes):
    ring = block + block[:chunk]
    at, left, room = 0, len(block) * passes, chunk - 7
    while left:
        count = min(room, left)
        yield ring[at : at + count]
        at, left, room = (at + count) % len(block), left - count, chunk


async def lines(reader):
    records = seen = 0
    while line := await reader.readline():
        records += 1
        seen += len(line)
    return records, seen


async def crlf(reader):
    records = seen = 0
    try:
        while True:
            seen += len(await reader.readuntil(b"\r\n"))
            records += 1
    except asyncio.IncompleteReadError:
        return records, seen


async def frames(reader):
    records = seen = 0
    try:
        while True:
            length = int.from_bytes(await reader.readexactly(4), "big")
            seen += 4 + len(await reader.readexactly(length))
            records += 1
    except asyncio.IncompleteReadError:
        return records, seen


async def messages(reader):
    records = seen = 0
    name = b"Content-Length: "
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            digits = head[head.index(name) + len(name) :]
            body = await reader.readexactly(int(digits[: digits.index(b"\r")]))
            seen += len(head) + len(body)
            records += 1
    except asyncio.IncompleteReadError:
        return records, seen


async def main():
    kind, file, chunk, passes = sys.argv[1:]
    read = {"lines": lines, "crlf": crlf, "frames": frames, "messages": messages}[kind]
    reader = Fed(chunks_of(Path(file).read_bytes(), int(chunk), int(passes)))
    before = time.thread_time_ns()
    records, seen = await read(reader)
    print(records, seen, time.thread_time_ns() - before)


asyncio.run(main())
