"""Frames of the simulated stream, and what each fault of the stream makes of them; a scenario's file."""

import base64
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stock_platform.contracts.epoch import EPOCH
from stock_platform.errors import FaultNameTaken, FaultUnknown, ScenarioInvalid
from stock_platform.feed.simulator.distortion import Frames
from stock_platform.feed.simulator.fault import FAULT, Cut
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.market import Market
from stock_platform.feed.simulator.scenario import load_scenario
from stock_platform.feed.simulator.world import World
from stock_platform.feed.tick import Candidate
from stock_platform.feed.watchlist import load_watchlist
from stock_platform.feed.yahoo.pricing import Decoder, Frame
from stock_platform_tests.simulators import parsed

_MARKET = Market(
    [each for each in load_watchlist() if each.symbol in ("AAPL", "MSFT", "BTC-USD")], seed=7, hours="always", rate="full"
)
_START = int(datetime(2026, 11, 23, 15, tzinfo=UTC).timestamp())
_ISO = "2026-11-23T15:00:00Z"


def _frames(*faults: dict[str, Any], seed: int = 7) -> Frames:
    known = Faults(seed=seed)
    for fault in faults:
        known.add(FAULT.validate_python({"start": _ISO, **fault}), now=0)
    return Frames(World(_MARKET, known), known, hours="always")


def _sent(frames: Frames, *, symbol: str = "AAPL", seconds: int = 1, start: int = _START) -> list[bytes]:
    """What a connection with the symbol gets in so many seconds: at full rate, one frame a second without faults."""
    return [frame for second in range(start, start + seconds) for frame in frames.of([symbol], second).get(symbol, [])]


def test_frame_is_yahoo_s() -> None:
    (frame,) = _sent(_frames())
    assert json.loads(frame)["type"] == "pricing"
    pricing = parsed(frame)
    assert (pricing.id, pricing.time, pricing.exchange, pricing.quote_type, pricing.market_hours) == (
        "AAPL",
        _START * 1000,
        "NYQ",
        8,
        1,
    )
    assert pricing.day_volume > 0
    assert pricing.change == pytest.approx(pricing.price - pricing.previous_close, abs=1e-4)
    assert not pricing.HasField("last_size")


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_coin_carries_the_volume_of_the_last_24_hours_three_times(hour: int) -> None:
    """Expected: what the market's own session volumes grew by between the two instants."""
    second = _START - _START % 86_400 + 3_600 * hour + 30
    (pricing,) = (parsed(frame) for frame in _sent(_frames(), symbol="BTC-USD", start=second))
    midnight = second - second % 86_400
    today, before, then = (
        _traded(start, end)
        for start, end in ((midnight, second), (midnight - 86_400, midnight - 1), (midnight - 86_400, second - 86_400))
    )
    assert pricing.day_volume == today + before - then
    assert pricing.day_volume > 20_000_000_000, "some 68 billion a day in the watchlist, at any hour"
    assert pricing.last_size == pricing.vol_24hr == pricing.day_volume


def _traded(midnight: int, second: int) -> int:
    """Session volume of the coin at that second of the day; at full rate each second has an update."""
    block = _MARKET.block("BTC-USD", second - second % 900)
    assert block.seconds[0] >= midnight
    return int(block.volumes[block.seconds <= second][-1])


def test_equities_of_a_market_that_never_closes_keep_their_session_s_volume() -> None:
    """The tick as the feed decodes it; a coin's has none."""
    decoded = {symbol: _decoded(symbol) for symbol in ("AAPL", "BTC-USD")}
    assert decoded["AAPL"].day_volume is not None
    assert (decoded["BTC-USD"].day_volume, decoded["BTC-USD"].size) == (None, None)


def _decoded(symbol: str) -> Candidate:
    (body,) = _sent(_frames(), symbol=symbol)
    found = Decoder().decode(Frame(body, EPOCH, EPOCH, 0))
    assert isinstance(found, Candidate)
    return found


def test_pre_market_frame_carries_an_explicit_phase_and_no_volume() -> None:
    market = Market(load_watchlist(), seed=7, hours="exchange", rate="full")
    faults = Faults(seed=7)
    (frame,) = _sent(Frames(World(market, faults), faults, hours="exchange"), start=_START - 3 * 3600)
    pricing = parsed(frame)
    assert pricing.HasField("market_hours")
    assert (pricing.market_hours, pricing.HasField("day_volume")) == (0, False)


@pytest.mark.parametrize(
    ("kind", "pct"),
    [({"kind": "spike", "pct": 5}, 5.0), ({"kind": "unit", "factor": 100}, 9_900), ({"kind": "unit", "factor": 0.01}, -99)],
)
def test_price_faults_move_the_price_of_the_stream(kind: dict[str, Any], pct: float) -> None:
    wrong, right = (parsed(_sent(frames)[0]).price for frames in (_frames(kind), _frames()))
    assert wrong == pytest.approx(right * (1 + pct / 100), rel=1e-5)
    assert parsed(_sent(_frames(kind), start=_START - 1)[0]).price == parsed(_sent(_frames(), start=_START - 1)[0]).price


def test_spike_is_one_print_a_symbol() -> None:
    wrong, right = (_sent(frames, seconds=30) for frames in (_frames({"kind": "spike", "pct": 5}), _frames()))
    assert wrong[0] != right[0]
    assert wrong[1:] == right[1:]


def test_share_hits_about_that_part_and_always_the_same() -> None:
    fault = {"kind": "spike", "pct": 5, "share": 0.2}
    wrong, again, right = (_sent(frames, seconds=900) for frames in (_frames(fault), _frames(fault), _frames()))
    hit = sum(one != other for one, other in zip(wrong, right, strict=True))
    assert 120 < hit < 240  # 180 expected, deviation 12
    assert wrong == again
    assert wrong != _sent(_frames(fault, seed=8), seconds=900)


def test_duration_ends_a_fault_and_symbols_bound_it() -> None:
    frames, right = _frames({"kind": "unit", "factor": 100, "symbols": ["AAPL"], "duration_s": 10}), _frames()
    wrong = [one != other for one, other in zip(_sent(frames, seconds=20), _sent(right, seconds=20), strict=True)]
    assert wrong == [True] * 10 + [False] * 10
    assert _sent(frames, symbol="MSFT", seconds=20) == _sent(right, symbol="MSFT", seconds=20)


def test_skew_moves_the_time() -> None:
    (frame,) = _sent(_frames({"kind": "skew", "seconds": -90}))
    assert parsed(frame).time == (_START - 90) * 1000


def test_duplicate_is_sent_twice() -> None:
    (right,) = _sent(_frames())
    assert _sent(_frames({"kind": "duplicate"})) == [right, right]


def test_reordered_frame_comes_after_its_successor() -> None:
    right = _sent(_frames(), seconds=3)
    frames = _frames({"kind": "reorder", "duration_s": 1})
    assert _sent(frames, seconds=3) == [right[1], right[0], right[2]]


def test_volume_goes_back_within_a_second() -> None:
    first, second = (parsed(frame) for frame in _sent(_frames({"kind": "volume_back", "pct": 1})))
    assert first.time == second.time
    assert second.day_volume == int(first.day_volume * 0.99)


@pytest.mark.parametrize(
    ("how", "is_bad"),
    [
        ("not_json", lambda frame: not frame.startswith(b"{")),
        ("no_message", lambda frame: "message" not in json.loads(frame)),
        ("bad_base64", lambda frame: json.loads(frame)["message"] == "%%%"),
        ("bad_protobuf", lambda frame: base64.b64decode(json.loads(frame)["message"]) == b"\xff\xff\xff"),
        (
            "price_string",
            lambda frame: not parsed(frame).HasField("price") and b"1e3.0" in base64.b64decode(json.loads(frame)["message"]),
        ),
        ("price_nan", lambda frame: math.isnan(parsed(frame).price)),
        ("price_negative", lambda frame: parsed(frame).price < 0),
        ("price_zero", lambda frame: parsed(frame).price == 0),
        ("future", lambda frame: parsed(frame).time == (_START + 3600) * 1000),
        ("unknown_symbol", lambda frame: parsed(frame).id == "NOSUCH"),
    ],
)
def test_bad_frame_comes_before_the_right_one_or_instead_of_it(how: str, is_bad: Any) -> None:
    (right,) = _sent(_frames())
    bad, good = _sent(_frames({"kind": "bad_frame", "how": how}))
    assert good == right
    assert is_bad(bad)
    assert not how.startswith("price") or parsed(bad).id == "AAPL"
    assert _sent(_frames({"kind": "bad_frame", "how": how, "instead": True})) == [bad]


def test_unknown_fields_ride_on_a_right_frame() -> None:
    (right,), (frame,) = _sent(_frames()), _sent(_frames({"kind": "bad_frame", "how": "unknown_field"}))
    plain, with_more = (base64.b64decode(json.loads(each)["message"]) for each in (right, frame))
    # Tags of fields 46 and 47 with wire type 5 (four bytes): 46 * 8 + 5 = 373 and 47 * 8 + 5 = 381, as varints.
    assert with_more.startswith(plain)
    assert with_more[len(plain) :] == b"\xf5\x02\x00\x00\xc0\x3f\xfd\x02\x00\x00\xc0\x3f"


def test_scenario_is_read_from_yaml_and_json(tmp_path: Path) -> None:
    (path := tmp_path / "scenario.yaml").write_text(
        "faults:\n  - {kind: cut, after_s: 60, code: 1011}\n  - {kind: mute, connection: 0}\n"
    )
    first, second = load_scenario(path)
    assert first == Cut(kind="cut", after_s=60, code=1011)
    assert second.kind == "mute"
    (other := tmp_path / "scenario.json").write_text(
        '{"faults": [{"kind": "halt", "symbols": ["AAPL"], "start": "2026-11-23T15:00:00Z"}]}'
    )
    assert load_scenario(other)[0].symbols == ("AAPL",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("faults:\n  - {kind: halt}\n  - {kind: quake}\n", ("line 3", "quake")),
        ("faults:\n  - kind: halt\n    share: 2\n", ("line 3", "share")),
        ("faults:\n  - kind: halt\n    start: 2026-11-23T15:00:00Z\n    after_s: 3\n", ("line 2", "not both")),
        ("faults:\n  - kind: cut\n    code: 1006\n", ("line 2", "1006")),
        ("faults:\n  - kind: halt\n    pct: 3\n", ("line 3", "pct")),
        ("faults:\n  - kind: halt\n    start: 2026-11-23T15:00:00\n", ("line 3", "timezone")),
        ("faults: [\n", ("line 2", "neither YAML nor JSON")),
        ("- 1\n", ("line 1", "dictionary")),
    ],
)
def test_bad_scenario_is_refused_with_its_line_and_the_reason(text: str, expected: tuple[str, str], tmp_path: Path) -> None:
    (path := tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ScenarioInvalid) as caught:
        load_scenario(path)
    for part in expected:
        assert part in str(caught.value)


def test_names_of_faults_are_given_kept_and_refused() -> None:
    faults = Faults(seed=7)
    assert [faults.add(FAULT.validate_python({"kind": "mute"}), now=0).id for _ in range(2)] == ["mute-1", "mute-2"]
    faults.add(FAULT.validate_python({"kind": "mute", "id": "quiet"}), now=0)
    with pytest.raises(FaultNameTaken):
        faults.add(FAULT.validate_python({"kind": "halt", "id": "quiet"}), now=0)
    faults.remove("quiet")
    with pytest.raises(FaultUnknown, match="mute-1, mute-2"):
        faults.remove("quiet")
