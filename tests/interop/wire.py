"""TLS by hand over a socket, so that a peer can do what asyncio's does not: cut, mix, and end one half."""

import socket
import ssl


class Wire:
    """A socket of Python, blocking, that bounds each wait; it speaks in plain until `shake_hands`."""

    def __init__(self, host, port, limit=20):
        self.socket = socket.create_connection((host, port), timeout=limit)
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def line(self):
        """A line in plain, and no byte beyond it."""
        line = b""
        while not line.endswith(b"\n"):
            byte = self.socket.recv(1)
            assert byte, f"the end instead of a line: {line!r}"
            line += byte
        return line

    def exactly(self, count):
        """So many bytes in plain."""
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, f"the end after {len(data)} of {count} bytes"
            data += more
        return data

    def client_hello(self, context):
        """The first bytes of a handshake, which are not sent."""
        self.session = context.wrap_bio(self.came, self.goes, server_hostname="localhost")
        try:
            self.session.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.goes.read()

    def shake_hands(self):
        """The rest of it."""
        self._until_done(self.session.do_handshake)

    def write(self, data):
        self.session.write(data)
        self.socket.sendall(self.goes.read())

    def read(self):
        """What comes next, or nothing at close_notify; the end without one is an `ssl.SSLEOFError`."""
        try:
            return self._until_done(lambda: self.session.read(64 * 1024))
        except ssl.SSLZeroReturnError:
            return b""

    def end_our_half(self):
        """Sends close_notify, and does not wait for another."""
        try:
            self.session.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.socket.sendall(self.goes.read())

    def _until_done(self, step):
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self.socket.sendall(self.goes.read())
                data = self.socket.recv(64 * 1024)
                if data:
                    self.came.write(data)
                else:
                    self.came.write_eof()
                continue
            self.socket.sendall(self.goes.read())
            return done
