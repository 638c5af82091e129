"""aiosmtpd, whose messages go into a folder: `smtp_server.py FOLDER [--cert FILE --key FILE] [--pipelining]`.

Tells its port, and each message: its file, who sent it, and to whom. The user is anna, the password "secret".
"""

import argparse
import asyncio
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Folder:
    def __init__(self, folder, pipelining):
        self.folder, self.pipelining, self.count = pathlib.Path(folder), pipelining, 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [responses[0], *["250-PIPELINING"] * self.pipelining, *responses[1:]]

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        path = self.folder / f"{self.count}.eml"
        path.write_bytes(envelope.content)
        print("message", path, "tls" if session.ssl else "plain", envelope.mail_from, *envelope.rcpt_tos)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    # Not handled: the reply is for aiosmtpd to make.
    return AuthResult(success=(data.login, data.password) == (b"anna", b"secret"), handled=False)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--pipelining", action="store_true")
    parser.add_argument("--largest", type=int, default=32 * 1024 * 1024)
    arguments = parser.parse_args()
    context = None
    if arguments.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.cert, arguments.key)
    handler = Folder(arguments.folder, arguments.pipelining)

    def connected():
        return SMTP(
            handler,
            hostname="aiosmtpd.test",
            data_size_limit=arguments.largest,
            tls_context=context,
            require_starttls=context is not None,
            auth_required=context is not None,
            authenticator=authenticate,
        )

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    print("listening", server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
