"""The proxy example between programs of others: redis-cli, curl, nginx, Python."""

import asyncio
import contextlib
import hashlib
import pathlib
import signal

from certificates import Tls, folder
from endings import bulk, digest
from nginx import running
from processes import Program, within
from redis import client, redis, said
from tls_curl import BODY, CURL

MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")

# What a connection may take: two marks and two reads each way, with room for the runtime and TLS.
MOST_MEMORY = 32 * 1024

SERVERS = """
    server {{
        listen 127.0.0.1:{plain};
    }}
    server {{
        listen 127.0.0.1:{announced} proxy_protocol;
        location = /who {{
            return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port";
        }}
    }}
"""

STREAM = """
stream {{
    server {{
        listen 127.0.0.1:{announcing};
        proxy_pass 127.0.0.1:{to};
        proxy_protocol on;
    }}
}}
"""


@contextlib.asynccontextmanager
async def proxy(bin_dir, to, *options, listen=0):
    """Our proxy, and its port."""
    words = ["--listen", f"127.0.0.1:{listen}", "--to", f"localhost:{to}", *options]
    async with Program(bin_dir / "proxy", *words) as program:
        words = await program.word("Serving")
        yield program, int(words[-1].rsplit(":", 1)[1])


def nginx(tls):
    """Its ports by what they are for."""
    assert MODULE.exists(), "the stream module of nginx is not there"
    pages = folder(tls.bin_dir) / "proxied"
    pages.mkdir(exist_ok=True)
    (pages / "bulk").write_bytes(bulk(BODY))

    def configured(ports):
        servers, stream = SERVERS.format(**ports), STREAM.format(**ports)
        return {"before": f"load_module {MODULE};", "servers": servers, "behind": stream}

    names = ["plain", "announced", "announcing", "to"]
    return running(tls, "proxied", names, configured, asked=["plain", "announced"])


async def plain_redis(bin_dir):
    async with redis() as port, proxy(bin_dir, port) as (_, through):
        assert await said("redis-cli", "-p", through, "set", "key", "value") == ["OK"]
        commands = "get key\n" * 100_000
        printed = await said(*client(bin_dir, through, options=["--pipe"]), text=commands)
        assert printed == ["100000 replies, 0 of them errors"], printed
        benchmark = ["redis-benchmark", "-p", through, "-q", "-t", "get", "-n", "20000", "-P", "16", "-c", "50"]
        assert "per second" in " ".join(await said(*benchmark))
    return "100,000 commands of one client, 20,000 of fifty"


async def secured_redis(bin_dir):
    tls = Tls(bin_dir)
    trusting = ["--tls", "--cacert", tls.file("ca.pem"), "--sni", "localhost"]
    async with redis() as port, proxy(bin_dir, port, "--tls-in", *tls.identity("server")) as (_, through):
        assert await said("redis-cli", "-h", "localhost", "-p", through, *trusting, "ping") == ["PONG"]
    async with redis(tls=tls) as port:
        async with proxy(bin_dir, port, "--tls-out", "--ca", tls.file("ca.pem")) as (_, through):
            assert await said("redis-cli", "-p", through, "ping") == ["PONG"]
        wrong = ["--tls-out", "--ca", tls.file("ca.pem"), "--server-name", "elsewhere.test"]
        async with proxy(bin_dir, port, *wrong) as (program, through):
            await said("redis-cli", "-p", through, "ping", expected=1)
            await program.error_with("not valid for name")
    return "TLS added, taken away, and refused"


async def terminated(bin_dir):
    tls = Tls(bin_dir)
    into = tls.file("proxied-bulk")
    async with nginx(tls) as ports, proxy(bin_dir, ports["plain"], "--tls-in", *tls.identity("server")) as (_, port):
        url = f"https://localhost:{port}/bulk"
        assert await said(*CURL, "--cacert", tls.file("ca.pem"), "--output", into, url) == []
    with open(into, "rb") as file:
        data = file.read()
    assert digest(data) == digest(bulk(BODY)), f"{len(data)} of {BODY} bytes came, or changed"
    return f"{BODY:,} bytes, sha256 {hashlib.sha256(data).hexdigest()[:16]}…"


async def who(port, *options):
    """Whom nginx was told of, and the port of the client that asked."""
    ask = [*CURL, *options, "--write-out", " %{local_port}\n", f"http://127.0.0.1:{port}/who"]
    (line,) = await said(*ask)
    address, source, destination, own = line.split()
    assert address == "127.0.0.1", line
    return int(source), int(destination), int(own)


def announced(version):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        async with nginx(tls) as ports:
            async with proxy(bin_dir, ports["announced"], "--proxy-out", version) as (_, port):
                source, destination, own = await who(port)
        assert (source, destination) == (own, port), (source, own, destination, port)
        return f"nginx was told of port {source}, and it was"

    return run


def passed_on(version):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        async with nginx(tls) as ports:
            options = ["--proxy-in", "--proxy-out", version]
            async with proxy(bin_dir, ports["announced"], *options, listen=ports["to"]) as (program, port):
                source, destination, own = await who(port, "--haproxy-protocol")
                assert (source, destination) == (own, port), (source, own, destination, port)
                source, destination, own = await who(ports["announcing"])
                assert (source, destination) == (own, ports["announcing"]), (source, own, destination)
                # Without a header, nobody is let in.
                async with Program(*CURL, f"http://127.0.0.1:{port}/who") as curl:
                    assert (await curl.ended())[1] != 0
                await program.error_with("without a PROXY header")
        return "curl's header and nginx's reached nginx"

    return run


async def ends(bin_dir):
    """Each direction by itself, and a reader that is slower than its writer."""
    accepted = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *pair: accepted.set_result(pair), "127.0.0.1", 0)
    data = bulk(BODY)
    try:
        async with proxy(bin_dir, server.sockets[0].getsockname()[1]) as (program, port):
            reader, writer = await within(asyncio.open_connection("127.0.0.1", port), "a connection")
            far_reader, far_writer = await within(accepted, "a connection by the proxy")

            async def send():
                for _ in range(8):
                    writer.write(data)
                    await writer.drain()
                writer.write_eof()

            sending = asyncio.ensure_future(send())
            received = 0
            while piece := await within(far_reader.read(4096), "a piece"):
                received += len(piece)
            await sending
            assert received == 8 * BODY, received
            far_writer.write(data)
            far_writer.write_eof()
            assert digest(await within(reader.read(), "the answer")) == digest(data)
            status = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
            peak = int(status.split("VmHWM:")[1].split()[0])
            assert peak < MOST_MEMORY, f"{peak} kB"
            writer.close()
            far_writer.close()
            program.process.send_signal(signal.SIGINT)
            assert await program.rest() == ["Stop serving", "0 connections were cut short"]
    finally:
        server.close()
    return f"{received:,} bytes there, {BODY:,} back, at most {peak:,} kB of memory"


CHECKS = [
    ("proxy: redis-cli and redis-benchmark", plain_redis),
    ("proxy: redis-cli, with TLS on either side", secured_redis),
    ("proxy: curl, TLS taken away: 10 MiB", terminated),
    *[(f"proxy: PROXY {version} to nginx", announced(version)) for version in ["v1", "v2"]],
    *[(f"proxy: PROXY v1 of curl and nginx, as {version}", passed_on(version)) for version in ["v1", "v2"]],
    ("proxy: half-closes and a slow reader of Python's", ends),
]
