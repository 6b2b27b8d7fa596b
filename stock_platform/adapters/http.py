"""Door to servers of the stack that speak HTTP: connections are kept, no proxy is asked, one that is away is one error."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from stock_platform.errors.stack import ServerSilent

if TYPE_CHECKING:
    from httpx import Client, Response


class HttpServer:
    """A server, asked one question after the other.

    Args:
        address: e.g. http://127.0.0.1:8081.
        within_s: To connect, and to begin its answer.
    """

    def __init__(self, address: str, *, within_s: float = 10.0) -> None:
        self.address = address
        self._within_s = within_s

    def ask(self, method: str, path: str, *, within_s: float | None = None, **content: Any) -> "Response":
        """Whatever it answers.

        Args:
            within_s: For this answer, which takes longer than others.
            content: As httpx takes it: json, files, params.
        Raises:
            ServerSilent: it does not answer.
        """
        from httpx import HTTPError, Timeout  # noqa: PLC0415 - as below

        timeout = Timeout(self._within_s, read=within_s or self._within_s)
        try:
            return self._client.request(method, path, timeout=timeout, **content)
        except HTTPError as error:
            raise ServerSilent(self.address, type(error).__name__) from error

    def json(self, path: str) -> Any:
        """What it tells.

        Raises:
            ServerSilent: it does not answer, or with an error.
        """
        answer = self.ask("GET", path)
        if not answer.is_success:
            raise ServerSilent(self.address, f"{answer.status_code} for {path}")
        return answer.json()

    @cached_property
    def _client(self) -> "Client":
        from httpx import Client  # noqa: PLC0415 - 0.3 s, for most runs in vain

        return Client(base_url=self.address, trust_env=False)
