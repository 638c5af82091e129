"""What is not TLS, or not all of it, over real sockets."""

import asyncio

from certificates import Tls
from peer import listening
from processes import Program, within
from tls_upgrade import in_thread, serving
from wire import Wire

TIMEOUT = ["--handshake-timeout", "2000"]  # In milliseconds, where one is not to end.


async def good_one(tls, host, port):
    """One that is served."""
    connecting = asyncio.open_connection(host, port, ssl=tls.client_context(), server_hostname="localhost")
    reader, writer = await within(connecting, "a connection")
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    await within(writer.wait_closed(), "the end of the TLS connection")


def to_our_server(sent, reason, *words, leave=False):
    """Somebody sends that, or the first half of a ClientHello, and stays unless told; then comes a good one."""

    async def run(bin_dir):
        tls = Tls(bin_dir)
        async with listening(bin_dir, "lines", *tls.of_our_server(), *words) as (peer, host, port):
            with Wire(host, port) as wire:
                hello = wire.client_hello(tls.client_context())
                wire.socket.sendall(hello[: len(hello) // 2] if sent is None else sent)
                if leave:
                    wire.socket.close()
                count, *told = await peer.word("failed")
                assert count == "1" and reason in " ".join(told), told
                await good_one(tls, host, port)
            await peer.word("tls")
            assert await peer.rest() == ["ended 1"]
        return f"{' '.join(told)}; the next one was served"

    return run


def to_our_client(answer, reason, *words, leave=False):
    """A server that answers a ClientHello with that, and stays unless told."""

    async def run(bin_dir):
        tls = Tls(bin_dir)

        async def talk(reader, writer):
            assert await reader.readexactly(1) == b"\x16", "it was no ClientHello"
            writer.write(answer)
            if leave:
                writer.close()
                return
            try:
                await reader.read()
            except ConnectionError:
                pass

        async with serving(talk) as (address, talked):
            command = ["connect", address, "lines", *tls.of_our_client(), *words]
            async with Program(bin_dir / "interop_peer", *command) as peer:
                assert await peer.rest(expected=1) == []
                (said,) = peer.errors
            await within(talked, "the end of the connection")
        assert reason in said, said
        return said

    return run


async def cut(bin_dir):
    """All that came, and then the error."""
    tls = Tls(bin_dir)
    async with listening(bin_dir, "lines", *tls.of_our_server()) as (peer, host, port):

        def talk():
            with Wire(host, port) as wire:
                wire.socket.sendall(wire.client_hello(tls.client_context()))
                wire.shake_hands()
                wire.write(b"hello\n")
                assert wire.read() == b"hello\n"

        await within(in_thread(talk), "the conversation")
        await peer.word("tls")
        (said,) = await peer.rest()
        assert said.startswith("UnexpectedEof 1 ") and "close_notify" in said, said
    return said


GARBAGE = bytes(range(256)) * 4
HANDSHAKE_FAILED = "the TLS handshake failed"
LEFT = "the peer ended the connection in the middle of the TLS handshake"
TOO_LONG = "the TLS handshake took longer than 2s"

CHECKS = [
    ("garbage instead of a ClientHello", to_our_server(GARBAGE, HANDSHAKE_FAILED)),
    ("a client that stops in its ClientHello", to_our_server(None, TOO_LONG, *TIMEOUT)),
    ("a client that says nothing", to_our_server(b"", TOO_LONG, *TIMEOUT)),
    ("a client that leaves in its ClientHello", to_our_server(None, LEFT, leave=True)),
    ("garbage instead of a ServerHello", to_our_client(GARBAGE, HANDSHAKE_FAILED)),
    ("a server that says nothing", to_our_client(b"", TOO_LONG, *TIMEOUT)),
    ("a server that leaves in the handshake", to_our_client(b"", LEFT, leave=True)),
    ("a socket closed without close_notify", cut),
]
