"""Yahoo's answers over HTTP: from bytes to the vendor's results, or why there are none. Pure and total.

Not here: what a result means (chart, quote), how it was had (adapters/yahoo_http)."""

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal, cast

from stock_platform.adapters.vendor_door import Answer

Reason = Literal[
    "empty", "html", "http_error", "no_timestamps", "not_json", "rate_limited", "unknown_interval", "unknown_shape", "vendor_error"
]
_LAST_SECOND = 253_402_300_800 - 3 * 86_400
"""End of the year 9999, the last that a datetime holds; less three days, so that every zone can show it and the day after."""
_LARGEST = 10**12
"""What numeric(18, 6) holds."""


@dataclass(frozen=True)
class Unusable:
    """An answer without data: the reason in one word, and what was seen."""

    reason: Reason
    detail: str


def results_of(answer: Answer, root: str) -> Sequence[Any] | Unusable:
    """The list under `root.result`, which may be empty."""
    text = answer.body.decode("utf-8", "replace").strip()
    refusal = _not_data(answer.status, text)
    if refusal is not None:
        return refusal
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Unusable("not_json", f"{error}; it begins with {text[:60]!r}")
    return _results(document, root, answer.status)


def _not_data(status: int, text: str) -> Unusable | None:
    if status == HTTPStatus.TOO_MANY_REQUESTS or re.search(r"too many requests", text[:300], re.IGNORECASE):
        return Unusable("rate_limited", text[:60] or "429")
    if not text:
        return Unusable("empty", f"status {status} without a body")
    if text.startswith("<"):
        title = re.search(r"<title>\s*(.*?)\s*</title>", text, re.IGNORECASE | re.DOTALL)
        return Unusable("html", f"status {status}, a page: {title.group(1)[:80] if title else text[:80]}")
    return None


def _results(document: Any, root: str, status: int) -> Sequence[Any] | Unusable:
    parts = mapping(document)
    # A refused request answers under `finance`, whatever was asked for.
    error = next((found for part in parts.values() if (found := mapping(part).get("error"))), None)
    if error is not None:
        said = mapping(error)
        return Unusable("vendor_error", f"{said.get('code', error)}: {said.get('description', '')}"[:300])
    if status >= HTTPStatus.BAD_REQUEST:
        return Unusable("http_error", f"status {status}")
    if root not in parts:
        return Unusable("unknown_shape", f"no {root} among {sorted(parts)[:5]}")
    return sequence(mapping(parts[root]).get("result"))


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """The value if it is a JSON array, else an empty one."""
    return cast(Sequence[Any], value) if isinstance(value, list) else ()


def text_of(value: Any) -> str | None:
    """The value if it is text with something in it."""
    return value if isinstance(value, str) and value else None


def integer_of(value: Any) -> int | None:
    """The value if it is a whole number that 64 bits hold."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        return None
    return int(value) if -(2**63) <= value < 2**63 else None


def instant_of(value: Any) -> datetime | None:
    """Seconds since 1970 as an instant."""
    seconds = integer_of(value)
    return None if seconds is None or not 0 <= seconds < _LAST_SECOND else datetime.fromtimestamp(seconds, UTC)


def price_of(value: Any) -> Decimal | None:
    """The shortest decimal that is the same number to the vendor, with at most six decimals; None where it is no number.

    Charts hold float32 widened to float64 (75.0875015258789 is 75.0875), quotes hold float64 in its shortest form: a number that
    float32 can hold is shortened as float32. It is never rounded to the vendor's priceHint: real prices have more decimals
    (AMZN 103.6052 with a hint of 2).
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) >= _LARGEST:
        return None
    return round(Decimal(_shortest(float(value))), 6)


def _shortest(value: float) -> str:
    if _float32(value) != value:
        return repr(value)
    return next((text for digits in range(6, 9) if _float32(float(text := f"{value:.{digits}g}")) == value), f"{value:.9g}")


def _float32(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]
