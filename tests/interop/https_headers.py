"""The http-headers example over TLS and nginx, with Python's own HTTP client as the witness."""

import asyncio
import contextlib
import http.client

from certificates import Tls, folder
from nginx import running
from processes import Program, within

IDENTITIES = ["server", "elsewhere", "expired", "stranger"]

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
    }}
"""


def nginx(tls):
    """Its ports by the certificate that is shown there."""
    pages = folder(tls.bin_dir) / "pages"
    pages.mkdir(exist_ok=True)
    (pages / "page.txt").write_text("a page\n")

    def configured(ports):
        servers = ""
        for name, port in ports.items():
            certificate, key = tls.identity(name)
            servers += SERVER.format(port=port, certificate=certificate, key=key)
        return {"servers": servers}

    return running(tls, "pages", IDENTITIES, configured, asked=IDENTITIES)


def witness(tls, port, path):
    context = tls.client_context()
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
    with contextlib.closing(connection):
        connection.request("HEAD", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        headers = [f"{name}: {value}" for name, value in answer.getheaders()]
        return [f"HTTP/1.1 {answer.status} {answer.reason}", *headers]


def without_date(lines):
    return [line for line in lines if "Date: " not in line]


def headers_of(path, status):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        async with nginx(tls) as ports:
            port = ports["server"]
            expected = await within(asyncio.to_thread(witness, tls, port, path), "the answer")
            assert expected[0].startswith(f"HTTP/1.1 {status} "), expected
            words = ["--ca", tls.file("ca.pem"), f"https://localhost:{port}{path}"]
            async with Program(bin_dir / "http-headers", *words) as program:
                printed = await program.rest()
        expected = [f"HTTP header> {line}" for line in expected]
        assert without_date(printed) == without_date(expected), (printed, expected)
        assert len(printed) == len(expected), (printed, expected)
        return f"{len(printed)} lines, the same that http.client sees"

    return run


def refused(identity, reason):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        async with nginx(tls) as ports:
            words = ["--ca", tls.file("ca.pem"), f"https://localhost:{ports[identity]}/"]
            async with Program(bin_dir / "http-headers", *words) as program:
                assert await program.rest(expected=1) == []
                (said,) = program.errors
        assert reason in said, said
        return said

    return run


CHECKS = [
    ("http-headers over TLS, nginx: a page", headers_of("/page.txt", 200)),
    ("http-headers over TLS, nginx: what is not there", headers_of("/no/such/page", 404)),
    ("http-headers over TLS, nginx: of another name", refused("elsewhere", "elsewhere.test")),
    ("http-headers over TLS, nginx: expired", refused("expired", "expired")),
    ("http-headers over TLS, nginx: of an unknown authority", refused("stranger", "UnknownIssuer")),
]
