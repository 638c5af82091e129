"""The chat example and fifty clients on Python's asyncio, of whom one never reads."""

import asyncio
import signal
import socket

from processes import Program, within

TALKERS = 49
LINES = 5
TEXT = "x" * 900

# More than what is said in a round, so that whoever reads is never near it.
CAP = 300_000

DROPPED = b"* deaf did not listen, and was dropped\n"
MOST_ROUNDS = 200  # What the kernel takes for one who does not read is its own affair.


async def enter(port, name):
    """A client who has said a name."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096 if name == "deaf" else 65536)
    plug.setblocking(False)
    await within(asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", port)), "a connection")
    reader, writer = await asyncio.open_connection(sock=plug)
    assert await within(reader.readline(), "the question") == b"* your name?\n"
    writer.write(f"{name}\n".encode())
    return reader, writer


async def until(reader, last):
    """The lines up to this one, which is not among them."""
    lines = []
    while (line := await within(reader.readline(), last)) != last:
        assert line, f"the chat ended before {last}"
        lines.append(line)
    return lines


async def round_of(clients, number):
    """All talk, and all listen; what each heard."""

    async def listen(reader):
        lines, said = [], 0
        while said < TALKERS * LINES:
            line = await within(reader.readline(), "a line")
            assert line.endswith(b"\n"), "somebody who reads was dropped"
            said += line.startswith(b"client")
            lines.append(line)
        return lines

    async def talk(writer):
        for line in range(LINES):
            writer.write(f"{number} {line} {TEXT}\n".encode())
            await writer.drain()

    talking = [talk(writer) for _, writer in clients]
    listening = [listen(reader) for reader, _ in clients]
    return (await asyncio.gather(*talking, *listening))[len(talking) :]


async def crowd(bin_dir):
    async with Program(bin_dir / "chat", "--port", "0", "--cap", CAP) as chat:
        port = int((await chat.word("Serving"))[-1].rsplit(":", 1)[1])
        clients = []
        for number in range(TALKERS):
            clients.append(await enter(port, f"client{number}"))
            hello = await within(clients[-1][0].readline(), "the greeting")
            assert hello.startswith(f"* hello client{number}, you meet ".encode()), hello
        _, deaf = await enter(port, "deaf")
        deaf.transport.pause_reading()
        await asyncio.gather(*(until(reader, b"* deaf is here\n") for reader, _ in clients))

        rounds, told = 0, False
        while not told:
            heard = await round_of(clients, rounds)
            assert all(lines == heard[0] for lines in heard), "not all heard the same in the same order"
            for number in range(TALKERS):
                said = [line for line in heard[0] if line.startswith(f"client{number}: ".encode())]
                meant = [f"client{number}: {rounds} {line} {TEXT}\n".encode() for line in range(LINES)]
                assert said == meant, f"client{number} is misunderstood"
            rounds += 1
            told = DROPPED in heard[0]
            assert rounds < MOST_ROUNDS, "who does not listen is still there"

        chat.process.send_signal(signal.SIGINT)
        for reader, writer in clients:
            assert await until(reader, b"* the chat ends, good-bye\n") == []
            assert await within(reader.read(), "the end") == b""
            writer.close()
        assert await chat.rest() == ["The chat has ended; 0 did not hear the end"]
    lines = rounds * TALKERS * LINES
    return f"{lines:,} lines to each of {TALKERS}, in one order; who did not read was dropped in round {rounds}"


CHECKS = [("chat: fifty clients, one of whom does not read", crowd)]
