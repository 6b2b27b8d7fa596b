"""Yahoo's real frames, decoded. Expected values read off the wire by protoc's schema and the vendor's pages, by hand."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from google.protobuf import descriptor_pool

from stock_platform.config import ROOT
from stock_platform.feed.tick import EPOCH, Candidate, Refusal
from stock_platform.feed.yahoo.pricing import Frame, decode, encode, parse

_FRAMES = ROOT.parent / "shared" / "data" / "yahoo_ws" / "frames.jsonl"


def _recorded() -> list[bytes]:
    if not _FRAMES.exists():
        pytest.skip(f"recorded frames are not here: ../shared/data/{_FRAMES.relative_to(_FRAMES.parents[1])}")
    return [json.dumps(json.loads(line)["frame"]).encode() for line in _FRAMES.read_text().splitlines()]


def _decode(body: bytes) -> Candidate | Refusal:
    return decode(Frame(body, EPOCH, EPOCH, 0))


def _candidate(body: bytes) -> Candidate:
    result = _decode(body)
    assert isinstance(result, Candidate)
    return result


def test_every_recorded_frame_is_a_candidate() -> None:
    assert len([_candidate(body) for body in _recorded()]) == 16


@pytest.mark.parametrize(
    ("index", "symbol", "price", "day_volume", "size", "ts_event"),
    [
        (0, "BTC-USD", "94745.08", 59712028672, None, datetime(2025, 1, 10, 11, 39, tzinfo=UTC)),
        (1, "AAPL", "305.76", None, None, datetime(2026, 5, 22, 8, 10, 22, tzinfo=UTC)),
        (2, "AAPL", "307.2", 5422202, 49, datetime(2026, 8, 5, 13, 43, 15, tzinfo=UTC)),
        (6, "EURUSD=X", "1.15327", None, None, datetime(2026, 8, 13, 12, 3, 9, tzinfo=UTC)),
        (9, "AAPL", "314.765", 17557274, None, datetime(2020, 5, 18, 16, 55, 33, tzinfo=UTC)),
        (13, "MSFT", "177.29", 11021582, None, datetime(2020, 5, 15, 15, 5, 23, tzinfo=UTC)),
        (14, "MSFT", "177.29", 11021443, None, datetime(2020, 5, 15, 15, 5, 23, tzinfo=UTC)),
    ],
)
def test_recorded_frame_has_the_value_on_the_wire(
    index: int, symbol: str, price: str, day_volume: int | None, size: int | None, ts_event: datetime
) -> None:
    found = _candidate(_recorded()[index])
    assert (found.symbol, str(found.price), found.day_volume, found.size, found.ts_event) == (
        symbol,
        price,
        day_volume,
        size,
        ts_event,
    )


def test_explicit_pre_market_zero_is_seen() -> None:
    pre_market, unknown_value = parse(_recorded()[1]), parse(_recorded()[12])
    assert (pre_market.HasField("market_hours"), pre_market.market_hours) == (True, 0)
    assert unknown_value.market_hours == 4


def test_unknown_fields_are_kept() -> None:
    for body in _recorded():
        wire = base64.b64decode(json.loads(body)["message"])
        assert parse(body).SerializeToString() == wire


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"rubbish", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_pricing"),
        (b'{"type":"pricing"}', "not_pricing"),
        (b'{"message":7}', "not_pricing"),
        (b'{"message":"*"}', "not_base64"),
        (b'{"message":"AAAA"}', "not_protobuf"),
        (encode(id="A", price=1.0, time=2**62).encode(), "time_invalid"),
    ],
)
def test_unreadable_frame_is_refused_with_reason_and_bytes(body: bytes, reason: str) -> None:
    result = _decode(body)
    assert isinstance(result, Refusal)
    assert (result.reason, result.payload()) == (reason, body)


@pytest.mark.parametrize(
    ("price", "expected"), [(232.35, "232.35"), (0.000123, "0.000123"), (1234567.0, "1234567"), (61.005, "61.005")]
)
def test_float32_becomes_its_shortest_decimal(price: float, expected: str) -> None:
    assert _candidate(encode(id="A", price=price, time=0).encode()).price == Decimal(expected)


def test_schema_stays_out_of_the_default_pool() -> None:
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("stock_platform.feed.PricingData")
