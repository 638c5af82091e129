"""Python programs that need packages beside the standard library."""

import functools
import subprocess
import sys

from processes import Program

# The Python that runs this may be one of many. Debian's packages are seen by Debian's own.
PYTHONS = [sys.executable, "/usr/bin/python3"]


@functools.lru_cache(maxsize=None)
def python_with(modules, package):
    """The first of them that has the modules."""
    for python in PYTHONS:
        try:
            if subprocess.run([python, "-c", f"import {modules}"], capture_output=True, timeout=60).returncode == 0:
                return python
        except OSError:
            pass  # It is not there.
    raise AssertionError(f"none of {', '.join(PYTHONS)} has {modules}; on Debian: apt-get install {package}")


def aiosmtpd(*arguments):
    return Program(python_with("aiosmtpd", "python3-aiosmtpd"), "-u", *arguments)


def pyftpdlib(*arguments):
    packages = "python3-pyftpdlib python3-openssl"
    return Program(python_with("pyftpdlib, OpenSSL", packages), "-u", *arguments)
