"""`openssl s_client` against our server and `openssl s_server` for our client."""

import re

from certificates import VERSIONS, Tls
from peer import listening
from processes import Program

BULK_LINES = 100_000  # What `bulk` brings.
KEY_UPDATE = "TLS 1.3, Handshake [length 0005], KeyUpdate"


def flag(version):
    return "-tls" + version.replace(".", "_")


def s_client(tls, host, port, *words, authority="ca.pem"):
    """With `-brief`, standard output is what came, and letters are still commands."""
    verified = ["-verify_return_error", "-CAfile", tls.file(authority), "-verify_hostname", "localhost"]
    to = ["-connect", f"{host}:{port}", "-servername", "localhost", flag(tls.version)]
    return Program("openssl", "s_client", *to, *verified, *words)


def s_server(tls, *words, identity="server"):
    certificate, key = tls.identity(identity)
    shown = ["-cert", certificate, "-key", key]
    return Program("openssl", "s_server", "-accept", "127.0.0.1:0", flag(tls.version), *shown, *words)


async def accepting(server):
    """Where it listens, which it says itself."""
    line = await server.line_with("ACCEPT ")
    found = re.fullmatch(r"ACCEPT (127\.0\.0\.1:\d+)", line)
    assert found, line
    return found[1]


def our_client(bin_dir, tls, address, *words):
    return Program(bin_dir / "interop_peer", "connect", address, "lines", *tls.of_our_client(), *words)


def lines_to_our_server(version, first):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with listening(bin_dir, "lines", *tls.of_our_server()) as (peer, host, port):
            async with s_client(tls, host, port, "-brief") as client:
                for line in ["hello", "and again"]:
                    await client.tell(line)
                    assert await client.line() == line
                await client.error_with("Verification: OK")
                if first == "we":
                    await client.tell("close")
                    # A cut would be an error of OpenSSL 3.
                    assert await client.rest() == []
                    assert not any("error" in line for line in client.errors), client.errors
                else:
                    await client.tell("Q")
                    await client.rest()
            await peer.word("tls")
            assert await peer.rest() == ["closing 3" if first == "we" else "ended 2"]
        return "lines there and back, verified, and a clean end"

    return run


def lines_from_s_server(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with s_server(tls) as server:
            async with our_client(bin_dir, tls, await accepting(server)) as peer:
                await peer.word("tls")
                for line in ["hello", "and again"]:
                    await server.tell(line)
                    await server.line_with(line)
                await server.tell("close")
                assert await peer.rest() == ["closing 3"]
                assert await server.line() == "DONE"  # Without close_notify it says ERROR.
        return "lines there and back, verified, and a clean end"

    return run


def lines_to_s_server(version):
    """It reverses what it gets, and ends well when it is told, which it does in no other way."""

    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with s_server(tls, "-rev") as server:
            words = ["connect", await accepting(server), "say", *tls.of_our_client()]
            async with Program(bin_dir / "interop_peer", *words) as peer:
                await peer.word("tls")
                for line in ["hello", "and again"]:
                    await peer.tell(line)
                    assert await peer.line() == f"got {line[::-1]}"
                await peer.tell("CLOSE")
                assert await peer.rest() == ["ended"]
        return "lines there and back, verified, and a clean end"

    return run


def cut_by_s_server(version):
    """`Q` closes its socket, and says nothing."""

    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with s_server(tls) as server:
            async with our_client(bin_dir, tls, await accepting(server)) as peer:
                await peer.word("tls")
                await server.tell("hello")
                await server.line_with("hello")
                await server.tell("Q")
                (said,) = await peer.rest()
                assert said.startswith("UnexpectedEof 1 ") and "close_notify" in said, said
        return said

    return run


def resumed_by_s_client(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        session = tls.file(f"session-{version}")
        async with listening(bin_dir, "lines", "--times", "2", *tls.of_our_server()) as (peer, host, port):
            for kept, word in [("-sess_out", "New,"), ("-sess_in", "Reused,")]:
                async with s_client(tls, host, port, kept, session) as client:
                    await client.line_with(word)
                    await client.tell("hello")
                    await client.line_with("hello")  # With it came the ticket.
                    await client.tell("Q")
                    await client.rest()
                await peer.word("tls")
                assert await peer.line() == "ended 1"
            await peer.rest()
        return "New, then Reused"

    return run


def resumed_by_us(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with s_server(tls) as server:
            async with our_client(bin_dir, tls, await accepting(server), "--times", "2") as peer:
                reused = []
                for last in [False, True]:
                    await peer.word("tls")
                    await server.tell("hello")
                    seen = []
                    while "hello" not in seen:
                        seen.append(await server.line())
                    reused.append("Reused session-id" in seen)
                    await server.tell("close")
                    assert await peer.line() == "closing 2"
                await peer.rest()
            assert reused == [False, True], reused
        return "a new session, then the same one"

    return run


def refused_by_s_client(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with listening(bin_dir, "lines", *tls.of_our_server()) as (peer, host, port):
            async with s_client(tls, host, port, "-brief", authority="other-ca.pem") as client:
                assert await client.rest(expected=1) == []
                assert any("certificate verify failed" in line for line in client.errors), client.errors
            count, *told = await peer.word("failed")
            assert count == "1" and "UnknownCA" in " ".join(told), told
            async with s_client(tls, host, port, "-brief") as client:
                await client.tell("Q")
                await client.rest()
            await peer.word("tls")
            assert await peer.rest() == ["ended 0"]
        return f"{' '.join(told)}; the next one was served"

    return run


def refused_by_us(version):
    async def run(bin_dir):
        tls = Tls(bin_dir, version)
        async with s_server(tls, identity="stranger") as server:
            async with our_client(bin_dir, tls, await accepting(server)) as peer:
                assert await peer.rest(expected=1) == []
                (said,) = peer.errors
            assert "the certificate of localhost is not to be trusted: no authority" in said, said
            await server.error_with("alert unknown ca")
        return said

    return run


async def new_keys_by_s_client(bin_dir):
    """Between two lines, and with much under way."""
    tls = Tls(bin_dir, "1.3")
    async with listening(bin_dir, "lines", *tls.of_our_server()) as (peer, host, port):
        async with s_client(tls, host, port, "-brief") as client:
            await client.tell("hello")
            assert await client.line() == "hello"
            await client.tell("K")
            await client.error_with("KEYUPDATE")
            client.errors.clear()
            await client.tell("bulk")
            assert await client.line() == f"{0:063}"
            await client.tell("K")
            for line in range(1, BULK_LINES):
                assert await client.line() == f"{line:063}"
            await client.error_with("KEYUPDATE")
            await client.tell("and again")
            assert await client.line() == "and again"
            await client.tell("Q")
            await client.rest()
        await peer.word("tls")
        assert await peer.rest() == ["ended 3"]
    return f"twice, and {BULK_LINES:,} lines came as they were sent"


async def new_keys_by_s_server(bin_dir):
    """With `-msg` it shows that ours are new, too."""
    tls = Tls(bin_dir, "1.3")
    async with s_server(tls, "-msg") as server:
        async with our_client(bin_dir, tls, await accepting(server)) as peer:
            await peer.word("tls")
            for number in range(3):
                await server.tell("K")
                await server.line_with(f">>> {KEY_UPDATE}")
                await server.tell(f"line {number}")
                await server.line_with(f"<<< {KEY_UPDATE}")  # Ours goes with what we send next.
                await server.line_with(f"line {number}")
            await server.tell("close")
            assert await peer.rest() == ["closing 4"]
    return "3 times, each way"


CHECKS = [
    check
    for version in VERSIONS
    for check in [
        (f"openssl s_client, TLS {version}: lines, and it closes", lines_to_our_server(version, "it")),
        (f"openssl s_client, TLS {version}: lines, and we close", lines_to_our_server(version, "we")),
        (f"openssl s_server, TLS {version}: lines, and it closes", lines_to_s_server(version)),
        (f"openssl s_server, TLS {version}: lines, and we close", lines_from_s_server(version)),
        (f"openssl s_server, TLS {version}: a line, and it cuts", cut_by_s_server(version)),
        (f"openssl s_client, TLS {version}: resumption", resumed_by_s_client(version)),
        (f"openssl s_server, TLS {version}: resumption", resumed_by_us(version)),
        (f"openssl s_client, TLS {version}: another authority", refused_by_s_client(version)),
        (f"openssl s_server, TLS {version}: another authority", refused_by_us(version)),
    ]
] + [
    ("openssl s_client, TLS 1.3: new keys in mid-transfer", new_keys_by_s_client),
    ("openssl s_server, TLS 1.3: new keys in mid-transfer", new_keys_by_s_server),
]
