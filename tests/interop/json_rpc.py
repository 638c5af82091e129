"""The json-rpc example and an editor on a library that language servers are written with."""

import pathlib
import subprocess
import sys

from processes import Program

EDITOR = pathlib.Path(__file__).with_name("lsp_editor.py")


def python_that_has_it():
    """Debian installs the library for its own Python, which need not be this one."""
    for python in [sys.executable, "/usr/bin/python3"]:
        try:
            subprocess.run([python, "-c", "import pylsp_jsonrpc"], check=True, capture_output=True, timeout=60)
            return python
        except (OSError, subprocess.CalledProcessError):
            pass
    raise AssertionError("python3-pylsp-jsonrpc is not there")


async def editor(bin_dir):
    words = ["-B", "-u", EDITOR, bin_dir / "json-rpc", "--width", "99"]
    async with Program(python_that_has_it(), *words) as program:
        printed = await program.rest()
    expected = ["capabilities {'textDocumentSync': 1}", "long 1000"]
    expected += ["refused there is no method \"textDocument/hover\"", "exit 0"]
    assert printed == expected, printed
    return "a document of 10,000 lines, with 1,000 warnings, a refusal, an end in order"


CHECKS = [("json-rpc: an editor on python-lsp-jsonrpc", editor)]
