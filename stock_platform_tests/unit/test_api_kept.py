"""Answers that many ask for at once: found once, kept for a moment, failures not at all."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from stock_platform.api.kept import Kept

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TurnedClock:
    """Goes when it is told to."""

    instant = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def sleep(self, duration: timedelta) -> None:
        self.instant += duration


class Source:
    """Counts how often it is asked; waits for the test's word, if it is to."""

    def __init__(self) -> None:
        self.count = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def find(self) -> bytes:
        assert self.may_answer.wait(5)
        self.count += 1
        return b"%d" % self.count

    def fail(self) -> bytes:
        raise ZeroDivisionError


async def test_answer_is_kept_for_a_moment_and_found_anew_after_it() -> None:
    clock, source = TurnedClock(), Source()
    kept = Kept(clock, for_=timedelta(seconds=1))
    assert [await kept.answer(("", 1), source.find) for _ in range(2)] == [b"1", b"1"]
    assert await kept.answer(("", 2), source.find) == b"2"
    clock.sleep(timedelta(seconds=2))
    assert await kept.answer(("", 1), source.find) == b"3"


async def test_answer_that_is_hardly_too_old_is_given_while_the_next_one_is_found() -> None:
    clock, source = TurnedClock(), Source()
    kept = Kept(clock, for_=timedelta(seconds=1))
    assert await kept.answer(("", 1), source.find) == b"1"
    clock.sleep(timedelta(seconds=1))
    source.may_answer.clear()
    assert [await kept.answer(("", 1), source.find) for _ in range(2)] == [b"1", b"1"]
    clock.sleep(timedelta(seconds=0.9))
    assert await kept.answer(("", 1), source.find) == b"1"
    clock.sleep(timedelta(seconds=0.1))
    waiting = asyncio.ensure_future(kept.answer(("", 1), source.find))
    await asyncio.sleep(0)
    source.may_answer.set()
    assert await waiting in (b"2", b"3")


async def test_many_that_ask_at_once_wait_for_one_answer() -> None:
    source = Source()
    source.may_answer.clear()
    kept = Kept(TurnedClock())
    asking = [asyncio.ensure_future(kept.answer(("", 1), source.find)) for _ in range(10)]
    await asyncio.sleep(0)
    source.may_answer.set()
    assert await asyncio.gather(*asking) == [b"1"] * 10


async def test_failure_is_kept_for_nobody_else() -> None:
    kept, source = Kept(TurnedClock()), Source()
    with pytest.raises(ZeroDivisionError):
        await kept.answer(("", 1), source.fail)
    assert await kept.answer(("", 1), source.find) == b"1"


async def test_cursors_that_are_made_up_take_no_room() -> None:
    kept, source = Kept(TurnedClock()), Source()
    for number in range(65):
        await kept.answer((f"S{number}", 1), source.find)
    assert await kept.answer(("S64", 1), source.find) == b"65"
    assert await kept.answer(("S0", 1), source.find) == b"66"
