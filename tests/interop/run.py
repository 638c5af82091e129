"""Lets our programs talk to Python's: `run.py --bin-dir DIR`, where DIR holds them built.

A line for each check, and a closing line that counts them; the exit code is zero if none failed.
"""

import argparse
import asyncio
import pathlib
import sys
import time

sys.dont_write_bytecode = True  # What is run from a checkout leaves nothing in it.

import chat
import documented
import endings
import file_server
import ftp
import http_headers
import https_headers
import json_rpc
import messages
import proxy
import redis
import smtp
import talk
import tls_bad_input
import tls_curl
import tls_openssl
import tls_python
import tls_upgrade

IN_PLAIN = [documented, messages, endings, http_headers]
OVER_TLS = [tls_python, tls_upgrade, tls_openssl, tls_curl, https_headers, tls_bad_input]
EXAMPLES = [file_server, talk, smtp, ftp, redis, proxy, chat, json_rpc]  # In plain and over TLS.
CHECKS = [check for module in IN_PLAIN + OVER_TLS + EXAMPLES for check in module.CHECKS]

# Seconds, many times what they take: for one check, and for all of them.
CHECK_LIMIT = 120
OVERALL_LIMIT = 8 * 60


def run(check, bin_dir, limit):
    """What a check has to say, or why it failed."""

    async def bounded():
        return await asyncio.wait_for(check(bin_dir), limit)

    try:
        return asyncio.run(bounded()), None
    except asyncio.TimeoutError:
        return None, f"not through after {limit:.0f} s"
    except Exception as error:  # Whatever it is, the other checks still count.
        return None, f"{type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin-dir", type=pathlib.Path, required=True, help="where our programs are")
    bin_dir = parser.parse_args().bin_dir.resolve()

    passed = 0
    end = time.monotonic() + OVERALL_LIMIT
    try:
        for sentence, check in CHECKS:
            started = time.monotonic()
            said, failure = run(check, bin_dir, max(1, min(CHECK_LIMIT, end - started)))
            seconds = time.monotonic() - started
            passed += failure is None
            print(f"{'FAILED' if failure else 'ok':<6} {seconds:5.1f} s  {sentence}: {failure or said}")
    except KeyboardInterrupt:
        print("interrupted")
    finally:
        # What was not reached has not passed.
        print(f"interop: {passed} passed, {len(CHECKS) - passed} failed")
    return 0 if passed == len(CHECKS) else 1


if __name__ == "__main__":
    sys.exit(main())
