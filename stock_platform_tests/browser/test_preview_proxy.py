"""The page's server passes the API's stream on: as it comes, and when it breaks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stock_platform_tests.browser.servers import running_page

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"event: quote\ndata: {}\n\n"
LIMIT_S = 10.0


@contextmanager
def api_that_dies(death: threading.Event) -> Iterator[str]:
    """Answers every request with an endless stream of one event, and drops the connection at its `death`."""

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(HEAD + b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
            death.wait(LIMIT_S)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: serve(listener.accept()[0]), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_api_death_ends_the_stream_of_the_browser(tmp_path: Path) -> None:
    death = threading.Event()
    (tmp_path / "index.html").write_text("<!doctype html>")
    with (
        api_that_dies(death) as api,
        running_page(api, tmp_path) as url,
        httpx.stream("GET", f"{url}/stream", timeout=LIMIT_S) as answer,
    ):
        chunks = answer.iter_raw()
        assert next(chunks) == EVENT

        death.set()

        assert _is_broken_off(chunks)


def _is_broken_off(chunks: Iterator[bytes]) -> bool:
    try:
        return next(chunks, b"") == b""
    except httpx.RemoteProtocolError:
        return True
