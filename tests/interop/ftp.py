"""The FTP example against pyftpdlib: listings, files, the rest of files; in plain and inside TLS; and bad servers."""

import contextlib
import pathlib
import random
import tempfile

from bad_server import saying
from certificates import Tls
from packaged import pyftpdlib
from processes import Program

LARGE = 5 * 1024 * 1024
SIZES = [0, 1, 65536, LARGE]
OFFSETS = [1, 65535, 65536, 1_000_003, LARGE - 1]


def content(size):
    return random.Random(size).randbytes(size)


@contextlib.asynccontextmanager
async def server(bin_dir, *options, identity=None):
    """A client for pyftpdlib, its folder, a folder of our own, and pyftpdlib."""
    tls = Tls(bin_dir)
    with tempfile.TemporaryDirectory(prefix="highwater-ftp-") as base:
        there, here = pathlib.Path(base, "there"), pathlib.Path(base, "here")
        there.mkdir()
        here.mkdir()
        (here / "password").write_text("secret\n")
        words = ["--user", "anna", "--password-file", here / "password", "--timeout", "20"]
        if identity:
            certificate, key = tls.identity(identity)
            options = [*options, "--cert", certificate, "--key", key]
            words += ["--tls", "--ca", tls.file("ca.pem")]
        script = pathlib.Path(__file__).with_name("ftp_server.py")
        async with pyftpdlib(script, there, *options) as program:
            (port,) = await program.word("listening")

            async def ftp(*action, expected=0):
                async with Program(bin_dir / "ftp", *words, f"127.0.0.1:{port}", *action) as client:
                    lines = await client.rest(expected)
                    assert bool(client.errors) == (expected != 0), client.errors
                    return lines or client.errors

            yield ftp, there, here, program


def both_ways(*options, identity=None):
    async def run(bin_dir):
        async with server(bin_dir, *options, identity=identity) as (ftp, there, here, _):
            for size in SIZES:
                (there / "a file").write_bytes(content(size))
                assert await ftp("get", "a file", here / "got") == [f"Got a file: {size} bytes from 0 on"]
                assert (here / "got").read_bytes() == content(size), size
                assert await ftp("put", here / "got", "put") == [f"Put put: {size} bytes from 0 on"]
                assert (there / "put").read_bytes() == content(size), size
        return f"{len(SIZES)} files of up to {LARGE:,} bytes, there and back"

    return run


def the_rest(identity=None):
    async def run(bin_dir):
        async with server(bin_dir, identity=identity) as (ftp, there, here, _):
            whole = content(LARGE)
            for offset in OFFSETS:
                rest = f"{LARGE - offset} bytes from {offset} on"
                (there / "file").write_bytes(whole)
                (here / "file").write_bytes(whole[:offset])
                assert await ftp("get", "file", here / "file", "--resume") == [f"Got file: {rest}"]
                assert (here / "file").read_bytes() == whole, offset
                (there / "file").write_bytes(whole[:offset])
                assert await ftp("put", here / "file", "--resume") == [f"Put file: {rest}"]
                assert (there / "file").read_bytes() == whole, offset
            assert await ftp("put", here / "file", "--resume") == [f"file is whole: {LARGE} bytes"]
            assert "whole" in (await ftp("get", "file", here / "file", "--resume"))[0]
            (there / "file").write_bytes(whole[:-2])
            (said,) = await ftp("get", "file", here / "file", "--resume", expected=1)
            assert "2 bytes more than file on the server" in said, said
            assert (here / "file").read_bytes() == whole, "what is here was changed"
        return f"from {len(OFFSETS)} offsets, both ways"

    return run


def listings(identity=None):
    async def run(bin_dir):
        async with server(bin_dir, identity=identity) as (ftp, there, _, _):
            assert await ftp("ls") == []
            names = {f"file {number}": number for number in range(200)}
            for name, size in names.items():
                (there / name).write_bytes(bytes(size))
            (there / "folder").mkdir()
            listed = {line.split(None, 4)[4]: line.split(None, 4)[:2] for line in await ftp("ls") if "folder" not in line}
            assert listed == {name: ["file", str(size)] for name, size in names.items()}, listed
            assert sorted(await ftp("ls", "--names")) == sorted([*names, "folder"])
            assert await ftp("ls", "folder") == []
            (said,) = await ftp("ls", "nowhere", expected=1)
        return f"201 entries; {said}"

    return run


async def resumed(bin_dir):
    """Some servers take no data connection whose session is not that of the control connection."""
    async with server(bin_dir, identity="server") as (ftp, there, here, program):
        (there / "file").write_bytes(content(65536))
        for action in ["ls"], ["get", "file", here / "file"], ["put", here / "file"]:
            await ftp(*action)
            assert await program.line() == "data resumed", action
    return "3 of 3 data connections"


async def refusals(bin_dir):
    async with server(bin_dir) as (ftp, there, here, _):
        (missing,) = await ftp("get", "missing", here / "missing", expected=1)
        assert missing == "ftp: cannot get missing: 550 No such file or directory.", missing
        assert not (here / "missing").exists()
        (injected,) = [line for line in await ftp("get", "a\r\nDELE b", expected=2) if "control character" in line]
        (here / "password").write_text("guessed\n")
        (stranger,) = await ftp("ls", expected=1)
        assert stranger.startswith("ftp: the server does not let anna in: 530"), stranger
    return "; ".join([missing, stranger])


def certificate_refused(identity, reason):
    async def run(bin_dir):
        async with server(bin_dir, identity=identity) as (ftp, _, _, _):
            (said,) = await ftp("ls", expected=1)
            assert reason in said, said
        return said

    return run


async def no_tls(bin_dir):
    ca = Tls(bin_dir).file("ca.pem")
    async with server(bin_dir) as (ftp, _, _, _):
        (said,) = await ftp("--tls", "--ca", ca, "ls", expected=1)
        assert said.startswith("ftp: the server starts no TLS: 5"), said
    return said


def bad_server(says, reason):
    """A server that says this to whoever comes, and then waits."""

    async def run(bin_dir):
        async with saying(says) as port:
            async with Program(bin_dir / "ftp", "--timeout", "2", f"127.0.0.1:{port}", "ls") as client:
                assert await client.rest(expected=1) == []
                (said,) = client.errors
        assert reason in said, said
        return said

    return run


LOGGED_IN = b"220 a\r\n230 b\r\n200 c\r\n211 d\r\n"

CHECKS = [
    ("ftp, pyftpdlib: files", both_ways()),
    ("ftp, pyftpdlib: files over PASV, with the address of another", both_ways("--classic")),
    ("ftp, pyftpdlib: files inside TLS", both_ways(identity="server")),
    ("ftp, pyftpdlib: sessions that are resumed", resumed),
    ("ftp, pyftpdlib: the rest of files", the_rest()),
    ("ftp, pyftpdlib: the rest of files inside TLS", the_rest(identity="server")),
    ("ftp, pyftpdlib: listings", listings()),
    ("ftp, pyftpdlib: listings inside TLS", listings(identity="server")),
    ("ftp, pyftpdlib: what is refused", refusals),
    ("ftp, pyftpdlib: no TLS", no_tls),
    ("ftp, pyftpdlib: of another name", certificate_refused("elsewhere", "elsewhere.test")),
    ("ftp, pyftpdlib: expired", certificate_refused("expired", "expired")),
    ("ftp, pyftpdlib: of an unknown authority", certificate_refused("stranger", "UnknownIssuer")),
    ("ftp, a server of garbage", bad_server(b"\x00\xff\x1b[2J\r\n" * 100, "which is no reply")),
    ("ftp, a server with too long a line", bad_server(b"220 " + b"x" * 100_000, "too long")),
    ("ftp, a server without end", bad_server(b"220-x\r\n" * 10_000, "too long")),
    ("ftp, a server that is silent", bad_server(b"", "the server does not reply: no byte arrived for 2s")),
    ("ftp, a port that is none", bad_server(LOGGED_IN + b"229 (|||0|)\r\n", "no port is in 229 (|||0|)")),
    ("ftp, an address that is none", bad_server(LOGGED_IN + b"500 e\r\n227 x\r\n", "no port is in 227 x")),
]
