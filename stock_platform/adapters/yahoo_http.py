"""Door to Yahoo over HTTP: a GET with yfinance's session (cookie, crumb, a browser's TLS), counted against the machine's budget.

Of yfinance only its session and identity are used: its front swallows errors, repeats a refused request up to six times and
remembers failures for the life of the process. Not here: what answers mean (feed/yahoo), how often one may ask (vendor_budget).
The vendor's own names are always used; HTTPS_PROXY, SSL_CERT_FILE and REQUESTS_CA_BUNDLE lead them elsewhere."""

# curl_cffi's and yfinance's types are partial.
# pyright: reportOptionalMemberAccess=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportMissingParameterType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from curl_cffi import CurlError
from curl_cffi.requests import Response, Session
from yfinance.data import YfData

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.vendor_budget import VendorBudget
from stock_platform.adapters.vendor_door import Answer
from stock_platform.errors import VendorBlocked, VendorUnreachable

_CRUMB = re.compile(r"[^\s<>{}]{1,64}")
"""One short word; anything else is an error page that yfinance would keep as the crumb."""

_WORDS_BYTES = 300


class _NoCrumb(Exception):
    """The vendor gave no crumb; charts work without one."""


class _CountedSession(Session[Response]):
    """Every request of yfinance and of ours, counted, bounded in time and watched for refusals."""

    def __init__(self, budget: VendorBudget, clock: Clock) -> None:
        super().__init__(impersonate="chrome")
        self.budget = budget
        self.clock = clock
        self.deadline = clock.now()
        self.longest = timedelta.max
        self.request_count = 0

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> Response:
        """One request, when its turn comes.

        Raises:
            VendorBlocked: the breaker is open, or opens now.
            VendorBudgetSpent: no turn before the deadline.
            TimeoutError: the deadline has passed.
        """
        self.budget.take(within=self.deadline - self.clock.now())
        left = min(self.longest, self.deadline - self.clock.now()).total_seconds()
        if left <= 0:
            raise TimeoutError("no time is left")
        self.request_count += 1
        response = super().request(method, url, *args, **{**options, "timeout": left})
        if _is_refusal(response):
            until = self.budget.refused(_retry_after(response.headers.get("retry-after"), self.clock.now()))
            raise VendorBlocked(self.budget.vendor, until)
        if "/getcrumb" in url and (response.status_code != HTTPStatus.OK or not _CRUMB.fullmatch(response.text)):
            raise _NoCrumb
        return response


class _Identity(YfData):
    """Cookie and crumb as yfinance gets them; what failed is forgotten at once."""

    def crumb(self) -> str | None:
        """The crumb, kept once it is had; None where the vendor gives none, or yfinance trips over what it gives."""
        try:
            return self._get_cookie_and_crumb()[0]
        except (_NoCrumb, CurlError, OSError, LookupError, TypeError):
            self.forget()
            return None

    def forget(self) -> None:
        """Begin anew with the next request: a cookie or crumb that the vendor does not take must not stay."""
        self._cookie_strategy = "basic"
        self._cookie = self._crumb = None
        self._session.cookies.clear()

    def _load_cookie_curlCffi(self) -> bool:
        """Cookies live as long as the door: yfinance's file of them is one per user, and keeps what no longer works."""
        return False

    def _save_cookie_curlCffi(self) -> bool:
        self._cookie = True
        return True


class YahooHttp:
    """GET from Yahoo; one answer at a time.

    Args:
        within: For one answer, all its steps together: turn, cookie, crumb, answer.
    """

    def __init__(self, budget: VendorBudget, clock: Clock, *, within: timedelta) -> None:
        self._session = _CountedSession(budget, clock)
        self._identity: _Identity = type.__call__(_Identity, session=self._session)  # yfinance would share one among all
        self._budget = budget
        self._clock = clock
        self._within = within
        self._lock = threading.Lock()

    @property
    def request_count(self) -> int:
        """HTTP requests sent through this door, cookie and crumb included."""
        return self._session.request_count

    def get(self, url: str, params: Mapping[str, str]) -> Answer:
        """Ask once. Nothing is remembered, so a failure does not stick.

        Returns:
            Any answer but a refusal for too many requests.
        Raises:
            VendorBlocked, VendorBudgetSpent: it may not be asked now.
            VendorUnreachable: no answer in time.
        """
        with self._lock:
            self._session.deadline = self._clock.now() + self._within
            try:
                response = self._ask(url, params)
            except (CurlError, OSError) as error:
                self._budget.given_up()
                raise VendorUnreachable(url, str(error)) from error
            if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._budget.answered()
            else:
                self._budget.given_up()
            return Answer(_shown(url, params), response.status_code, response.content, self._clock.now())

    def _ask(self, url: str, params: Mapping[str, str]) -> Response:
        response = self._session.get(url, params=self._signed(params))
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._identity.forget()
            response = self._session.get(url, params=self._signed(params))
        return response

    def _signed(self, params: Mapping[str, str]) -> dict[str, str]:
        self._session.longest = self._within / 4  # a cookie that does not come must not eat the answer's time
        crumb = self._identity.crumb()
        self._session.longest = self._within
        return {**params, "crumb": crumb} if crumb else dict(params)


def _is_refusal(response: Response) -> bool:
    """Status 429, or its words with another status, as the crumb's address has been seen to answer."""
    body = response.content
    return response.status_code == HTTPStatus.TOO_MANY_REQUESTS or (len(body) < _WORDS_BYTES and b"Too Many Requests" in body)


def _shown(url: str, params: Mapping[str, str]) -> str:
    return f"{url}?{'&'.join(f'{name}={value}' for name, value in params.items())}"


def _retry_after(text: str | None, now: datetime) -> timedelta | None:
    """The header in either of its forms, seconds or a date (RFC 9110, 10.2.3); None where it says nothing usable."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return timedelta(seconds=min(int(text), 10**7))
    try:
        stated = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(), stated.replace(tzinfo=stated.tzinfo or UTC) - now)
