"""The http-headers example and a real HTTP server, with Python's own HTTP client as the witness."""

import contextlib
import functools
import http.client
import http.server
import pathlib
import threading

from processes import Program

HERE = pathlib.Path(__file__).parent


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        # Both clients are to see the same date.
        return super().date_time_string(0 if timestamp is None else timestamp)


@contextlib.contextmanager
def serving(version):
    handler = type("Handler", (Quiet,), {"protocol_version": version})
    handler = functools.partial(handler, directory=str(HERE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def witness(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("HEAD", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        version = {10: "HTTP/1.0", 11: "HTTP/1.1"}[answer.version]
        headers = [f"{name}: {value}" for name, value in answer.getheaders()]
        return answer.status, [f"{version} {answer.status} {answer.reason}", *headers]


def check(version, path, status):
    async def run(bin_dir):
        with serving(version) as port:
            found, expected = witness(port, path)
            assert found == status, expected
            async with Program(bin_dir / "http-headers", f"http://127.0.0.1:{port}{path}") as program:
                printed = await program.rest()
        assert printed == [f"HTTP header> {line}" for line in expected], (printed, expected)
        return f"{len(printed)} lines, the same that http.client sees"

    return run


CHECKS = [
    ("http-headers of a file", check("HTTP/1.0", "/asyncio_echo_client.py", 200)),
    ("http-headers of a file, HTTP/1.1", check("HTTP/1.1", "/asyncio_echo_client.py?a=b", 200)),
    ("http-headers of what is not there", check("HTTP/1.1", "/no/such/file", 404)),
]
