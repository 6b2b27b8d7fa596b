"""Is somebody there? Small questions to ports and pages of this machine."""

import socket

from stock_platform.adapters.http import HttpServer
from stock_platform.errors.stack import ServerSilent


def port_open(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_problem(port: int) -> str | None:
    """None when the port answers, else the reason."""
    return None if port_open(port) else f"nothing listens on port {port} yet"


def page_problem(url: str) -> str | None:
    """None when the page answers 2xx, else the reason."""
    try:
        answer = HttpServer(url, within_s=3.0).ask("GET", url)
    except ServerSilent as error:
        return f"{url} does not answer ({error.problem})"
    return None if answer.is_success else f"{url} answers {answer.status_code}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
