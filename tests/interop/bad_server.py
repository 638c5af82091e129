"""A server that says what it says to whoever comes, and then waits for them to go."""

import asyncio
import contextlib


@contextlib.asynccontextmanager
async def saying(words):
    """Its port."""

    async def serve(reader, writer):
        try:
            writer.write(words)
            await reader.read()
        except ConnectionError:
            pass  # Who is spoken to so may leave.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
