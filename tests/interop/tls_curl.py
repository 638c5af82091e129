"""curl against a small HTTP responder on our server."""

import hashlib

from certificates import VERSIONS, Tls
from endings import bulk, digest
from peer import listening
from processes import Program

BODY = 10 * 1024 * 1024

CURL = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]


async def fetched(tls, url, *words):
    """The SHA-256 of what curl brings."""
    into = tls.file("fetched")
    async with Program(*CURL, "--http1.1", "--cacert", tls.file("ca.pem"), "--output", into, *words, url) as curl:
        assert await curl.rest() == []
    with open(into, "rb") as file:
        data = file.read()
    assert len(data) == BODY and digest(data) == digest(bulk(BODY)), f"{len(data)} of {BODY} bytes came, or changed"
    return hashlib.sha256(data).hexdigest()[:16]


def over_tcp(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version, alpn=["http/1.1"])
        async with listening(bin_dir, "http", *tls.of_our_server()) as (peer, _, port):
            only = ["--tlsv" + version, "--tls-max", version, "--resolve", f"localhost:{port}:127.0.0.1"]
            found = await fetched(tls, f"https://localhost:{port}/bulk?a=b", *only)
            assert await peer.rest() == ["served GET /bulk?a=b HTTP/1.1"]
        return f"{BODY:,} bytes, sha256 {found}…"

    return run


async def over_unix(bin_dir):
    tls = Tls(bin_dir, alpn=["http/1.1"])
    path = tls.file("http.sock")
    async with Program(bin_dir / "interop_peer", "listen", "http", "--unix", path, *tls.of_our_server()) as peer:
        assert await peer.word("listening") == [path]
        found = await fetched(tls, "https://localhost/bulk", "--unix-socket", path)
        assert await peer.rest() == ["served GET /bulk HTTP/1.1"]
    return f"{BODY:,} bytes, sha256 {found}…"


async def plain(bin_dir):
    tls = Tls(bin_dir)
    async with listening(bin_dir, "http", *tls.of_our_server()) as (peer, _, port):
        async with Program(*CURL, f"http://127.0.0.1:{port}/") as curl:
            lines, code = await curl.ended()
            assert code != 0 and not lines, lines
        count, *told = await peer.word("failed")
        assert count == "1" and "TLS handshake failed" in " ".join(told), told
        await fetched(tls, f"https://127.0.0.1:{port}/")
        assert await peer.rest() == ["served GET / HTTP/1.1"]
    return f"{' '.join(told)}; the next one was served"


CHECKS = [
    *[(f"curl, TLS {version}: 10 MiB", over_tcp(version)) for version in VERSIONS],
    ("curl, TLS over a Unix socket: 10 MiB", over_unix),
    ("curl in plain to the TLS port", plain),
]
