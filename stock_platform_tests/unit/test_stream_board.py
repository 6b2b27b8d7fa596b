"""What a client of the stream is owed: the newest quote of each symbol, and after a break what it has missed."""

from datetime import UTC, datetime, timedelta

import pytest

from stock_platform.api.board import Board, Update

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = frozenset[str]()


def update(symbol: str, price: int, second: int = 0) -> Update:
    return Update(symbol, NOON + timedelta(seconds=second), b"%d" % price)


@pytest.fixture
def board() -> Board:
    """A at 1, B at 2, A at 3: three updates, two symbols."""
    board = Board("life")
    for each in (update("A", 1, 1), update("B", 2, 2), update("A", 3, 3)):
        board.put(each)
    return board


def event(number: int, price: int) -> bytes:
    return b"id: life-%d\nevent: quote\ndata: %d\n\n" % (number, price)


def test_client_that_has_seen_nothing_is_owed_the_newest_of_each_symbol(board: Board) -> None:
    due = board.due(0, ALL)
    assert due.chunk == event(2, 2) + event(3, 3)
    assert (due.count, due.until) == (2, 3)


def test_client_that_is_up_to_date_is_owed_nothing(board: Board) -> None:
    assert board.due(3, ALL).chunk == b""


def test_slow_client_is_owed_one_update_of_a_symbol_that_moved_often(board: Board) -> None:
    for second in range(4, 100):
        board.put(update("B", second, second))
    due = board.due(3, ALL)
    assert due.chunk == event(99, 99)
    assert due.until == 99


def test_client_of_one_symbol_is_owed_no_other_and_does_not_look_at_them_again(board: Board) -> None:
    due = board.due(0, frozenset({"B"}))
    assert due.chunk == event(2, 2)
    assert due.until == 3


def test_older_quote_and_a_repeat_are_not_shown(board: Board) -> None:
    assert not board.put(update("A", 9, 2))
    assert not board.put(update("A", 3, 3))
    assert board.due(3, ALL).count == 0


def test_another_quote_of_the_same_instant_is_shown(board: Board) -> None:
    assert board.put(update("A", 4, 3))


@pytest.mark.parametrize("last_id, missed", [("life-1", 2), ("life-2", 1), ("life-3", 0)])
def test_client_that_returns_is_owed_the_newest_of_each_symbol_that_it_missed(board: Board, last_id: str, missed: int) -> None:
    assert board.due(board.position(last_id), ALL).count == missed


@pytest.mark.parametrize("last_id", [None, "", "other-2", "life", "life-", "life-x", "life--1", "life-²", "life-" + "9" * 5_000])
def test_id_that_says_nothing_here_counts_as_none(board: Board, last_id: str | None) -> None:
    assert board.position(last_id) == 0


def test_id_of_the_future_is_owed_nothing_of_the_past(board: Board) -> None:
    assert board.position("life-9") == 3


def test_bytes_are_shared_among_clients_that_have_seen_the_same(board: Board) -> None:
    assert board.due(1, ALL).chunk is board.due(1, ALL).chunk
    board.put(update("A", 5, 5))
    assert board.due(1, ALL).chunk == event(2, 2) + event(4, 5)
