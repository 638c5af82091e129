"""A connection to our peer, from either side."""

import asyncio
import contextlib

from processes import Program, within


@contextlib.asynccontextmanager
async def python_connects(bin_dir, conversation):
    """We listen, Python connects."""
    async with Program(bin_dir / "interop_peer", "listen", conversation) as peer:
        (address,) = await peer.word("listening")
        host, port = address.rsplit(":", 1)
        reader, writer = await within(asyncio.open_connection(host, int(port)), f"a connection to {peer}")
        try:
            yield peer, reader, writer
        finally:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def python_listens(bin_dir, conversation):
    """Python listens, we connect."""
    accepted = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *pair: accepted.set_result(pair), "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        async with Program(bin_dir / "interop_peer", "connect", f"{host}:{port}", conversation) as peer:
            reader, writer = await within(accepted, f"a connection by {peer}")
            try:
                yield peer, reader, writer
            finally:
                writer.transport.abort()
    finally:
        server.close()


SIDES = {"Python connects": python_connects, "Python listens": python_listens}


def on_both_sides(sentence, conversation, converse):
    """The checks of one conversation: `converse(peer, reader, writer)` with either side connecting."""

    def check(connect):
        async def run(bin_dir):
            async with connect(bin_dir, conversation) as (peer, reader, writer):
                return await converse(peer, reader, writer)

        return run

    return [(f"{sentence} ({side})", check(connect)) for side, connect in SIDES.items()]
