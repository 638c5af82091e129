"""The http-headers example over TLS and nginx, with Python's own HTTP client as the witness."""

import asyncio
import contextlib
import http.client
import os
import shutil
import socket

from certificates import Tls, folder
from processes import LIMIT, Program, within

# By the certificate that is shown there. Debian has nginx where only an administrator looks for programs.
IDENTITIES = ["server", "elsewhere", "expired", "stranger"]
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
TRIES = 5  # Somebody else may take a port that was free.

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    root {folder}/pages;
    {servers}
}}
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
    }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.asynccontextmanager
async def nginx(tls):
    """An nginx without privileges, and its port by the identity that is shown there."""
    assert NGINX, "nginx is not there"
    pages = folder(tls.bin_dir) / "pages"
    pages.mkdir(exist_ok=True)
    (pages / "page.txt").write_text("a page\n")
    for _ in range(TRIES):
        ports = {name: free_port() for name in IDENTITIES}
        servers = ""
        for name, port in ports.items():
            certificate, key = tls.identity(name)
            servers += SERVER.format(port=port, certificate=certificate, key=key)
        configuration = tls.file("nginx.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(folder=tls.folder, servers=servers))
        async with Program(NGINX, "-e", "stderr", "-p", tls.folder, "-c", configuration) as server:
            if await answers(server, ports.values()):
                yield ports
                return
    raise AssertionError(f"nginx did not start: {server.errors}")


async def answers(server, ports):
    """Whether it does, on each of them, before it ends."""
    for _ in range(LIMIT * 20):
        if server.process.returncode is not None:
            return False
        try:
            for port in ports:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.transport.abort()
            return True
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)  # It does not say when it is ready.
    return False


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
