"""A connection to our peer, from either side, with TLS or without."""

import asyncio
import contextlib

from processes import Program, within


@contextlib.asynccontextmanager
async def listening(bin_dir, conversation, *options):
    """Our peer, and where it listens."""
    async with Program(bin_dir / "interop_peer", "listen", conversation, *options) as peer:
        (address,) = await peer.word("listening")
        host, port = address.rsplit(":", 1)
        yield peer, host, int(port)


@contextlib.asynccontextmanager
async def python_connects(bin_dir, conversation, tls=None):
    """We listen, Python connects."""
    async with listening(bin_dir, conversation, *(tls.of_our_server() if tls else [])) as (peer, host, port):
        secured = {"ssl": tls.client_context(), "server_hostname": "localhost"} if tls else {}
        connecting = asyncio.open_connection(host, port, **secured)
        reader, writer = await within(connecting, f"a connection to {peer}")
        try:
            yield peer, reader, writer
        finally:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def python_listens(bin_dir, conversation, tls=None):
    """Python listens, we connect."""
    accepted = asyncio.get_running_loop().create_future()
    context = tls.server_context() if tls else None
    server = await asyncio.start_server(lambda *pair: accepted.set_result(pair), "127.0.0.1", 0, ssl=context)
    try:
        host, port = server.sockets[0].getsockname()
        options = tls.of_our_client() if tls else []
        async with Program(bin_dir / "interop_peer", "connect", f"{host}:{port}", conversation, *options) as peer:
            reader, writer = await within(accepted, f"a connection by {peer}")
            try:
                yield peer, reader, writer
            finally:
                writer.transport.abort()
    finally:
        server.close()


SIDES = {"Python connects": python_connects, "Python listens": python_listens}


def on_both_sides(sentence, conversation, converse, tls=None):
    """The checks of one conversation: `converse(peer, reader, writer)` with either side connecting.

    `tls` is called with the folder of our programs, and gives what `certificates.Tls` is.
    """

    def check(connect):
        async def run(bin_dir):
            secured = tls(bin_dir) if tls else None
            async with connect(bin_dir, conversation, secured) as (peer, reader, writer):
                return await converse(peer, reader, writer)

        return run

    return [(f"{sentence} ({side})", check(connect)) for side, connect in SIDES.items()]


async def end(writer):
    """The end of what we send. asyncio's TLS cannot end one half: it closes, so that all has to be read before."""
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()
        await within(writer.wait_closed(), "the end of the TLS connection")
