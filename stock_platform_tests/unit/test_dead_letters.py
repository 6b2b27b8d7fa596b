"""Dead letters as a person sees them, and what of them is sent again. Expected values by hand."""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.adapters.kafka_records import Stored
from stock_platform.feed.dead_letters.digest import Distinct, Wanted, digest
from stock_platform.feed.dead_letters.letter import Letter, letter_of, readable
from stock_platform.feed.dead_letters.replay import Outgoing, World, prepare, rehearse, replays_of
from stock_platform.feed.tick import Refusal, epoch_ms, refusal_json
from stock_platform.feed.watchlist import Instrument, Simulated
from stock_platform.feed.yahoo.pricing import encode

_NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
"""A Friday, 12:00 in New York."""
_TICK = {"symbol": "AAPL", "price": "100.5", "ts_event": epoch_ms(_NOON)}


def _instrument(symbol: str = "AAPL") -> Instrument:
    return Instrument(
        symbol=symbol,
        name=symbol,
        sector="Technology",
        currency="USD",
        calendar="XNYS",
        provider="yahoo",
        simulator=Simulated(base_price=Decimal(100)),
    )


def _record(value: bytes, offset: int = 0, **headers: str) -> Stored:
    return Stored(0, offset, epoch_ms(_NOON), None, headers, value)


def _of_job(payload: bytes, reason: str = "bad_price", offset: int = 7, place: int = 0) -> Letter:
    letter = {
        "reason": reason,
        "detail": "as seen",
        "payload_base64": base64.b64encode(payload).decode(),
        "kafka_topic": "market.ticks.v1",
        "kafka_partition": 2,
        "kafka_offset": offset,
        "ts_dead": epoch_ms(_NOON),
    }
    return letter_of(_record(json.dumps(letter).encode(), place))


def _of_feed(payload: bytes, reason: str = "spike") -> Letter:
    return letter_of(_record(refusal_json(Refusal(reason, "as seen", _NOON, 3, lambda: payload)), line="line-0a", line_seq="3"))


def _frame(**fields: Any) -> bytes:
    standard = {"id": "AAPL", "price": 100.5, "time": epoch_ms(_NOON), "market_hours": 1, "day_volume": 900, "quote_type": 8}
    return encode(**{**standard, **fields}).encode()


def _world(original: Stored | None = None, **changes: Any) -> World:
    standard: dict[str, Any] = {
        "instruments": [_instrument()],
        "source": "yahoo",
        "is_shifted": False,
        "late_limit": timedelta(hours=26),
        "original": lambda _: original,
        "now": _NOON + timedelta(hours=1),
    }
    return World(**{**standard, **changes})


# --- letters ---


def test_letter_of_the_job_says_where_its_message_is() -> None:
    letter = _of_job(json.dumps(_TICK).encode(), place=17)
    assert (letter.id, letter.reason, letter.symbol, letter.ts_dead) == ("0-17", "bad_price", "AAPL", _NOON)
    assert (letter.kafka_topic, letter.kafka_partition, letter.kafka_offset) == ("market.ticks.v1", 2, 7)


@pytest.mark.parametrize(
    ("payload", "symbol", "shown"),
    [
        (_frame(), "AAPL", '"day_volume": 900'),
        (b'{"symbol":"MSFT","regularMarketPrice":1}', "MSFT", '  "symbol": "MSFT"'),
        (b"<html>429</html>", None, "<html>429</html>"),
        (b"\xff\x00", None, "ff 00"),
        (b"", None, ""),
        (b'"text"', None, '"text"'),
        (b"[" * 100_000, None, "[[["),
    ],
)
def test_message_is_shown_as_what_it_is(payload: bytes, symbol: str | None, shown: str) -> None:
    assert _of_feed(payload).symbol == symbol
    assert shown in readable(payload)


@given(st.binary())
def test_any_record_becomes_a_letter(value: bytes) -> None:
    letter = letter_of(_record(value))
    assert (letter.reason, letter.payload) == ("not_a_letter", value)
    assert letter.step


@pytest.mark.parametrize("reason", ["too_late", "bad_json", "missing_field:symbol", "spike", "not_protobuf"])
def test_every_reason_has_a_next_step(reason: str) -> None:
    assert "restate --session" in _of_job(b"{}", reason).step if reason == "too_late" else len(_of_feed(b"{}", reason).step) > 20


# --- many letters ---


def _letters() -> Iterable[Letter]:
    for n in range(10):
        yield _of_job(json.dumps({**_TICK, "symbol": "AAPL" if n % 2 else "MSFT"}).encode(), offset=n, place=n)
    for n in range(7, 10):
        yield _of_job(b"", offset=n, place=n + 3)
    yield _of_job(b"", "bad_json", offset=9, place=13)
    yield _of_feed(_frame())
    yield _of_feed(_frame())


def test_digest_shows_the_newest_first_and_counts_a_repeat_once() -> None:
    found = digest(_letters(), Wanted(), limit=4)
    assert [(letter.reason, letter.kafka_offset) for letter in found.newest] == [
        ("spike", None),
        ("spike", None),
        ("bad_json", 9),
        ("bad_price", 9),
    ]
    assert (found.counts, found.repeat_count) == ({"bad_price": 10, "spike": 2, "bad_json": 1}, 3)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(reason="spike"), 2),
        (Wanted(symbol="MSFT"), 5),
        (Wanted(reason="bad_price", symbol="AAPL"), 5),
        (Wanted(since=_NOON), 13),
        (Wanted(since=_NOON + timedelta(milliseconds=1)), 0),
    ],
)
def test_digest_counts_what_is_wanted(wanted: Wanted, count: int) -> None:
    found = digest(_letters(), wanted, limit=1)
    assert sum(found.counts.values()) == count
    assert found.reasons == ("bad_json", "bad_price", "spike")


def test_memory_for_repeats_is_bounded() -> None:
    distinct = Distinct(remembered=2)
    letters = [_of_job(b"", offset=offset) for offset in (1, 2, 2, 3, 1)]
    assert [letter.kafka_offset for letter in distinct.of(letters)] == [1, 2, 3, 1]


# --- again ---


def _sent(letter: Letter, world: World) -> Outgoing:
    out = prepare(letter, world)
    assert isinstance(out, Outgoing), out
    return out


def test_letter_of_the_job_is_sent_as_it_was_but_for_its_place_in_the_line() -> None:
    original = Stored(2, 7, 0, b"AAPL", {"line": "line-0a", "line_seq": "5", "trace": "x"}, b"")
    payload = json.dumps(_TICK).encode()
    out = _sent(_of_job(payload, place=17), _world(original))
    assert out == Outgoing("AAPL", payload, {"trace": "x", "dead_letter": "0-17"}, epoch_ms(_NOON + timedelta(hours=1)))


def test_letter_whose_message_kafka_has_no_more_is_keyed_by_its_symbol() -> None:
    assert _sent(_of_job(json.dumps(_TICK).encode()), _world(None)).key == "AAPL"
    assert _sent(_of_job(b"rubbish"), _world(None)).key is None


def test_message_of_a_tape_keeps_kafka_s_time() -> None:
    assert _sent(_of_job(b"rubbish"), _world(source="tape", late_limit=timedelta(0))).ts_ms == epoch_ms(_NOON)


@pytest.mark.parametrize(
    ("letter", "changes", "sentence"),
    [
        (_of_job(json.dumps(_TICK).encode(), "too_late"), {}, "restate --session 2026-11-20"),
        (_of_job(json.dumps(_TICK).encode()), {"now": _NOON + timedelta(hours=27)}, "restate --session 2026-11-20"),
        (_of_job(b"", "empty"), {}, "nothing to send"),
        (letter_of(_record(b"rubbish")), {}, "no dead letter"),
        (_of_feed(b"rubbish", "not_json"), {}, "still no tick: not_json"),
        (_of_feed(_frame(id="NOSUCH"), "not_subscribed"), {}, "still no tick: not_subscribed"),
        (_of_feed(_frame(price=-1.0), "price_invalid"), {}, "still no tick: price_invalid"),
        (_of_feed(b'{"symbol":"AAPL","quoteType":"NONE"}', "no_price"), {}, "still no tick: no_price"),
        (_of_feed(b'{"ts_event_ms":1,"symbol":"AAPL","price":"NaN"}'), {"source": "tape"}, "still no tick: price_invalid"),
        (_of_feed(b'{"ts_event_ms":"x","symbol":"AAPL"}'), {"source": "tape"}, "still no tick: price_invalid"),
        (_of_feed(_frame()), {"is_shifted": True}, "play the tape again"),
    ],
)
def test_what_is_still_no_tick_is_refused_with_a_sentence(letter: Letter, changes: dict[str, Any], sentence: str) -> None:
    out = prepare(letter, _world(**changes))
    assert isinstance(out, str)
    assert sentence in out


@pytest.mark.parametrize(
    ("payload", "source", "day_volume"),
    [
        (_frame(), "yahoo", 900),
        (
            json.dumps(
                {
                    "symbol": "AAPL",
                    "quoteType": "EQUITY",
                    "regularMarketPrice": 100.5,
                    "regularMarketTime": epoch_ms(_NOON) // 1000,
                    "regularMarketVolume": 800,
                }
            ).encode(),
            "yahoo",
            800,
        ),
        (json.dumps({"price": "100.50", "ts_event_ms": epoch_ms(_NOON), "symbol": "AAPL", "size": 5}).encode(), "tape", None),
    ],
)
def test_what_the_feed_refused_is_sent_as_a_suspect_tick(payload: bytes, source: str, day_volume: int | None) -> None:
    out = _sent(_of_feed(payload), _world(source=source))
    tick = json.loads(out.value)
    assert (tick["symbol"], tick["price"], tick["day_volume"], tick["ts_event"]) == ("AAPL", "100.5", day_volume, epoch_ms(_NOON))
    assert (tick["is_suspect"], tick["is_continuous"], tick["session_phase"]) == (True, False, "regular")
    assert (tick["line"], tick["source"], out.key, out.headers) == ("dead-letters", source, "AAPL", {"dead_letter": "0-0"})


@given(st.binary() | st.builds(lambda fields: json.dumps(fields).encode(), st.dictionaries(st.sampled_from(
    ["symbol", "ts_event_ms", "price", "type", "message", "regularMarketPrice", "regularMarketTime", "day_volume"]
), st.none() | st.text() | st.integers() | st.floats() | st.booleans())))  # fmt: skip
def test_any_bytes_are_judged_and_nothing_is_raised(payload: bytes) -> None:
    for letter in (_of_feed(payload), _of_job(payload)):
        assert rehearse([letter], _world())[0].state in ("ready", "refused")
        assert rehearse([letter], _world(source="tape"))[0].state in ("ready", "refused")


@pytest.mark.parametrize(
    ("headers", "expected"), [({"is_continuous": "true"}, True), ({"is_continuous": "false"}, False), ({}, False)]
)
def test_refusal_is_no_gap_where_the_line_knew_of_none(headers: dict[str, str], expected: bool) -> None:
    refusal = refusal_json(Refusal("spike", "as seen", _NOON, 3, _frame))
    sent = _sent(letter_of(_record(refusal, **headers)), _world())
    assert json.loads(sent.value)["is_continuous"] is expected


def test_trail_of_another_letter_is_not_shown(tmp_path: Path) -> None:
    trail = tmp_path / "replays.jsonl"
    letter = _of_job(b"", place=1)
    assert replays_of(letter, trail) == []
    trail.write_text('{"id": "0-11", "detail": "\\"0-1\\""}\n{"id": "0-1", "detail": ""}\n')
    assert replays_of(letter, trail) == [{"id": "0-1", "detail": ""}]
