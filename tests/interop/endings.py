"""Half-closes, slow readers and aborts, by either end."""

import asyncio
import hashlib
import socket
import struct

from peer import end, on_both_sides
from processes import within

BULK = 32 * 1024 * 1024  # What the peer sends, and the most that it takes.
ANNOUNCED, SENT = 100_000, 50_000  # The message that is aborted, and how much of it was sent by then.
HELD = 0.2  # A drain that has waited for this many seconds is held back.


def digest(data):
    return hashlib.sha256(data).hexdigest()


def bulk(length=BULK):
    """What the peer sends: every byte value, in a row of a prime length."""
    row = bytes(range(256)) + b"\0"
    return (row * (length // len(row) + 1))[:length]


async def send(writer, data):
    for start in range(0, len(data), 64 * 1024):
        writer.write(data[start : start + 64 * 1024])
        await writer.drain()


async def python_ends_first(peer, reader, writer):
    """We still send back all of it."""
    data = bulk(8 * 1024 * 1024)
    await send(writer, data)
    writer.write_eof()
    assert await peer.word("received") == [str(len(data))]
    received = await reader.read()
    assert digest(received) == digest(data), f"{len(received)} of {len(data)} bytes came back, or changed"
    await peer.rest()
    return f"{len(received):,} bytes sent back after the end"


async def python_ends_last(peer, reader, writer):
    """We take all that Python still sends."""
    received = await reader.read()
    assert digest(received) == digest(bulk()), f"{len(received)} of {BULK} bytes came, or changed"
    await send(writer, received)
    writer.write_eof()
    assert await peer.word("received") == [str(BULK), "equal"]
    await peer.rest()
    return f"{len(received):,} bytes taken after our end"


async def python_reads_late(peer, reader, writer):
    """Our writer is held back, and queues no more than a block above its high mark."""
    held, high = map(int, await peer.word("held"))
    assert held > high, f"held back with {held} bytes queued, and the high mark is {high}"
    received = hashlib.sha256()
    total = 0
    while True:
        data = await reader.read(4096)  # Little by little.
        if not data:
            break
        received.update(data)
        total += len(data)
    assert received.hexdigest() == digest(bulk()), f"{total} of {BULK} bytes came, or changed"
    (words,) = await peer.rest()
    word, sent, most = words.split()
    assert (word, int(sent)) == ("sent", BULK), words
    assert high < int(most) <= high + 48 * 1024, f"{most} bytes were queued, and the high mark is {high}"
    return f"held back with {held:,} bytes queued, {int(most):,} at most; {total:,} arrived"


async def we_read_late(peer, reader, writer):
    """Python's writer is held back by ours not reading."""
    data = bulk()
    written = 0
    sending = None
    while written < len(data):
        writer.write(data[written : written + 64 * 1024])
        written = min(written + 64 * 1024, len(data))
        draining = asyncio.ensure_future(writer.drain())
        done, _ = await asyncio.wait([draining], timeout=HELD)
        if not done:
            sending = draining
            break
        await draining
    assert sending is not None, f"{written} bytes were taken, though nobody reads"
    queued = writer.transport.get_write_buffer_size()

    async def send_the_rest():
        await sending
        await send(writer, data[written:])
        if writer.can_write_eof():
            writer.write_eof()

    await peer.tell("go")
    _, received = await asyncio.gather(send_the_rest(), reader.readexactly(len(data)))
    if not writer.can_write_eof():
        await end(writer)
    assert not await reader.read(1), "bytes follow the last one"
    assert digest(received) == digest(data), f"{len(received)} of {len(data)} bytes came back, or changed"
    assert await peer.rest() == [f"echoed {len(data)}"]
    return f"held back with {queued:,} bytes queued; {len(received):,} arrived and came back"


async def we_abort(peer, reader, writer):
    """Python sees a reset in the middle of the message."""
    length = int.from_bytes(await reader.readexactly(4), "big")
    assert length == ANNOUNCED, length
    some = await reader.readexactly(SENT // 2)
    writer.write(b"!")
    try:
        rest = await within(reader.readexactly(length - len(some)), "the reset")
    except ConnectionResetError as error:
        seen = error
    else:
        raise AssertionError(f"the message was complete, with {len(rest)} more bytes")
    assert await peer.rest() == ["read ConnectionAborted"]
    return f"Python saw {seen}"


async def python_aborts(peer, reader, writer):
    """asyncio's abort closes, so that we see the end in the middle of the message."""
    await abort(reader, writer)
    assert await peer.rest() == [f"incomplete {SENT} {ANNOUNCED}"]
    return f"we saw the end after {SENT:,} of {ANNOUNCED:,} bytes"


async def python_resets(peer, reader, writer):
    """With a linger of zero it resets, and we see that, behind all that came before."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    await abort(reader, writer)
    assert await peer.rest() == [f"ConnectionReset {SENT}"]
    return f"we saw a reset, with {SENT:,} bytes kept"


async def abort(reader, writer):
    writer.write(ANNOUNCED.to_bytes(4, "big") + bytes(SENT))
    assert await reader.readexactly(1) == b"!"  # They have arrived.
    writer.transport.abort()


CHECKS = [
    *on_both_sides("Python ends its half first", "end-last", python_ends_first),
    *on_both_sides("we end our half first", "end-first", python_ends_last),
    *on_both_sides("Python reads late and slowly", "held", python_reads_late),
    *on_both_sides("we read late", "late", we_read_late),
    *on_both_sides("we abort in mid-message", "abort", we_abort),
    *on_both_sides("Python aborts in mid-message", "aborted", python_aborts),
    *on_both_sides("Python resets in mid-message", "aborted", python_resets),
]
