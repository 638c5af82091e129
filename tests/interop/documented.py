"""asyncio's documented echo client and echo server, unchanged, and our examples on the other end."""

import pathlib
import re

from processes import Program, python

HERE = pathlib.Path(__file__).parent
MESSAGE = "Hello World!"  # The documented client's own.


async def their_client(bin_dir):
    async with Program(bin_dir / "echo-server", "--port", 0) as server:
        address = (await server.line()).replace("Serving on ", "")
        port = address.rsplit(":", 1)[1]
        async with python(HERE / "on_port.py", port, HERE / "asyncio_echo_client.py") as client:
            printed = await client.rest()
        expected = [f"Send: {MESSAGE!r}", f"Received: {MESSAGE!r}", "Close the connection"]
        assert printed == expected, printed

        connected = await server.line()
        peer = re.fullmatch(r"Connected: (127\.0\.0\.1:\d+)", connected)
        assert peer, connected
        expected = [
            f'Received "{MESSAGE}" from {peer[1]}',
            f'Send: "{MESSAGE}"',
            f"Close the connection of {peer[1]}",
        ]
        printed = [await server.line() for _ in expected]
        assert printed == expected, printed
    return f"{MESSAGE!r} came back"


async def their_server(bin_dir):
    async with python(HERE / "on_port.py", 0, HERE / "asyncio_echo_server.py") as server:
        serving = await server.line()
        address = re.fullmatch(r"Serving on \('127\.0\.0\.1', (\d+)\)", serving)
        assert address, serving
        async with Program(bin_dir / "echo-client", "--port", address[1], MESSAGE) as client:
            printed = await client.rest()
        expected = [f'Send: "{MESSAGE}"', f'Received: "{MESSAGE}"', "Close the connection"]
        assert printed == expected, printed

        received = await server.line()
        pattern = re.escape(f"Received {MESSAGE!r} from ('127.0.0.1', ") + r"\d+\)"
        assert re.fullmatch(pattern, received), received
        expected = [f"Send: {MESSAGE!r}", "Close the connection"]
        printed = [await server.line() for _ in expected]
        assert printed == expected, printed
    return f"{MESSAGE!r} came back"


CHECKS = [
    ("asyncio's documented echo client, our echo-server", their_client),
    ("asyncio's documented echo server, our echo-client", their_server),
]
