"""Yahoo's real frames, decoded and judged. Expected values read off the wire by protoc's schema, by hand; previous closes are
those that the exchanges published."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from google.protobuf import descriptor_pool
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.config import ROOT
from stock_platform.contracts.epoch import EPOCH
from stock_platform.feed.tick import Candidate, Refusal, Tick
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.pricing import Decoder, Frame, PricingData, encode, parse

_FRAMES = ROOT.parent / "shared" / "data" / "yahoo_ws" / "frames.jsonl"
_SECOND = timedelta(seconds=1)
_TIME = 1_785_937_395_000
"""2026-08-05 13:43:15Z"""


def _recorded() -> list[bytes]:
    if not _FRAMES.exists():
        pytest.skip(f"recorded frames are not here: ../shared/data/{_FRAMES.relative_to(_FRAMES.parents[1])}")
    return [json.dumps(json.loads(line)["frame"]).encode() for line in _FRAMES.read_text().splitlines()]


def _decode(body: bytes) -> Candidate | Refusal:
    return Decoder().decode(Frame(body, EPOCH, EPOCH, 0))


def _candidate(body: bytes) -> Candidate:
    result = _decode(body)
    assert isinstance(result, Candidate)
    return result


@dataclass(frozen=True)
class _Expected:
    symbol: str
    price: str
    day_volume: int | None
    size: int | None
    ts_event: str
    vendor_phase: int
    previous_close: str | None
    currency: str | None
    session_phase: str


_EXPECTED = (
    _Expected("BTC-USD", "94745.08", None, None, "2025-01-10 11:39:00", 1, None, "USD", "regular"),
    _Expected("AAPL", "305.76", None, None, "2026-05-22 08:10:22", 0, "304.99", None, "pre"),
    _Expected("AAPL", "307.2", 5422202, 49, "2026-08-05 13:43:15", 1, "309.38", None, "regular"),
    _Expected("AAPL", "339.5", None, None, "2026-07-29 21:11:52", 2, None, None, "post"),
    _Expected("BTC-USD", "63343.95", None, None, "2026-07-29 21:11:50", 1, None, "USD", "regular"),
    _Expected("BTC-USD", "63391.56", None, None, "2026-08-13 12:03:09", 1, None, "USD", "regular"),
    _Expected("EURUSD=X", "1.15327", None, None, "2026-08-13 12:03:09", 1, "1.1522", None, "regular"),
    _Expected("RELIANCE.NS", "1192.3", 5872483, 7, "2026-09-30 06:16:08", 1, "1182", None, "regular"),
    _Expected("TSLA", "676.08", 15605331, None, "2021-04-07 17:10:34", 1, "691.62", None, "regular"),
    _Expected("AAPL", "314.765", 17557274, None, "2020-05-18 16:55:33", 1, "307.71", None, "regular"),
    _Expected("AAPL", "314.79", 17557426, None, "2020-05-18 16:55:38", 1, "307.71", None, "regular"),
    _Expected("AAPL", "168.99", 53985930, None, "2024-03-06 20:38:07", 1, "170.12", None, "regular"),
    _Expected("AAPL", "276.34", None, None, "2025-12-11 07:07:24", 4, "278.78", None, "closed"),
    _Expected("MSFT", "177.29", 11021582, None, "2020-05-15 15:05:23", 1, "180.53", None, "regular"),
    _Expected("MSFT", "177.29", 11021443, None, "2020-05-15 15:05:23", 1, "180.53", None, "regular"),
    _Expected("MSFT", "177.27", 11018796, None, "2020-05-15 15:05:20", 1, "180.53", None, "regular"),
)
_HOURS = {"BTC-USD": "24/7", "EURUSD=X": "24/5", "RELIANCE.NS": "XBOM"}
_CURRENCIES = {"RELIANCE.NS": "INR"}


@pytest.mark.parametrize("index", range(16))
def test_recorded_frame_has_the_values_on_the_wire(index: int) -> None:
    expected, found = _EXPECTED[index], _candidate(_recorded()[index])
    assert found.symbol == expected.symbol
    assert str(found.price) == expected.price
    assert (found.day_volume, found.size) == (expected.day_volume, expected.size)
    assert found.ts_event == datetime.fromisoformat(f"{expected.ts_event}+00:00")
    assert found.vendor_phase == expected.vendor_phase
    assert found.previous_close == (None if expected.previous_close is None else Decimal(expected.previous_close))
    assert found.currency == expected.currency


@pytest.mark.parametrize("index", range(16))
def test_recorded_frame_is_read_as_by_yfinance(index: int) -> None:
    """Independent source: yfinance's own compiled schema."""
    from yfinance.pricing_pb2 import PricingData as Theirs

    body = _recorded()[index]
    theirs = Theirs.FromString(base64.b64decode(json.loads(body)["message"]))
    ours = parse(body)
    fields = {field.name: value for field, value in theirs.ListFields()}
    assert len(fields) > 5
    assert {name: getattr(ours, name) for name in fields} == fields


@pytest.mark.parametrize("index", range(16))
def test_recorded_frame_becomes_the_right_tick(index: int) -> None:
    tick = _judged([_recorded()[index]])[0]
    expected = _EXPECTED[index]
    assert isinstance(tick, Tick)
    assert tick.session_phase == expected.session_phase
    assert tick.day_volume == expected.day_volume
    assert not tick.is_suspect


@pytest.mark.parametrize(
    ("quote_type", "expected"),
    [(8, (900, 900)), (20, (900, 900)), (9, (900, 900)), (18, (900, 900)), (14, (None, None)), (41, (None, None))],
)
def test_day_volume_is_taken_only_from_kinds_that_count_it_up_from_the_open(
    quote_type: int, expected: tuple[int | None, int | None]
) -> None:
    """Equity, ETF, index and future; then currency and coin, whose frames hold a number of the last 24 hours, if any."""
    found = _candidate(encode(id="X", price=1.5, time=_TIME, quote_type=quote_type, day_volume=900, last_size=900).encode())
    assert (found.day_volume, found.size) == expected


def test_pair_of_one_second_with_falling_volume_is_published_as_it_came() -> None:
    recorded = _recorded()
    validator = _validator("MSFT")
    ticks = _judged([recorded[15], recorded[13], recorded[14], recorded[14]], validator)
    volumes = [tick.day_volume if isinstance(tick, Tick) else tick for tick in ticks]
    assert volumes == [11018796, 11021582, 11021443, None]
    assert (validator.counts.volume_backwards, validator.counts.duplicates) == (1, 1)


def _validator(symbol: str) -> Validator:
    hours, currency = _HOURS.get(symbol, "XNYS"), _CURRENCIES.get(symbol, "USD")
    instrument = Instrument(symbol=symbol, name=symbol, sector="Any", currency=currency, calendar=hours, provider="yahoo")
    return Validator(line="one", source="yahoo", instruments=[instrument])


def _judged(bodies: list[bytes], validator: Validator | None = None) -> list[Tick | Refusal | None]:
    """Received a second after it happened, by a connection that is a day old."""
    decoder, sequence = Decoder(), count()
    found: list[Tick | Refusal | None] = []
    for body in bodies:
        ts_event = _candidate(body).ts_event
        day_before = ts_event.replace(hour=0, minute=0, second=0)
        candidate = decoder.decode(Frame(body, ts_event + _SECOND, day_before, next(sequence)))
        assert isinstance(candidate, Candidate)
        validator = validator or _validator(candidate.symbol)
        found.append(validator.judge(candidate))
    return found


def test_new_fields_are_kept_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    decoder = Decoder()
    recorded = _recorded()
    for body in [recorded[2], recorded[7], recorded[7]]:
        decoder.decode(Frame(body, EPOCH, EPOCH, 0))
    assert decoder.unknown_fields == {46: 2, 47: 2}
    assert [record.args[1] for record in caplog.records if isinstance(record.args, tuple)] == [46, 47]
    for body in recorded:
        assert parse(body).SerializeToString() == base64.b64decode(json.loads(body)["message"])


def test_market_hours_that_nobody_has_described_is_kept_and_counted() -> None:
    decoder = Decoder()
    for number in (0, 1, 2, 3, 4, 5, 9, 9, -1):
        candidate = decoder.decode(Frame(_frame(market_hours=number), EPOCH, EPOCH, 0))
        assert isinstance(candidate, Candidate)
        assert candidate.vendor_phase == number
    assert decoder.unknown_phases == {5: 1, 9: 2, -1: 1}
    absent = decoder.decode(Frame(_frame(), EPOCH, EPOCH, 0))
    assert isinstance(absent, Candidate)
    assert absent.vendor_phase is None


def test_broken_vendor_cannot_fill_the_memory_with_field_numbers() -> None:
    decoder = Decoder()
    for number in range(1_000, 1_500):
        wire = PricingData(id="A", price=1.0, time=_TIME).SerializeToString() + _varint(number << 3) + b"\x01"
        decoder.decode(Frame(_envelope(wire), EPOCH, EPOCH, 0))
    assert len(decoder.unknown_fields) == 101
    assert decoder.unknown_fields[-1] == 400


def _varint(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low | 0x80]) + _varint(value >> 7) if value > 0x7F else bytes([low])


def _envelope(wire: bytes) -> bytes:
    return json.dumps({"type": "pricing", "message": base64.b64encode(wire).decode()}).encode()


def _frame(**fields: Any) -> bytes:
    return encode(**({"id": "A", "price": 1.0, "time": _TIME} | fields)).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"rubbish", "not_json"),
        (b"<html>Will be right back</html>", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"message":"AAAA"', "not_json"),
        (b'{"other":' + b"[" * 100_000, "not_json"),
        (b"[]", "not_pricing"),
        (b"null", "not_pricing"),
        (b'{"type":"pricing"}', "not_pricing"),
        (b'{"message":7}', "not_pricing"),
        (b'{"type":"status","message":"CgFB"}', "not_pricing"),
        (b'{"type":7,"message":"CgFB"}', "not_pricing"),
        (b'{"message":"*"}', "not_base64"),
        (b'{"message":"AAAA"}', "not_protobuf"),
        (_envelope(b"\x0a\x01\xff\x18\x02"), "not_protobuf"),  # an id that is no UTF-8
        (_frame(time=2**62), "time_invalid"),
        (_frame(time=-(2**62)), "time_invalid"),
        (encode(id="A", price=1.0).encode(), "time_invalid"),
    ],
)
def test_unreadable_frame_is_refused_with_reason_and_bytes(body: bytes, reason: str) -> None:
    result = _decode(body)
    assert isinstance(result, Refusal)
    assert (result.reason, result.payload()) == (reason, body)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_candidate_or_a_refusal(body: bytes) -> None:
    assert _decode(body)
    assert _decode(_envelope(body))


def test_envelope_without_a_type_is_read() -> None:
    assert _candidate(b'{"message":' + json.dumps(json.loads(_frame())["message"]).encode() + b"}").symbol == "A"


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (232.35, "232.35"),
        (0.000123, "0.000123"),
        (1234567.0, "1234567"),
        (61.005, "61.005"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
    ],
)
def test_float32_becomes_its_shortest_decimal(price: float, expected: str) -> None:
    assert str(_candidate(_frame(price=price)).price) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"previous_close": 99.5, "change": 3.0, "market_hours": 1}, "99.5"),  # said outright
        ({"change": 0.77001953, "market_hours": 1, "price_hint": 2}, "99.23"),
        ({"change": 0.0, "market_hours": 1}, "100"),  # unchanged
        ({"change": 0.00107002258, "market_hours": 0, "price_hint": 4}, "99.9989"),
        ({"change": 0.5, "market_hours": 1, "price_hint": 2**62}, "99.5"),
        ({"change": 0.5, "market_hours": 1, "price_hint": -(2**62)}, "99.5"),
        ({"change": 0.5, "market_hours": 2}, None),  # since today's close
        ({"change": 0.5, "market_hours": 1, "quote_type": 41}, None),  # since 24 hours
        ({"change": 0.5}, None),
        ({"market_hours": 1}, None),
        ({"change": 100.0, "market_hours": 1}, None),
        ({"change": float("nan"), "market_hours": 1}, None),
        ({"change": float("-inf"), "market_hours": 1}, None),
    ],
)
def test_previous_close_follows_from_the_change_where_that_counts_from_it(fields: dict[str, float], expected: str | None) -> None:
    found = _candidate(_frame(price=100.0, **fields)).previous_close
    assert found == (None if expected is None else Decimal(expected))


def test_schema_stays_out_of_the_default_pool() -> None:
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("stock_platform.feed.PricingData")


def test_times_are_utc() -> None:
    assert _candidate(_frame()).ts_event == datetime(2026, 8, 5, 13, 43, 15, tzinfo=UTC)
