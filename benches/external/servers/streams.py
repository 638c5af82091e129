"""asyncio's Streams as a server, on its own loop or on uvloop.

    streams.py asyncio|uvloop SERVICE [--every COUNT] [--identity CERTIFICATE KEY]

It binds a port of 127.0.0.1, prints it, and serves until its input ends. The services are those of `serve`.
"""

import argparse
import asyncio
import os
import ssl
import sys
import threading

BLOCK = 64 * 1024
LINE = b"x" * 63 + b"\n"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("runner", choices=["asyncio", "uvloop"])
    parser.add_argument("service")
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--identity", nargs=2)
    return parser.parse_args()


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()


async def echo_once(reader, writer):
    writer.write(await reader.readline())


async def read_lines(reader, writer):
    lines = count = 0
    while line := await reader.readline():
        lines += 1
        count += len(line)
    writer.write(f"{lines} {count}\n".encode())


async def write_lines(reader, writer, every):
    for _ in range(int(await reader.readline()) // every):
        for _ in range(every):
            writer.write(LINE)
        await writer.drain()


async def sink(reader, writer):
    count, total = 0, int(await reader.readline()) * BLOCK
    while count < total and (block := await reader.read(BLOCK)):
        count += len(block)
    writer.write(f"{count}\n".encode())


async def source(reader, writer):
    block = b"x" * BLOCK
    for _ in range(int(await reader.readline())):
        writer.write(block)
        await writer.drain()


async def serve(job):
    services = {
        "echo": echo,
        "echo-once": echo_once,
        "read-lines": read_lines,
        "write-lines": lambda reader, writer: write_lines(reader, writer, job.every),
        "sink": sink,
        "source": source,
    }
    service = services[job.service]

    async def handle(reader, writer):
        await service(reader, writer)
        await writer.drain()
        writer.close()
        try:
            await writer.wait_closed()
        except ConnectionError:
            pass  # The client has gone without waiting, as a client may.

    context = None
    if job.identity:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*job.identity)
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    job = arguments()
    threading.Thread(target=end_with_input, daemon=True).start()
    if job.runner == "uvloop":
        import uvloop

        uvloop.install()
    asyncio.run(serve(job))


if __name__ == "__main__":
    main()
