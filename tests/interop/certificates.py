"""Certificates made for the run, and TLS contexts of Python and options of ours that use them."""

import atexit
import functools
import pathlib
import ssl
import subprocess
import tempfile

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@functools.lru_cache(maxsize=None)
def folder(bin_dir):
    """Where they are: `NAME.pem` and `NAME.key`, `ca.pem`, `other-ca.pem`."""
    kept = tempfile.TemporaryDirectory(prefix="highwater-interop-")
    atexit.register(kept.cleanup)
    subprocess.run([bin_dir / "interop_certificates", kept.name], check=True, timeout=60)
    return pathlib.Path(kept.name)


class Tls:
    """One version, and who shows what."""

    def __init__(self, bin_dir, version="1.3", alpn=(), client=None):
        self.bin_dir, self.folder = bin_dir, folder(bin_dir)
        self.version, self.alpn, self.client = version, list(alpn), client

    def file(self, name):
        return str(self.folder / name)

    def identity(self, name):
        return self.file(f"{name}.pem"), self.file(f"{name}.key")

    def _context(self, side):
        context = ssl.SSLContext(side)
        context.minimum_version = context.maximum_version = VERSIONS[self.version]
        context.load_verify_locations(self.file("ca.pem"))
        if self.alpn:
            context.set_alpn_protocols(self.alpn)
        return context

    def client_context(self):
        """Python's, as a client."""
        context = self._context(ssl.PROTOCOL_TLS_CLIENT)
        if self.client:
            context.load_cert_chain(*self.identity(self.client))
        return context

    def server_context(self):
        """Python's, as a server."""
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.identity("server"))
        if self.client:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _options(self, identity):
        options = ["--tls-version", self.version]
        for protocol in self.alpn:
            options += ["--alpn", protocol]
        if identity:
            certificate, key = self.identity(identity)
            options += ["--tls-cert", certificate, "--tls-key", key]
        return options

    def of_our_server(self):
        """Words for our peer, as a server."""
        return self._options("server") + (["--tls-ca", self.file("ca.pem")] if self.client else [])

    def of_our_client(self):
        """Words for our peer, as a client."""
        return self._options(self.client) + ["--tls-ca", self.file("ca.pem")]

    def der(self, name):
        """A certificate as it is on the wire, in hexadecimal digits."""
        return ssl.PEM_cert_to_DER_cert(pathlib.Path(self.file(f"{name}.pem")).read_text()).hex()
