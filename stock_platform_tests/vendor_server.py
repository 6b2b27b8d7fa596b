"""A server under Yahoo's names for tests: an HTTPS proxy that answers CONNECT itself, with a certificate of its own.

Production code reaches it by environment variables alone. What it answers is a function of the test."""

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qsl, unquote, urlsplit

import trustme

CRUMB = "aB3.crumb/42"


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    wait_for: threading.Event | None = None


@dataclass(frozen=True)
class Asked:
    at: float
    host: str
    path: str
    query: dict[str, str]


class VendorServer:
    """Counts what arrives; cookie and crumb are given like Yahoo gives them, everything else by `answer`."""

    def __init__(self, answer: Callable[[Asked], Reply], folder: Path) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        authority = trustme.CA()
        self.authority_file = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority_file))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("*.yahoo.com", "*.finance.yahoo.com").configure_cert(self.context)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it."""
        bundle = str(self.authority_file)
        proxy = f"http://127.0.0.1:{self._server.server_port}"
        return {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle, "NO_PROXY": "127.0.0.1,localhost"}

    def data_requests(self) -> list[Asked]:
        """Without cookie and crumb."""
        return [each for each in self.asked if each.host != "fc.yahoo.com" and not each.path.endswith("getcrumb")]

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        custom = self.answer(asked)
        if custom.status != 200 or custom.body != b"{}":
            return custom
        if asked.host == "fc.yahoo.com":
            return Reply(404, b"", {"Set-Cookie": "A3=d=cookie; Domain=.yahoo.com; Path=/; Max-Age=31536000; Secure"})
        if asked.path.endswith("getcrumb"):
            return Reply(200, CRUMB.encode())
        return custom

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def vendor_server(answer: Callable[[Asked], Reply], folder: Path) -> Iterator[VendorServer]:
    """The server, with this process's environment leading to it."""
    server = VendorServer(answer, folder)
    before = dict(os.environ)
    os.environ.update(server.environment)
    try:
        yield server
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.close()


def _handler(server: VendorServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            self.host = self.path.split(":")[0]
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            try:
                self.connection = server.context.wrap_socket(self.connection, server_side=True)
            except OSError:
                self.close_connection = True
                return
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb")
            self.close_connection = False

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            reply = server.reply(Asked(monotonic(), self.host, unquote(parts.path), dict(parse_qsl(parts.query))))
            if reply.wait_for is not None:
                reply.wait_for.wait(30)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
