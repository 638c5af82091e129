"""Ten thousand messages there and back, of all lengths and all byte values."""

import asyncio
import collections
import hashlib
import random

from peer import end, on_both_sides

COUNT = 10_000
LONGEST = 200_000

# Where lengths like to go wrong, each several times.
EDGES = [0, 1, 2, 255, 256, 4095, 4096, 65_535, 65_536, 65_537, 131_072, 199_999, LONGEST]


def messages():
    """The same ones each time: most are short, so that the total stays at a hundred megabytes or so."""
    chance = random.Random("highwater")
    lengths = EDGES * 20
    lengths += [chance.randrange(LONGEST + 1) for _ in range(900)]
    lengths += [chance.randrange(1_000) for _ in range(COUNT - len(lengths))]
    chance.shuffle(lengths)
    for length in lengths:
        yield chance.getrandbits(8 * length).to_bytes(length, "big") if length else b""


async def exchange(peer, reader, writer):
    """Sends all, and meanwhile compares what comes back, message by message and as a whole."""
    sent, received = hashlib.sha256(), hashlib.sha256()
    on_their_way = collections.deque()
    counts = collections.Counter()

    async def send():
        values = set()
        for message in messages():
            head = len(message).to_bytes(4, "big")
            on_their_way.append(hashlib.sha256(message).digest())
            sent.update(head + message)
            values.update(message[:1000])
            counts["sent"] += 1
            counts["bytes"] += len(message)
            counts["edges"] += len(message) in (65_535, 65_536, 65_537)
            writer.write(head + message)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        assert len(values) == 256, f"only {len(values)} byte values were sent"

    async def receive():
        while counts["received"] < COUNT:
            head = await reader.readexactly(4)
            message = await reader.readexactly(int.from_bytes(head, "big"))
            number = counts["received"]
            assert on_their_way.popleft() == hashlib.sha256(message).digest(), f"message {number} differs"
            received.update(head + message)
            counts["received"] += 1
        if not writer.can_write_eof():
            await end(writer)
        more = await reader.read(1)
        assert not more, "bytes follow the last message"

    both = asyncio.gather(send(), receive())
    try:
        await both
    finally:
        both.cancel()
    assert counts["sent"] == counts["received"] == COUNT, f"{counts} of {COUNT}"
    assert counts["edges"] >= 60, f"{counts} of 60"
    assert sent.digest() == received.digest(), "the streams differ"
    assert await peer.rest() == [f"echoed {COUNT} {counts['bytes']}"]
    return f"{COUNT:,} messages, {counts['bytes']:,} bytes each way, sha256 {sent.hexdigest()[:16]}…"


CHECKS = on_both_sides("messages of 0 to 200,000 bytes, there and back", "echo", exchange)
