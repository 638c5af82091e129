"""The redis-client example and a real Redis server, with redis-cli as the witness."""

import contextlib
import signal
import tempfile

from certificates import Tls
from nginx import TRIES, free_port
from processes import Program

READY = "Ready to accept connections"

# Nested, empty, long, of every type that a server of this version has.
SHOWN = [
    *["command", "command docs", "config get *", "acl list", "keys *", "hgetall none", "get none", "get odd"],
    *["lrange list 0 -1", "zrange scores 0 -1 withscores", "smembers one", "time none", "xrange stream - +"],
    *[f"debug protocol {kind}" for kind in ["string", "integer", "double", "null", "array", "set", "map"]],
    *[f"debug protocol {kind}" for kind in ["verbatim", "true", "false"]],
]


@contextlib.asynccontextmanager
async def redis(*options, tls=None):
    """A server of our own, and its port."""
    for _ in range(TRIES):
        port = free_port()
        words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "local"]
        if tls:
            certificate, key = tls.identity("server")
            words += ["--port", 0, "--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key]
            words += ["--tls-ca-cert-file", tls.file("ca.pem"), "--tls-auth-clients", "no"]
        else:
            words += ["--port", port]
        with tempfile.TemporaryDirectory(prefix="highwater-redis-") as folder:
            async with Program("redis-server", *words, *options, "--dir", folder) as server:
                while (line := await server.lines.get()) is not None:
                    if READY in line:
                        yield port
                        return
    raise AssertionError("redis-server did not start")


async def said(*command, text="", expected=0):
    """What a program prints that is given this on its standard input."""
    async with Program(*command) as program:
        # A program that needs none of it may have ended already.
        with contextlib.suppress(ConnectionError):
            program.process.stdin.write(text.encode())
            await program.process.stdin.drain()
        program.process.stdin.close()
        return await program.rest(expected)


def client(bin_dir, port, *words, options=()):
    return [bin_dir / "redis-client", *options, f"localhost:{port}", *words]


def shown(version):
    async def run(bin_dir):
        async with redis() as port:
            fill = 'set odd "a\\"\\x00\\xff\\r\\n\\\\"\nrpush list a "" "c d"\nzadd scores 1.5 a 2 b inf c\n'
            fill += "sadd one a\nxadd stream 1-1 a b\n"
            await said(*client(bin_dir, port, options=["--pipe"]), text=fill)
            lines = 0
            for words in map(str.split, SHOWN):
                cli = ["redis-cli", "--no-raw", f"-{version}", "-p", port, *words]
                theirs = [line for line in await said(*cli) if line]
                if theirs[0].startswith("(error) "):
                    continue  # It is told on stderr by ours.
                options = ["--resp3"] if version == 3 else []
                for _ in range(TRIES):
                    before = theirs
                    ours = await said(*client(bin_dir, port, *words, options=options))
                    theirs = [line for line in await said(*cli) if line]
                    if before == theirs:
                        break  # Otherwise the server's tables are being put into another order.
                assert ours in (before, theirs), (words, ours[:10], theirs[:10])
                lines += len(ours)
        assert lines > 10_000, lines
        return f"{lines} lines, the same that redis-cli shows"

    return run


async def piped(bin_dir):
    count = 100_000
    commands = "".join(f"set key:{number} {number * number}\n" for number in range(count))
    async with redis() as port:
        printed = await said(*client(bin_dir, port, options=["--pipe"]), text=commands + "nonsense\n", expected=1)
        assert printed == [f"{count + 1} replies, 1 of them errors"], printed
        assert await said("redis-cli", "-p", port, "dbsize") == [str(count)]
        assert await said("redis-cli", "-p", port, "get", "key:777") == [str(777 * 777)]
    return printed[0]


async def subscribed(bin_dir):
    async with redis() as port, Program(*client(bin_dir, port, "subscribe", "news", "more")) as subscriber:
        for channel, count in [("news", 1), ("more", 2)]:
            expected = ['1) "subscribe"', f'2) "{channel}"', f"3) (integer) {count}"]
            assert [await subscriber.line() for _ in range(3)] == expected
        for text in ["one", "two words", "ü"]:
            assert await said("redis-cli", "-p", port, "publish", "more", text) == ["1"]
            told = [await subscriber.line() for _ in range(3)]
            assert told[:2] == ['1) "message"', '2) "more"'], told
        assert told[2] == '3) "\\xc3\\xbc"', told
        subscriber.process.send_signal(signal.SIGINT)
        assert await subscriber.rest() == []
    return "three messages, and Ctrl-C"


async def secured(bin_dir):
    tls = Tls(bin_dir)
    right, wrong = tls.file("redis-right"), tls.file("redis-wrong")
    for name, password in [(right, "a secret"), (wrong, "a guess")]:
        with open(name, "w") as file:
            file.write(password + "\n")
    async with redis("--requirepass", "a secret", tls=tls) as port:
        options = ["--tls", "--ca", tls.file("ca.pem"), "--password-file", right]
        for more in [[], ["--resp3"], ["--user", "default"]]:
            assert await said(*client(bin_dir, port, "ping", options=options + more)) == ["PONG"]
        async with Program(*client(bin_dir, port, "ping", options=options[:-1] + [wrong])) as program:
            assert await program.rest(expected=1) == []
            (refused,) = program.errors
            assert "WRONGPASS" in refused, refused
        async with Program(*client(bin_dir, port, "ping", options=["--tls"])) as program:
            assert await program.rest(expected=1) == []
            (untrusted,) = program.errors
            assert "UnknownIssuer" in untrusted, untrusted
    return refused


CHECKS = [
    ("redis-client, RESP2: replies", shown(2)),
    ("redis-client, RESP3: replies", shown(3)),
    ("redis-client: 100,000 commands piped", piped),
    ("redis-client: subscribed", subscribed),
    ("redis-client over TLS, with a password", secured),
]
