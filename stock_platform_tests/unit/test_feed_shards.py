"""How symbols are shared out, what moves when a shard joins or leaves, and when a line may give a symbol away."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.feed.shards import Change, Watch, change_of, line_name, shard_named, shard_of
from stock_platform.feed.watchlist import Instrument, Sharing, load_watchlist

_INSTRUMENTS = load_watchlist()
_MANY = [f"S{n}" for n in range(5_000)]


def _watch(shards: int, redundancy: int = 1, instruments: tuple[Instrument, ...] = _INSTRUMENTS) -> Watch:
    return Watch(instruments, Sharing(shards=shards, redundancy=redundancy))


def test_shards_are_even_and_a_joining_one_takes_only_its_own() -> None:
    before, after = ([shard_of(symbol, shards) for symbol in _MANY] for shards in (4, 5))
    assert all(1_150 < before.count(shard) < 1_350 for shard in range(4))
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert {new for _, new in moved} == {4}
    assert 0.17 < len(moved) / len(_MANY) < 0.23


@pytest.mark.parametrize(("shards", "redundancy"), [(1, 1), (3, 1), (2, 2), (8, 3)])
def test_every_symbol_is_on_as_many_lines_as_redundancy_says(shards: int, redundancy: int) -> None:
    watch = _watch(shards, redundancy)
    carried = [each.symbol for share in watch.shares for each in share.instruments]
    assert sorted(carried) == sorted(each.symbol for each in _INSTRUMENTS for _ in range(redundancy))
    assert [share.line for share in watch.shares[: redundancy + 1]][:redundancy] == ["line-0a", "line-0b", "line-0c"][:redundancy]
    for share in watch.shares:
        assert shard_named(share.line) == share.shard
        assert all(share.line in watch.owners(each.symbol) for each in share.instruments)


def test_line_takes_on_what_is_new_at_once() -> None:
    watch = _watch(1)
    assert {each.symbol for each in change_of("line-0a", ["AAPL"], watch=watch, carried={}).add} == set(watch.by_symbol) - {"AAPL"}


def test_symbol_that_moves_is_kept_until_its_new_owner_carries_it() -> None:
    watch, held = _watch(2), [each.symbol for each in _INSTRUMENTS]
    moving = {symbol for symbol in held if shard_of(symbol, 2) == 1}
    assert change_of("line-0a", held, watch=watch, carried={}) == Change()
    one = min(moving)
    assert change_of("line-0a", held, watch=watch, carried={"line-1a": frozenset({one})}) == Change(drop=(one,))
    by_a_stranger = {"line-7a": frozenset(moving), "line-0b": frozenset(moving)}
    assert change_of("line-0a", held, watch=watch, carried=by_a_stranger) == Change()


def test_symbol_that_nobody_watches_any_more_is_dropped_at_once() -> None:
    assert change_of("line-0a", ["AAPL", "GONE"], watch=_watch(1, instruments=_INSTRUMENTS[:1]), carried={}).drop == ("GONE",)


def test_twin_that_is_not_wanted_any_more_leaves_when_the_other_carries_all() -> None:
    watch, held = _watch(1), [each.symbol for each in _INSTRUMENTS]
    assert change_of("line-0b", held, watch=watch, carried={"line-0a": frozenset(held[1:])}).drop == tuple(held[1:])
    assert change_of("line-0b", held[:1], watch=watch, carried={"line-0a": frozenset(held)}).drop == tuple(held[:1])


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 2)), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_no_symbol_is_ever_without_a_line_whatever_is_changed_when(changes: list[tuple[int, int]], order) -> None:  # type: ignore[no-untyped-def]
    """Lines settle one by one in any order, each by what the others last said; some see a change later than others."""
    lines: dict[str, set[str]] = {share.line: {each.symbol for each in share.instruments} for share in _watch(*changes[0]).shares}
    everything = {each.symbol for each in _INSTRUMENTS}
    for shards, redundancy in changes[1:]:
        watch = _watch(shards, redundancy)
        lines = {**{share.line: set() for share in watch.shares}, **lines}
        for _ in range(3):
            for line in order.sample(sorted(lines), len(lines)):
                _settle(line, lines, watch)
                assert set().union(*lines.values()) == everything
    final = _watch(*changes[-1])
    for _ in range(3):
        for line in sorted(lines):
            _settle(line, lines, final)
    assert {line: held for line, held in lines.items() if held} == {
        share.line: {each.symbol for each in share.instruments} for share in final.shares if share.instruments
    }


def _settle(line: str, lines: dict[str, set[str]], watch: Watch) -> None:
    carried: Mapping[str, frozenset[str]] = {name: frozenset(held) for name, held in lines.items() if name != line}
    change = change_of(line, sorted(lines[line]), watch=watch, carried=carried)
    lines[line] |= {each.symbol for each in change.add}
    lines[line] -= set(change.drop)


def test_line_is_awake_while_one_of_its_markets_trades_and_a_little_before() -> None:
    stocks = tuple(each for each in _INSTRUMENTS if each.calendar == "XNYS")
    share = _watch(1, instruments=stocks).share(line_name(0, 0))
    pre_market = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 04:00 New York on a Monday
    assert not share.is_awake(pre_market - timedelta(minutes=3))
    assert share.wakes_at(pre_market - timedelta(hours=30)) == pre_market - timedelta(minutes=2)
    assert share.is_awake(pre_market - timedelta(minutes=2))
    assert share.is_awake(pre_market)
    assert share.is_awake(datetime(2026, 11, 24, 0, 59, 59, tzinfo=UTC))
    post_end = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 20:00 New York
    assert share.is_awake(post_end + timedelta(seconds=29))
    assert not share.is_awake(post_end + timedelta(seconds=30))
    assert _watch(1).share("line-0a").is_awake(datetime(2026, 11, 22, 3, 0, tzinfo=UTC))
    assert not _watch(1).share("line-5a").is_awake(pre_market)
