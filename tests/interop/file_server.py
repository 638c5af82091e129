"""The file server against curl, Python's own HTTP client and wrk: TCP, Unix sockets and TLS, every byte compared."""

import asyncio
import contextlib
import http.client
import pathlib
import re
import signal
import socket
import tempfile

from certificates import Tls
from endings import bulk, digest
from processes import Program, within

CURL = ["curl", "--silent", "--show-error", "--noproxy", "*", "--http1.1", "--max-time", "60"]
BULK = 10 * 1024 * 1024
SECRET = "nobody is to see this"
CLIENTS = 32
# What the server says of a client that did not wait for its answer, or for the rest of it.
LEFT = re.compile(
    r"highwater: the (handler of \S+ failed|connection of \S+ was closed with \d+ bytes unsent): "
    r"(Broken pipe|Connection reset by peer) \(os error \d+\)"
)
OUTSIDE = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/folder/../../secret.txt",
    "/folder/..%5c..%5csecret.txt",
    "//secret.txt",
    "/link.txt",
    "/up/secret.txt",
    "/a.txt%00.html",
]


class Site:
    """A folder to serve, with what must not be served beside it."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.root = self.place / "root"
        (self.root / "folder").mkdir(parents=True)
        (self.place / "secret.txt").write_text(SECRET)
        (self.root / "link.txt").symlink_to(self.place / "secret.txt")
        (self.root / "up").symlink_to("..")
        self.files = {"a.txt": b"0123456789", "empty.bin": b"", "folder/index.html": b"<p>index", "bulk.bin": bulk(BULK)}
        for name, content in self.files.items():
            (self.root / name).write_bytes(content)

    def file(self, name):
        return str(self.place / name)


@contextlib.asynccontextmanager
async def serving(bin_dir, transport):
    """A site, the server of it, the words by which curl finds it, and the port, if it has one."""
    with tempfile.TemporaryDirectory(prefix="highwater-site-") as place:
        site, tls = Site(place), Tls(bin_dir)
        secured = "TLS" in transport
        words = ["--tls-cert", tls.file("server.pem"), "--tls-key", tls.file("server.key")] if secured else []
        words += ["--unix", site.file("http.sock")] if "Unix" in transport else ["--port", "0"]
        async with Program(bin_dir / "file-server", *words, site.root) as server:
            where = (await server.line()).removeprefix("Serving on ")
            port = None if "Unix" in transport else int(where.rsplit(":", 1)[1])
            host = f"localhost:{port or (443 if secured else 80)}"
            curl = ["--unix-socket", where] if port is None else ["--resolve", f"{host}:127.0.0.1"]
            curl += ["--cacert", tls.file("ca.pem")] if secured else []
            base = f"{'https' if secured else 'http'}://{host}"
            yield site, server, (base, curl), port
            if server.process.returncode is None:
                server.process.send_signal(signal.SIGINT)
                await server.rest()


async def curl(at, path, *words, expected=0):
    base, to = at
    urls = [base + one for one in ([path] if isinstance(path, str) else path)]
    async with Program(*CURL, *to, *words, *urls) as program:
        return await program.rest(expected)


async def fetched(site, at, path, *words):
    into = site.file("fetched")
    pathlib.Path(into).unlink(missing_ok=True)
    (status,) = await curl(at, path, "--output", into, "--write-out", "%{http_code}\n", *words)
    return int(status), pathlib.Path(into).read_bytes()


def by_curl(transport):
    async def run(bin_dir):
        async with serving(bin_dir, transport) as (site, _, at, _):
            for name, content in site.files.items():
                # curl makes no file of nothing.
                if content:
                    status, found = await fetched(site, at, "/" + name)
                    assert (status, digest(found)) == (200, digest(content)), name
                head = await curl(at, "/" + name, "--head")
                assert f"Content-Length: {len(content)}" in [line.strip() for line in head], (name, head)
            status, found = await fetched(site, at, "/folder", "--location")
            assert (status, found) == (200, site.files["folder/index.html"])
            assert (await fetched(site, at, "/nothing"))[0] == 404
            assert (await fetched(site, at, "/a.txt", "--data", "a=b"))[0] == 405

            content = site.files["bulk.bin"]
            for text, first, end in [("0-0", 0, 1), ("1-65536", 1, 65537), (f"{BULK - 1}-", -1, None), ("-70001", -70001, None)]:
                status, found = await fetched(site, at, "/bulk.bin", "--range", text)
                assert (status, digest(found)) == (206, digest(content[first:end])), text

            # A download that was cut goes on where it was.
            half = pathlib.Path(site.file("half"))
            half.write_bytes(content[: BULK // 3])
            told = await curl(at, "/bulk.bin", "-C", "-", "--output", half, "--write-out", "%{http_code} %{size_download}\n")
            assert told == [f"206 {BULK - BULK // 3}"], told
            assert digest(half.read_bytes()) == digest(content)

            # The second and the third request go over the first one's connection.
            told = await curl(at, ["/a.txt"] * 3, *["--output", "/dev/null"] * 3, "--write-out", "%{http_code} %{num_connects}\n")
            assert told == ["200 1", "200 0", "200 0"], told
        return f"{len(site.files)} files, ranges, a resumed {BULK:,} bytes, sha256 {digest(content)[:16]}…"

    return run


async def outside(bin_dir):
    async with serving(bin_dir, "TCP") as (site, _, at, _):
        seen = set()
        for path in OUTSIDE:
            status, found = await fetched(site, at, path, "--path-as-is")
            assert status in (400, 404) and SECRET.encode() not in found, (path, status, found)
            seen.add(status)
    return f"{len(OUTSIDE)} ways out, all refused with {sorted(seen)}"


class Kept:
    """The reading end of a socket that `HTTPResponse` neither reads ahead of nor closes."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")

    def makefile(self, *_):
        return self

    def close(self):
        pass

    def __getattr__(self, name):
        return getattr(self.file, name)


def pipelined_requests(site, port):
    names = [name for name in site.files if name != "folder/index.html"] * 20
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        requests = "".join(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n" for name in names)
        connection.sendall(requests.encode())
        reader = Kept(connection)
        for name in names:
            answer = http.client.HTTPResponse(reader)
            answer.begin()
            found = answer.read()
            assert answer.status == 200 and digest(found) == digest(site.files[name]), name
    return len(names)


async def pipelined(bin_dir):
    async with serving(bin_dir, "TCP") as (site, _, _, port):
        count = await within(asyncio.to_thread(pipelined_requests, site, port), "the answers")
    return f"{count} requests at once, their answers in order"


async def stopped(bin_dir):
    """Ctrl-C while curl takes its time."""
    async with serving(bin_dir, "TCP") as (site, server, at, port):
        base, to = at
        into = site.file("slow")
        words = ["--limit-rate", "8M", "--output", into, "--write-out", "%{http_code}\n"]
        async with Program(*CURL, *to, *words, base + "/bulk.bin") as slow:
            while not pathlib.Path(into).exists():
                assert slow.process.returncode is None
                await asyncio.sleep(0.01)  # It does not say when it has begun.
            server.process.send_signal(signal.SIGINT)
            assert await server.line() == "Stop serving"
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                raise AssertionError("somebody still listens")
            assert await slow.rest() == ["200"]
        assert digest(pathlib.Path(into).read_bytes()) == digest(site.files["bulk.bin"])
        assert await server.rest() == []
        return f"{BULK:,} bytes arrived after it, and then the server ended well"


async def load(bin_dir):
    async with serving(bin_dir, "TCP") as (_, server, _, port):
        async with Program("wrk", "-t2", f"-c{CLIENTS}", "-d3s", f"http://127.0.0.1:{port}/a.txt") as wrk:
            lines = await wrk.rest()
        assert not any("Socket errors" in line or "Non-2xx" in line for line in lines), lines
        (count,) = [int(found[1]) for line in lines if (found := re.match(r"\s*(\d+) requests in ", line))]
        # When its time is over wrk leaves each connection, whether an answer is on its way or not.
        server.process.send_signal(signal.SIGINT)
        assert await server.rest() == ["Stop serving"]
        wrong = [line for line in server.errors if not LEFT.fullmatch(line)]
        assert count > 0 and not wrong and len(server.errors) <= CLIENTS, server.errors
    return f"{count:,} requests in 3 s, each answered with 200"


CHECKS = [
    *[(f"file-server, curl, {name}", by_curl(name)) for name in ["TCP", "Unix", "TLS", "TLS over Unix"]],
    ("file-server, curl: paths out of the root", outside),
    ("file-server, http.client: pipelined", pipelined),
    ("file-server, curl: Ctrl-C in a download", stopped),
    ("file-server, wrk", load),
]
