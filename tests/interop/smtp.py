"""The SMTP examples: smtp-send against aiosmtpd, smtp-receive against smtplib and curl, and both against the bad."""

import asyncio
import contextlib
import pathlib
import re
import smtplib
import tempfile

from bad_server import saying
from certificates import Tls
from packaged import aiosmtpd
from processes import Program, within

FROM, TO = "anna@example.org", "ben@example.org"

MESSAGES = {
    "empty": b"",
    "one line without end": b"Subject: x",
    "lines of dots": b"Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.",
    "smuggled ends": b"Subject: x\r\n\r\na\n.\nMAIL FROM:<eve@example.org>\r\n\n.\r\n\r.\r\rb\n.\r",
    "8-bit": b"Subject: bytes\r\n\r\n" + bytes(set(range(256)) - {0}) + "Grüße\r\n".encode(),
    "5 MiB": b"Subject: large\r\n\r\n" + b"".join(b".%060d\r\n" % number for number in range(5 * 1024 * 1024 // 63)),
}


def sent(message):
    """What has to arrive: every line with CRLF."""
    message = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    return message if not message or message.endswith(b"\r\n") else message + b"\r\n"


@contextlib.asynccontextmanager
async def their_server(*options):
    """aiosmtpd, and where it is."""
    with tempfile.TemporaryDirectory(prefix="highwater-mail-") as folder:
        script = pathlib.Path(__file__).with_name("smtp_server.py")
        async with aiosmtpd(script, folder, *options) as server:
            (port,) = await server.word("listening")
            yield server, port


@contextlib.asynccontextmanager
async def our_server(bin_dir, *options):
    """smtp-receive, its folder and its port."""
    with tempfile.TemporaryDirectory(prefix="highwater-mail-") as folder:
        async with Program(bin_dir / "smtp-receive", "--port", "0", "--folder", folder, *options) as server:
            address = (await server.line()).removeprefix("Serving on ")
            yield server, folder, int(address.rsplit(":", 1)[1])


async def stored(server):
    """The message that our server tells of next."""
    line = await server.line_with("Message ")
    return pathlib.Path(line.rsplit(" in ", 1)[1]).read_bytes()


async def send(bin_dir, port, message, *options, to=(TO,), host="127.0.0.1"):
    """What smtp-send says: lines, the code with which it ends, and its errors."""
    recipients = [word for recipient in to for word in ("--to", recipient)]
    words = ["--from", FROM, *recipients, *options, f"{host}:{port}"]
    async with Program(bin_dir / "smtp-send", *words) as program:
        try:
            program.process.stdin.write(message)
            await within(program.process.stdin.drain(), f"the message to {program}")
        except (BrokenPipeError, ConnectionResetError):
            pass  # It has decided before.
        program.process.stdin.close()
        lines, code = await program.ended()
        return lines, code, program.errors


def password_file(tls, password="secret"):
    path = pathlib.Path(tls.file(f"password-{password}"))
    path.write_text(password + "\n")
    return path


def to_aiosmtpd(secured, pipelining):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        certificate, key = tls.identity("server")
        theirs = ["--cert", certificate, "--key", key] if secured else []
        ours = ["--ca", tls.file("ca.pem"), "--user", "anna", "--password-file", password_file(tls)]
        ours = ours if secured else ["--starttls", "never"]
        total = 0
        async with their_server(*theirs, *["--pipelining"] * pipelining) as (server, port):
            for name, message in MESSAGES.items():
                lines, code, errors = await send(bin_dir, port, message, *ours)
                assert (lines, code, errors) == (["Sent: 250 taken"], 0, []), (name, lines, code, errors)
                path, how, *envelope = await server.word("message")
                assert (how, envelope) == ("tls" if secured else "plain", [FROM, TO]), (how, envelope)
                arrived = pathlib.Path(path).read_bytes()
                assert arrived == sent(message), f"{name}: {len(arrived)} bytes, or others"
                total += len(arrived)
        return f"{len(MESSAGES)} messages, {total:,} bytes, as they were"

    return run


async def some_refused(bin_dir):
    said = []
    for options in [], ["--pipelining"]:
        async with their_server(*options) as (server, port):
            some = await send(bin_dir, port, b"x", "--starttls", "never", to=("nobody@b", TO))
            assert some[1] == 3 and some[2] == [
                "smtp-send: taken for 1 of 2 recipients: nobody@b was refused: 550 5.1.1 nobody of that name"
            ], some
            assert (await server.word("message"))[2:] == [FROM, TO]
            none = await send(bin_dir, port, b"x", "--starttls", "never", to=("nobody@b",))
            assert none[1] == 1 and none[2][0].startswith("smtp-send: nobody is there to take it: "), none
            said = some[2]
    return said[0]


async def too_large(bin_dir):
    async with their_server("--largest", "1000") as (server, port):
        _, code, errors = await send(bin_dir, port, b"x" * 990 + b"\n" + b"y" * 990, "--starttls", "never")
        assert code == 1 and errors == ["smtp-send: the server takes 1000 bytes at most, and there are more"], errors
        assert (await send(bin_dir, port, b"x", "--starttls", "never"))[1] == 0
        assert (await server.word("message"))[0].endswith("/1.eml"), "half a message was taken"
    return errors[0]


async def wrong_password(bin_dir):
    tls = Tls(bin_dir)
    certificate, key = tls.identity("server")
    async with their_server("--cert", certificate, "--key", key) as (_, port):
        words = ["--ca", tls.file("ca.pem"), "--user", "anna", "--password-file", password_file(tls, "guessed")]
        lines, code, errors = await send(bin_dir, port, b"x", *words)
        assert code == 1 and not lines and "the server does not know us: 535" in errors[0], (code, errors)
    return errors[0]


def certificate_refused(identity, reason):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        certificate, key = tls.identity(identity)
        async with their_server("--cert", certificate, "--key", key) as (_, port):
            words = ["--ca", tls.file("ca.pem"), "--user", "anna", "--password-file", password_file(tls)]
            lines, code, errors = await send(bin_dir, port, b"x", *words)
        assert code == 1 and not lines and reason in errors[0], (code, errors)
        return errors[0]

    return run


async def nothing_in_plain(bin_dir):
    tls = Tls(bin_dir)
    async with their_server() as (_, port):
        ca = ["--ca", tls.file("ca.pem")]
        _, code, errors = await send(bin_dir, port, b"x", *ca)
        assert (code, errors) == (1, ["smtp-send: the server offers no STARTTLS"]), errors
        words = [*ca, "--starttls", "if-offered", "--user", "anna", "--password-file", password_file(tls)]
        _, code, errors = await send(bin_dir, port, b"x", *words)
        assert (code, errors) == (1, ["smtp-send: a password is not sent in plain"]), errors
        assert (await send(bin_dir, port, b"x", *ca, "--starttls", "if-offered"))[1] == 0
    return "; ".join(errors)


def bad_server(says, reason):
    """A server that says this to whoever comes, and then waits."""

    async def run(bin_dir):
        async with saying(says) as port:
            lines, code, errors = await send(bin_dir, port, b"x", "--starttls", "never", "--timeout", "2")
        assert code == 1 and not lines and len(errors) == 1 and reason in errors[0], (code, errors)
        return errors[0]

    return run


def smtplib_sends(secured):
    async def run(bin_dir):
        tls = Tls(bin_dir)
        certificate, key = tls.identity("server")
        words = ["--cert", certificate, "--key", key, "--user", "anna", "--password-file", password_file(tls)]
        total = 0
        async with our_server(bin_dir, *(words if secured else [])) as (server, _, port):

            def talk(message):
                with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
                    if secured:
                        client.starttls(context=tls.client_context())
                        client.login("anna", "secret")
                    assert client.sendmail(FROM, [TO, "cleo@example.org"], message) == {}

            def refused(message):
                try:
                    talk(message)
                except smtplib.SMTPDataError as error:
                    return error.smtp_code

            for name, message in MESSAGES.items():
                await within(asyncio.to_thread(talk, sent(message)), f"smtplib and {name}")
                arrived = await stored(server)
                # smtplib sends an empty line instead of nothing.
                assert arrived == (sent(message) or b"\r\n"), f"{name}: {len(arrived)} bytes, or others"
                total += len(arrived)
            # Bytes it sends as they are.
            code = await within(asyncio.to_thread(refused, MESSAGES["smuggled ends"]), "a refusal")
            assert code == 550, code
            assert server.errors == [], server.errors
        return f"{len(MESSAGES)} messages, {total:,} bytes, as they were"

    return run


async def curl_sends(bin_dir):
    tls = Tls(bin_dir)
    certificate, key = tls.identity("server")
    words = ["--cert", certificate, "--key", key, "--user", "anna", "--password-file", password_file(tls)]
    total = 0
    async with our_server(bin_dir, *words) as (server, _, port):
        for name in ["lines of dots", "8-bit", "5 MiB"]:
            path = pathlib.Path(tls.file("message"))
            path.write_bytes(sent(MESSAGES[name]))
            command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", "--ssl-reqd"]
            command += ["--cacert", tls.file("ca.pem"), "--user", "anna:secret", "--login-options", "AUTH=PLAIN"]
            command += ["--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", path, f"smtp://127.0.0.1:{port}"]
            async with Program(*command) as curl:
                await curl.rest()
            arrived = await stored(server)
            assert arrived == sent(MESSAGES[name]), f"{name}: {len(arrived)} bytes, or others"
            total += len(arrived)
    return f"3 messages, {total:,} bytes, as they were"


async def not_smuggled(bin_dir):
    """What some servers take for the end of a message ends none here, and the message is refused."""
    async with our_server(bin_dir) as (server, folder, port):
        for end in b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r":
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            smuggled = b"MAIL FROM:<eve@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nfrom eve"
            writer.write(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
            writer.write(b"one" + end + smuggled + b"\r\n.\r\nQUIT\r\n")
            said = (await within(reader.read(), "the replies")).split(b"\r\n")
            writer.close()
            assert said[-4].startswith(b"354 ") and said[-3].startswith(b"550 "), (end, said)
            assert said[-2].startswith(b"221 "), (end, said)
            assert "a CR or an LF that stands alone" in await server.line()
        assert list(pathlib.Path(folder).iterdir()) == []
    return "6 ways, none of them taken"


async def not_injected(bin_dir):
    """Words behind STARTTLS, in plain, are not heard inside TLS."""
    tls = Tls(bin_dir)
    certificate, key = tls.identity("server")
    async with our_server(bin_dir, "--cert", certificate, "--key", key) as (server, folder, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"EHLO x\r\nSTARTTLS\r\nEHLO eve\r\nMAIL FROM:<eve@example.org>\r\n")
        said = await within(reader.read(), "the end of the connection")
        assert said.count(b"\r\n220 ") == 1 and b"2.1.0" not in said, said
        writer.close()
        await server.error_with("TLS handshake failed")
    return "the handshake fails"


async def bad_clients(bin_dir):
    """Garbage, lines without end, a client that is silent, and one that leaves: each is told, and nobody else minds."""
    async with our_server(bin_dir, "--idle", "1") as (server, folder, port):

        async def replies(words):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(words)
            said = await within(reader.read(), "the end of the connection")
            writer.close()
            return said.split(b"\r\n")[1:-1]

        mistakes = await replies(b"\x00\xff\x80\r\n" * 20)
        assert len(mistakes) == 11 and mistakes[-1].startswith(b"421 "), mistakes
        long = await replies(b"NOOP " + b"x" * 3_000_000 + b"\r\nNOOP\r\nQUIT\r\n")
        assert [reply[:3] for reply in long] == [b"500", b"250", b"221"], long
        silent = await replies(b"EHLO x")
        assert [reply[:3] for reply in silent] == [b"421"], silent
        begin = b"HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
        text = await replies(begin + b"x" * 2000 + b"\r\n.\r\nQUIT\r\n")
        assert [reply[:3] for reply in text][-2:] == [b"500", b"221"], text
        await replies(begin + b"half a message\r\n")
        assert list(pathlib.Path(folder).iterdir()) == []
    return f"{len(mistakes)} replies to garbage; too long, silent, half a message"


CHECKS = [
    ("smtp-send, aiosmtpd", to_aiosmtpd(secured=False, pipelining=False)),
    ("smtp-send, aiosmtpd: pipelined", to_aiosmtpd(secured=False, pipelining=True)),
    ("smtp-send, aiosmtpd: STARTTLS, AUTH PLAIN, pipelined", to_aiosmtpd(secured=True, pipelining=True)),
    ("smtp-send, aiosmtpd: recipients refused", some_refused),
    ("smtp-send, aiosmtpd: too large", too_large),
    ("smtp-send, aiosmtpd: a wrong password", wrong_password),
    ("smtp-send, aiosmtpd: no STARTTLS", nothing_in_plain),
    ("smtp-send, aiosmtpd: of another name", certificate_refused("elsewhere", "elsewhere.test")),
    ("smtp-send, aiosmtpd: expired", certificate_refused("expired", "expired")),
    ("smtp-send, aiosmtpd: of an unknown authority", certificate_refused("stranger", "UnknownIssuer")),
    ("smtp-send, a server of garbage", bad_server(b"\x00\xff\x1b[2J\r\n" * 100, "which is no reply")),
    ("smtp-send, a server with too long a line", bad_server(b"220 " + b"x" * 100_000, "too long")),
    ("smtp-send, a server with too many lines", bad_server(b"220-x\r\n" * 10_000, "too long")),
    ("smtp-send, a server that is silent", bad_server(b"", "did not reply to the connection within 2s")),
    ("smtp-send, a server that does not want", bad_server(b"554 not now\r\n", "serves nobody: 554 not now")),
    ("smtplib, smtp-receive", smtplib_sends(secured=False)),
    ("smtplib, smtp-receive: STARTTLS, AUTH PLAIN", smtplib_sends(secured=True)),
    ("curl, smtp-receive: STARTTLS, AUTH PLAIN", curl_sends),
    ("smtp-receive: ends that are none", not_smuggled),
    ("smtp-receive: words behind STARTTLS", not_injected),
    ("smtp-receive: bad clients", bad_clients),
]
