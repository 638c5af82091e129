"""The upgrade of a connection to TLS, by Python and by us, and those who would slip words into it."""

import asyncio
import contextlib

from certificates import VERSIONS, Tls
from peer import listening
from processes import Program, within
from wire import Wire

MESSAGE = bytes(range(250)) * 400  # 100 KB
INJECTED = b"RCPT TO:<mallory>\n"


def framed(message):
    return len(message).to_bytes(4, "big") + message


async def there_and_back(reader, writer, message=MESSAGE):
    writer.write(framed(message))
    await writer.drain()
    assert await reader.readexactly(4 + len(message)) == framed(message), "the message changed"


def their_client(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with listening(bin_dir, "upgrade", *tls.of_our_server()) as (peer, host, port):
            reader, writer = await asyncio.open_connection(host, port)
            await there_and_back(reader, writer)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"go ahead\n"
            await writer.start_tls(tls.client_context(), server_hostname="localhost")
            await there_and_back(reader, writer)
            writer.close()
            await within(writer.wait_closed(), "the end of the TLS connection")
            assert await peer.word("ahead") == ["0"]
            assert (await peer.word("tls"))[2] == "localhost"
            assert await peer.rest() == [f"echoed 1 {len(MESSAGE)}"]
        return f"{len(MESSAGE):,} bytes each way in plain, and as many inside TLS"

    return run


def their_server(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)

        async def talk(reader, writer):
            await there_and_back(reader, writer)
            assert await reader.readline() == b"STARTTLS\n"
            # Python's server loses a ClientHello that it has read ahead, but ours is sent after the answer.
            # It may come between the answer and the upgrade, so the two are one step.
            writer.transport.pause_reading()
            writer.write(b"go ahead\n")
            await writer.start_tls(tls.server_context())
            await there_and_back(reader, writer)
            writer.close()
            await within(writer.wait_closed(), "the end of the TLS connection")

        async with serving(talk) as (address, talked):
            async with Program(bin_dir / "interop_peer", "connect", address, "upgrade", *tls.of_our_client()) as peer:
                await within(talked, "the conversation")
                assert await peer.word("ahead") == ["0"]
                await peer.word("tls")
                assert await peer.rest() == [f"echoed 1 {len(MESSAGE)}"]
        return f"{len(MESSAGE):,} bytes each way in plain, and as many inside TLS"

    return run


@contextlib.asynccontextmanager
async def serving(talk):
    """Where one connection is served, and what becomes of it."""
    talked = asyncio.get_running_loop().create_future()

    async def served(reader, writer):
        try:
            talked.set_result(await talk(reader, writer))
        except Exception as error:
            talked.set_exception(error)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}", talked
    finally:
        server.close()


def hasty(version):
    """The command and the ClientHello in one segment."""

    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with listening(bin_dir, "upgrade", *tls.of_our_server()) as (peer, host, port):

            def talk():
                with Wire(host, port) as wire:
                    plain_message(wire)
                    hello = wire.client_hello(tls.client_context())
                    wire.socket.sendall(b"STARTTLS\n" + hello)
                    assert wire.line() == b"go ahead\n"
                    wire.shake_hands()
                    wire.write(framed(MESSAGE))
                    back = b""
                    while len(back) < len(framed(MESSAGE)):
                        back += wire.read()
                    assert back == framed(MESSAGE), "the message changed"
                    wire.end_our_half()
                    assert wire.read() == b"", "bytes follow the last message"
                    return len(hello)

            length = await within(in_thread(talk), "the conversation")
            assert await peer.word("ahead") == [str(length)], "it did not come in one segment"
            await peer.word("tls")
            assert await peer.rest() == [f"echoed 1 {len(MESSAGE)}"]
        return f"{length} bytes of ClientHello read ahead, and the handshake completed"

    return run


def injected_into_our_server(version, later):
    """Whoever stands between sends words of its own, and then what the client says."""

    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with listening(bin_dir, "upgrade", *tls.of_our_server()) as (peer, host, port):

            def talk():
                with Wire(host, port) as wire:
                    plain_message(wire)
                    hello = wire.client_hello(tls.client_context())
                    if later:
                        wire.socket.sendall(b"STARTTLS\n")
                        assert wire.line() == b"go ahead\n"
                        wire.socket.sendall(INJECTED + hello)
                    else:
                        wire.socket.sendall(b"STARTTLS\n" + INJECTED + hello)
                        assert wire.line() == b"go ahead\n"
                    try:
                        wire.shake_hands()
                    except OSError:  # An `ssl.SSLError` is one, and so is a reset.
                        return hello
                    raise AssertionError("the handshake succeeded")

            hello = await within(in_thread(talk), "the conversation")
            ahead = 0 if later else len(INJECTED + hello)
            return refusal(await peer.rest(), ahead, "the TLS handshake failed")

    return run


def injected_into_our_client(version, later):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)

        async def talk(reader, writer):
            await there_and_back(reader, writer)
            assert await reader.readline() == b"STARTTLS\n"
            if later:
                writer.write(b"go ahead\n")
                assert await reader.readexactly(1) == b"\x16", "it was no ClientHello"
                writer.write(INJECTED)
            else:
                writer.write(b"go ahead\n" + INJECTED)
            try:
                return await reader.read()
            except ConnectionError:
                return b""

        async with serving(talk) as (address, talked):
            async with Program(bin_dir / "interop_peer", "connect", address, "upgrade", *tls.of_our_client()) as peer:
                lines = await peer.rest()
            came = await within(talked, "the end of the connection")
        if not later:
            assert not came, f"we sent {came!r}"
            return refusal(lines, len(INJECTED), f"{len(INJECTED)} bytes in plain had been read ahead")
        return refusal(lines, 0, "the TLS handshake failed")

    return run


def refusal(lines, ahead, reason):
    """What our peer said, which is that it refused, and nothing that came in."""
    expected, said = lines
    assert expected == f"ahead {ahead}", lines
    assert said.startswith("refused ") and reason in said, lines
    return said


def plain_message(wire):
    wire.socket.sendall(framed(MESSAGE))
    assert wire.exactly(len(framed(MESSAGE))) == framed(MESSAGE), "the message changed"


def in_thread(talk):
    return asyncio.get_running_loop().run_in_executor(None, talk)


def half_closes(first):
    """asyncio's TLS cannot, but OpenSSL can."""

    async def run(bin_dir):
        tls = Tls(bin_dir)
        conversation = "end-last" if first == "Python" else "end-first"
        async with listening(bin_dir, conversation, *tls.of_our_server()) as (peer, host, port):

            def talk():
                with Wire(host, port) as wire:
                    wire.socket.sendall(wire.client_hello(tls.client_context()))
                    wire.shake_hands()
                    if first == "Python":
                        wire.write(MESSAGE)
                        wire.end_our_half()
                    received = b"".join(iter(wire.read, b""))
                    if first != "Python":
                        wire.write(received)
                        wire.end_our_half()
                    return received

            received = await within(in_thread(talk), "the conversation")
            assert first != "Python" or received == MESSAGE, "the message changed"
            expected = str(len(received)) + (" equal" if first != "Python" else "")
            assert await peer.rest() == [f"received {expected}"]
        return f"{len(received):,} bytes after the first close_notify"

    return run


CHECKS = [
    check
    for version in VERSIONS
    for check in [
        (f"start_tls {version}: Python's client, our server", their_client(version)),
        (f"start_tls {version}: Python's server, our client", their_server(version)),
        (f"start_tls {version}: command and ClientHello in one segment", hasty(version)),
        (f"start_tls {version}: words behind the command, same segment", injected_into_our_server(version, False)),
        (f"start_tls {version}: words behind the command, later segment", injected_into_our_server(version, True)),
        (f"start_tls {version}: words behind the answer, same segment", injected_into_our_client(version, False)),
        (f"start_tls {version}: words behind the answer, later segment", injected_into_our_client(version, True)),
    ]
] + [
    ("TLS 1.3: Python's OpenSSL ends its half first", half_closes("Python")),
    ("TLS 1.3: we end our half first, and OpenSSL goes on", half_closes("we")),
]
