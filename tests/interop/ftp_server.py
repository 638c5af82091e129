"""pyftpdlib over a folder: `ftp_server.py FOLDER [--cert FILE --key FILE] [--classic]`.

Tells its port, and of each data connection inside TLS whether its session was resumed. The user is anna, the password "secret". With `--classic` it does not know EPSV, and its answers to
PASV name an address where nobody is.
"""

import argparse
import warnings

warnings.simplefilter("ignore")  # It imports asyncore, which warns of its age.

from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.log import config_logging
from pyftpdlib.servers import FTPServer


class Data(TLS_DTPHandler):
    def handle_ssl_established(self):
        # pyOpenSSL has no public way to ask.
        reused = SSL._lib.SSL_session_reused(self.socket._ssl)
        print("data", "resumed" if reused else "anew")
        super().handle_ssl_established()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--classic", action="store_true")
    arguments = parser.parse_args()

    config_logging(level=40)
    authorizer = DummyAuthorizer()
    authorizer.add_user("anna", "secret", arguments.folder, perm="elradfmwMT")

    class Handler(TLS_FTPHandler if arguments.cert else FTPHandler):
        pass

    Handler.authorizer = authorizer
    if arguments.cert:
        Handler.certfile, Handler.keyfile = arguments.cert, arguments.key
        Handler.dtp_handler = Data
        Handler.tls_control_required = Handler.tls_data_required = True
    if arguments.classic:
        Handler.proto_cmds = {name: said for name, said in Handler.proto_cmds.items() if name != "EPSV"}
        Handler.masquerade_address = "192.0.2.1"
    server = FTPServer(("127.0.0.1", 0), Handler)
    print("listening", server.address[1])
    server.serve_forever()


main()
