"""An nginx without privileges, which runs until a check is over."""

import asyncio
import contextlib
import os
import shutil
import socket

from processes import LIMIT, Program

# Debian has it where only an administrator looks for programs.
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
TRIES = 5  # Somebody else may take a port that was free.

CONFIGURATION = """
{before}
daemon off;
master_process off;
pid {folder}/{name}.pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    root {folder}/{name};
    {servers}
}}
{behind}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.asynccontextmanager
async def running(tls, name, names, configured, asked):
    """One that serves the folder of this name, and its ports by theirs.

    What `configured` makes of the ports are the parts of its configuration; on those that are `asked` it answers.
    """
    assert NGINX, "nginx is not there"
    for _ in range(TRIES):
        ports = {port: free_port() for port in names}
        parts = {"before": "", "behind": "", **configured(ports)}
        configuration = tls.file(f"{name}.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(folder=tls.folder, name=name, **parts))
        async with Program(NGINX, "-e", "stderr", "-p", tls.folder, "-c", configuration) as server:
            if await answers(server, [ports[port] for port in asked]):
                yield ports
                return
    raise AssertionError(f"nginx did not start: {server.errors}")


async def answers(server, ports):
    """Whether it does, on each of them, before it ends."""
    for _ in range(LIMIT * 20):
        if server.process.returncode is not None:
            return False
        try:
            for port in ports:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.transport.abort()
            return True
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)  # It does not say when it is ready.
    return False
