"""The line tool against OpenBSD's netcat, openssl and Python: in plain, in TLS, by STARTTLS, and on a terminal."""

import asyncio
import contextlib
import os
import pty
import tempfile

from certificates import Tls
from endings import bulk, digest
from processes import Program, within
from tls_openssl import accepting, s_client, s_server

BULK = 10 * 1024 * 1024
LINES = 100_000


@contextlib.asynccontextmanager
async def listening(bin_dir, *words):
    """Our tool, and where it listens."""
    async with Program(bin_dir / "talk", "--listen", *words) as talk:
        await talk.error_with("Listening on ")
        yield talk, talk.errors[0].removeprefix("Listening on ")


async def conversation(command, data, output=asyncio.subprocess.PIPE):
    """What a program prints after this input, and how it ends."""
    pipe = asyncio.subprocess.PIPE
    words = [str(word) for word in command]
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=output, stderr=pipe)
    try:
        printed, errors = await within(process.communicate(data), f"the end of {words[0]}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return printed, errors.decode(), process.returncode


async def whole(*arguments):
    printed, errors, code = await conversation(*arguments)
    assert code == 0, (code, errors)
    return printed


async def netcat_connects(bin_dir):
    """Each sends all that it has and ends its side."""
    lines = [f"line {number} of many" for number in range(LINES)]
    async with listening(bin_dir, "0") as (talk, where):
        words = ["nc", "-N", "127.0.0.1", where.rsplit(":", 1)[1]]
        netcat = asyncio.ensure_future(whole(words, "".join(line + "\n" for line in lines).encode()))
        talk.process.stdin.write(bulk(BULK))
        talk.process.stdin.close()
        found = await netcat
        assert digest(found) == digest(bulk(BULK)), f"{len(found)} of {BULK} bytes came, or changed"
        assert await talk.rest() == lines
    return f"{LINES:,} lines one way, {BULK:,} bytes the other"


async def netcat_listens(bin_dir):
    with tempfile.TemporaryDirectory(prefix="highwater-talk-") as folder:
        path = os.path.join(folder, "nc.sock")
        async with Program("nc", "-lNU", path) as nc:
            while not os.path.exists(path):
                assert nc.process.returncode is None
                await asyncio.sleep(0.01)  # It does not say when it listens.
            await nc.tell("welcome")
            nc.process.stdin.close()
            assert await whole([bin_dir / "talk", f"unix:{path}"], b"hello\nthere\n") == b"welcome\n"
            assert await nc.rest() == ["hello", "there"]
    return "both ends, over a Unix socket"


async def python_echoes(bin_dir):
    async def echo(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await whole([bin_dir / "talk", "127.0.0.1", port], bulk(BULK))
    assert digest(found) == digest(bulk(BULK)), f"{len(found)} of {BULK} bytes came back, or changed"
    return f"{len(found):,} bytes there and back, sha256 {digest(found)[:16]}…"


async def openssl_serves(bin_dir):
    tls = Tls(bin_dir)
    async with s_server(tls, "-rev") as server:
        port = (await accepting(server)).rsplit(":", 1)[1]
        words = ["--tls", "--ca", tls.file("ca.pem"), "--server-name", "localhost"]
        async with Program(bin_dir / "talk", *words, "127.0.0.1", port) as talk:
            await talk.tell("hello")
            assert await talk.line() == "olleh"
            await talk.tell("CLOSE")  # What it takes for the end.
            talk.process.stdin.close()
            assert await talk.rest() == []
    return "a line, reversed, and a clean end"


async def openssl_connects(bin_dir):
    tls = Tls(bin_dir)
    certificate, key = tls.identity("server")
    async with listening(bin_dir, "--tls", "--cert", certificate, "--key", key, "0") as (talk, where):
        host, port = where.rsplit(":", 1)
        async with s_client(tls, host, port, "-brief") as client:
            await client.tell("hello")
            assert await talk.line() == "hello"
            await talk.tell("welcome")
            assert await client.line() == "welcome"
            await client.tell("Q")
            await client.rest()
        talk.process.stdin.close()
        assert await talk.rest() == []
    return "a line each way, and a clean end"


SMTP = [b"220-here\r\n220 ready\r\n", b"250-here\r\n250-STARTTLS\r\n250 HELP\r\n", b"220 go ahead\r\n"]
UPGRADES = {
    "smtp": (SMTP, [b"EHLO localhost\r\n", b"STARTTLS\r\n"]),
    "imap": ([b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1\r\na OK go ahead\r\n"], [b"a STARTTLS\r\n"]),
    "ftp": ([b"220-here\r\n anything\r\n220 ready\r\n", b"234 go ahead\r\n"], [b"AUTH TLS\r\n"]),
    "plain:upgrade": ([b"", b"+ go ahead\n"], [b"upgrade\r\n"]),
}


def upgraded(protocol):
    """Python's asyncio upgrades its end."""
    answers, expected = UPGRADES[protocol]

    async def run(bin_dir):
        tls = Tls(bin_dir)
        heard = []

        async def serve(reader, writer):
            writer.write(answers[0])
            for answer in answers[1:]:
                heard.append(await reader.readline())
                writer.write(answer)
            await writer.start_tls(tls.server_context())
            line = await reader.readline()
            writer.write(b"in private: " + line)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            words = ["--starttls", protocol, "--ca", tls.file("ca.pem"), "--server-name", "localhost"]
            async with Program(bin_dir / "talk", *words, "127.0.0.1", port) as talk:
                await talk.tell("hello")
                assert await talk.line() == "in private: hello"
                talk.process.stdin.close()
                assert await talk.rest() == []
        assert heard == expected, heard
        return f"{len(heard)} lines in plain, and one inside TLS"

    return run


@contextlib.contextmanager
def terminal():
    """Both ends of a terminal: the program's, and what a person would see of it."""
    person, program = pty.openpty()
    try:
        yield person, program
    finally:
        os.close(person)
        os.close(program)


def seen(person):
    os.set_blocking(person, False)
    found = b""
    with contextlib.suppress(BlockingIOError):
        while data := os.read(person, 65536):
            found += data
    return found


async def says(chunks, pause=0):
    async def serve(reader, writer):
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def on_a_terminal(bin_dir):
    """What a peer sends is text there, and as it came in a file."""
    async with await says([b"caf\xc3", b"\xa9\x1b[2J\x07\r\nend\n"]) as server:
        to = [bin_dir / "talk", "127.0.0.1", server.sockets[0].getsockname()[1]]
        with terminal() as (person, program):
            await whole(to, b"", program)
            shown = seen(person)
        assert shown.replace(b"\r", b"") == b"caf\xc3\xa9\\x1b[2J\\x07\nend\n", shown
        with terminal() as (person, program):
            await whole([*to, "--raw"], b"", program)
            raw = seen(person)
        assert b"\x1b[2J\x07" in raw, raw
        assert await whole(to, b"") == b"caf\xc3\xa9\x1b[2J\x07\r\nend\n"
    return "control characters are shown, and not obeyed"


async def progress(bin_dir):
    """A transfer of two seconds tells how far it is, where a person looks, and nowhere else."""
    chunk = bytes(64 * 1024)
    async with await says([chunk] * 20, 0.1) as server:
        to = [str(bin_dir / "talk"), "127.0.0.1", str(server.sockets[0].getsockname()[1])]
        with terminal() as (person, program):
            pipe = asyncio.subprocess.PIPE
            devnull = asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(*to, stdin=devnull, stdout=pipe, stderr=program)
            printed, _ = await within(process.communicate(), "the end of the transfer")
            shown = seen(person).decode()
        assert (process.returncode, len(printed)) == (0, 20 * len(chunk))
        assert " out, " in shown and "MiB in" in shown and "iB/s" in shown, shown
        _, errors, _ = await conversation(to, b"")
        assert errors == "", errors
    return "its line is on the terminal, and not in a file"


CHECKS = [
    ("talk, nc connects", netcat_connects),
    ("talk, nc listens on a Unix socket", netcat_listens),
    ("talk, asyncio echoes", python_echoes),
    ("talk, openssl s_server", openssl_serves),
    ("talk, openssl s_client", openssl_connects),
    *[(f"talk, asyncio's start_tls by {protocol}", upgraded(protocol)) for protocol in UPGRADES],
    ("talk, control characters on a terminal", on_a_terminal),
    ("talk, progress on a terminal", progress),
]
