"""Programs: started, read line by line, and always ended by their handle."""

import asyncio
import sys

LIMIT = 60  # Seconds for a line, an exit or an answer. Many times what each takes.


async def within(awaitable, what):
    """No wait without end."""
    try:
        return await asyncio.wait_for(awaitable, LIMIT)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what} did not happen within {LIMIT} s") from None


class Program:
    """A process, as an async context manager: left in whatever way, the process is gone."""

    def __init__(self, *command):
        self.command = [str(word) for word in command]

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        # Read on whether anybody asks or not: a program whose pipe is full stands still.
        self.lines = asyncio.Queue()
        self.errors = []
        self.said = asyncio.Event()  # Something more is in `errors`.
        self.readers = [
            asyncio.ensure_future(self._read(self.process.stdout, self.lines.put_nowait)),
            asyncio.ensure_future(self._read(self.process.stderr, self.errors.append)),
        ]
        return self

    async def __aexit__(self, *exception):
        if self.process.returncode is None:
            try:
                self.process.kill()
            except ProcessLookupError:
                pass  # It ended meanwhile.
        await self.process.wait()
        self.process.stdin.close()
        await asyncio.gather(*self.readers)
        if exception[0] is not None:
            for line in self.errors:
                print(f"       {line}")

    async def _read(self, stream, tell):
        while True:
            line = await stream.readline()
            if not line:
                break
            tell(line.decode(errors="replace").rstrip("\n"))
            self.said.set()
        if stream is self.process.stdout:
            tell(None)

    async def line(self):
        """The next line that it prints."""
        line = await within(self.lines.get(), f"a line of {self}")
        assert line is not None, f"{self} ended instead of printing a line"
        return line

    async def word(self, first):
        """The words of the next line behind its first one."""
        words = (await self.line()).split()
        assert words and words[0] == first, f"{self} said {words} instead of {first}"
        return words[1:]

    async def line_with(self, text):
        """The next line that has this in it; those before it are passed over."""
        while True:
            line = await self.line()
            if text in line:
                return line

    async def rest(self, expected=0):
        """What else it prints until it ends, which it has to do well, or with the code that is expected."""
        lines, code = await self.ended()
        assert code == expected, f"{self} ended with {code}"
        return lines

    async def ended(self):
        """What else it prints until it ends, and the code with which it does."""
        lines = []
        while True:
            line = await within(self.lines.get(), f"the end of {self}")
            if line is None:
                break
            lines.append(line)
        code = await within(self.process.wait(), f"the exit of {self}")
        # An exit may be seen before the last of what was said.
        await within(asyncio.gather(*self.readers), f"the last words of {self}")
        return lines, code

    async def error_with(self, text):
        """Waits for a line on its standard error that has this in it."""

        async def look():
            while not any(text in line for line in self.errors):
                self.said.clear()
                await self.said.wait()

        await within(look(), f"{text!r} from {self}")

    async def tell(self, line):
        """A line on its standard input."""
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    def __str__(self):
        return "`" + " ".join(word.split("/")[-1] for word in self.command) + "`"


def python(*arguments):
    """A Python program whose lines come as it prints them."""
    return Program(sys.executable, "-u", *arguments)
