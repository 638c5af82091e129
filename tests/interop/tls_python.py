"""Python's asyncio with TLS on either end: what is said in plain, and what TLS adds to it."""

import asyncio
import functools
import ssl

import endings
import messages
from certificates import VERSIONS, Tls
from endings import SENT, abort
from peer import listening, on_both_sides
from processes import Program, within

ALPN = ["imap", "smtp"]


def over(version, **more):
    return functools.partial(Tls, version=version, **more)


async def said(peer):
    """What our peer has seen of TLS: version, protocol, name, certificate."""
    return await peer.word("tls")


async def lines_and_our_end(peer, reader, writer):
    """Both ends of the connection end well, and ours is first."""
    await said(peer)
    writer.write(b"hello\nclose\n")
    assert await reader.readline() == b"hello\n"
    assert await reader.read() == b"", "bytes follow the last line"
    writer.close()
    await within(writer.wait_closed(), "the end of the TLS connection")
    assert await peer.rest() == ["closing 2"]
    return "no error on either end"


async def lines_and_pythons_end(peer, reader, writer):
    """Both ends of the connection end well, and Python's is first."""
    await said(peer)
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    await within(writer.wait_closed(), "the end of the TLS connection")
    assert await peer.rest() == ["ended 1"]
    return "no error on either end"


async def python_cuts(peer, reader, writer):
    """Without close_notify, the end is an error behind all that came before."""
    await abort(reader, writer)
    assert await peer.rest() == [f"UnexpectedEof {SENT}"]
    return f"UnexpectedEof, with {SENT:,} bytes kept"


def agreed_upon(version):
    """Certificates of both, ALPN, and the name, as each end has seen them."""

    async def with_us_as_server(bin_dir):
        tls = Tls(bin_dir, version, alpn=ALPN, client="client")
        async with listening(bin_dir, "lines", *tls.of_our_server()) as (peer, host, port):
            context = tls.client_context()
            context.set_alpn_protocols(["pop3", "smtp"])
            connecting = asyncio.open_connection(host, port, ssl=context, server_hostname="localhost")
            reader, writer = await within(connecting, f"a connection to {peer}")
            expected = [f"TLSv{version.replace('.', '_')}", "smtp", "localhost", tls.der("client")]
            assert await said(peer) == expected
            session = writer.get_extra_info("ssl_object")
            assert session.selected_alpn_protocol() == "smtp"
            assert session.getpeercert(True).hex() == tls.der("server")
            writer.close()
            await within(writer.wait_closed(), "the end of the TLS connection")
            assert await peer.rest() == ["ended 0"]
        return "the client's certificate, `localhost` and `smtp` seen by us"

    async def with_python_as_server(bin_dir):
        tls = Tls(bin_dir, version, alpn=ALPN, client="client")
        names = []
        context = tls.server_context()
        context.set_alpn_protocols(["pop3", "smtp"])
        context.sni_callback = lambda _session, name, _context: names.append(name)
        accepted = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda *pair: accepted.set_result(pair), "127.0.0.1", 0, ssl=context)
        async with server:
            host, port = server.sockets[0].getsockname()
            words = ["connect", f"{host}:{port}", "lines", *tls.of_our_client()]
            async with Program(bin_dir / "interop_peer", *words) as peer:
                _, writer = await within(accepted, f"a connection by {peer}")
                expected = [f"TLSv{version.replace('.', '_')}", "smtp", "localhost", tls.der("server")]
                assert await said(peer) == expected
                session = writer.get_extra_info("ssl_object")
                assert session.selected_alpn_protocol() == "smtp"
                assert session.getpeercert(True).hex() == tls.der("client")
                assert names == ["localhost"], names
                writer.close()
                assert await peer.rest() == ["ended 0"]
        return "our certificate, `localhost` and `smtp` seen by Python"

    return [
        (f"TLS {version}: certificates of both, ALPN, the name (Python connects)", with_us_as_server),
        (f"TLS {version}: certificates of both, ALPN, the name (Python listens)", with_python_as_server),
    ]


def refused_by_us(version, client, reason):
    """A client whose certificate is none, or not one of ours; and then one that is."""

    async def run(bin_dir):
        tls = Tls(bin_dir, version, client=client)
        good = Tls(bin_dir, version, client="client")
        async with listening(bin_dir, "lines", *good.of_our_server()) as (peer, host, port):
            try:
                # With TLS 1.3 the client is through before it is refused.
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=tls.client_context(), server_hostname="localhost"
                )
                try:
                    came = await within(reader.read(), "the refusal")
                    assert not came, "the client was let in"
                finally:
                    writer.transport.abort()
                seen = "the end"
            except (ssl.SSLError, ConnectionError) as error:
                seen = type(error).__name__
            count, *told = await peer.word("failed")
            assert count == "1" and reason in " ".join(told), told
            reader, writer = await asyncio.open_connection(
                host, port, ssl=good.client_context(), server_hostname="localhost"
            )
            await said(peer)
            writer.close()
            await within(writer.wait_closed(), "the end of the TLS connection")
            assert await peer.rest() == ["ended 0"]
        return f"{' '.join(told)}; Python saw {seen}; the next one was served"

    return run


def checks(version):
    tls = over(version)
    stranger = refused_by_us(version, "stranger-client", "not to be trusted")
    return [
        *on_both_sides(f"TLS {version}: messages there and back", "echo", messages.exchange, tls),
        *on_both_sides(f"TLS {version}: Python reads late and slowly", "held", endings.python_reads_late, tls),
        *on_both_sides(f"TLS {version}: we read late", "late", endings.we_read_late, tls),
        *on_both_sides(f"TLS {version}: we abort in mid-message", "abort", endings.we_abort, tls),
        *on_both_sides(f"TLS {version}: Python cuts in mid-message", "aborted", python_cuts, tls),
        *on_both_sides(f"TLS {version}: Python resets in mid-message", "aborted", endings.python_resets, tls),
        *on_both_sides(f"TLS {version}: we close first", "lines", lines_and_our_end, tls),
        *on_both_sides(f"TLS {version}: Python closes first", "lines", lines_and_pythons_end, tls),
        *agreed_upon(version),
        (f"TLS {version}: a client without a certificate", refused_by_us(version, None, "certificate")),
        (f"TLS {version}: a client of another authority", stranger),
    ]


CHECKS = [check for version in VERSIONS for check in checks(version)]
