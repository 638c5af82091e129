"""Runs a documented asyncio program unchanged, with its fixed port replaced: `on_port.py PORT PROGRAM`."""

import asyncio
import runpy
import sys

DOCUMENTED = 8888


def on_port(port, function):
    def replaced(*arguments, **keywords):
        assert DOCUMENTED in arguments, arguments
        return function(*(port if argument == DOCUMENTED else argument for argument in arguments), **keywords)

    return replaced


port, program = int(sys.argv[1]), sys.argv[2]
asyncio.open_connection = on_port(port, asyncio.open_connection)
asyncio.start_server = on_port(port, asyncio.start_server)
try:
    runpy.run_path(program, run_name="__main__")
except KeyboardInterrupt:
    pass
