"""What a newcomer sees after `make up`: prices that move, bars that are certified, a page that shows it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest

from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform_tests.browser.test_page import run_page_checks
from stock_platform_tests.running_stack import RunningStack, running_stack

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack on the simulated feed."""
    with running_stack(tmp_path_factory.mktemp("data"), "--feed", "simulator") as running:
        yield running


def test_prices_move(stack: RunningStack) -> None:
    def prices() -> set[tuple[str, str]]:
        items = httpx.get(f"http://127.0.0.1:{stack.settings.api_port}/stocks").json()["items"]
        return {(each["symbol"], each["quote"]["price"]) for each in items if each["quote"]}

    assert wait_until(lambda: len(prices()) >= 30, CLOCK, within=timedelta(seconds=90))
    before = prices()
    assert wait_until(lambda: len(prices() - before) >= 5, CLOCK, within=timedelta(seconds=60))


def test_stream_delivers_quotes(stack: RunningStack) -> None:
    url = f"http://127.0.0.1:{stack.settings.api_port}/stream"
    with httpx.stream("GET", url, timeout=30) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("event: quote"))
        assert next(lines)


def test_full_minutes_are_certified_as_passed(stack: RunningStack) -> None:
    query = "SELECT count(*) FROM market.bar_1m WHERE verdict = 'passed' AND source = 'simulator'"
    assert wait_until(lambda: stack.value(query) >= 30, CLOCK, within=timedelta(seconds=240), every=timedelta(seconds=2))
    assert stack.value("SELECT count(*) FROM quality.quarantine") == 0


def test_coins_have_no_volume_and_stocks_have(stack: RunningStack) -> None:
    query = "SELECT count(*) FROM market.bar_1m WHERE verdict = 'passed' AND symbol = 'BTC-USD'"
    assert wait_until(lambda: stack.value(query) >= 1, CLOCK, within=timedelta(seconds=240), every=timedelta(seconds=2))
    assert stack.value(f"{query} AND volume IS NULL AND vwap IS NULL") == stack.value(query)
    assert stack.value("SELECT count(*) FROM market.bar_1m WHERE symbol = 'AAPL' AND verdict = 'passed' AND volume IS NULL") == 0


def test_memory_of_the_whole_stack_is_bounded(stack: RunningStack) -> None:
    status = stack.status()
    assert status["healthy"], status
    assert status["memory_mib"] <= 3 * 1024


def test_killed_api_comes_back(stack: RunningStack) -> None:
    stack.kill_service("api")
    url = f"http://127.0.0.1:{stack.settings.api_port}/health/ready"

    def is_ready() -> bool:
        try:
            return httpx.get(url).is_success
        except httpx.HTTPError:
            return False

    assert wait_until(is_ready, CLOCK, within=timedelta(seconds=60))


def test_page_shows_it_in_a_real_browser(stack: RunningStack, tmp_path: Path) -> None:
    done = run_page_checks(f"http://127.0.0.1:{stack.settings.frontend_port}", screenshots=tmp_path)
    assert done.returncode == 0, done.stdout


def test_price_leads_to_its_bar_its_passport_and_its_run_in_dagster(stack: RunningStack, tmp_path: Path) -> None:
    done = run_page_checks(f"http://127.0.0.1:{stack.settings.frontend_port}", checks="stack", screenshots=tmp_path)
    assert done.returncode == 0, done.stdout
    assert {path.stem for path in tmp_path.glob("*.png")} == {"stack-passport", "stack-run"}


def test_crash_of_everything_is_recovered_by_the_next_up(stack: RunningStack) -> None:
    """A gate run that lost its process is declared failed by run monitoring, one that was being launched after two minutes; then
    the sensor asks for the next."""
    before = stack.certified()
    manager = psutil.Process(int((stack.settings.home / "supervisord.pid").read_text()))
    services = manager.children(recursive=True)
    for process in [manager, *services[::2]]:
        process.kill()

    assert stack.command("up", "--feed", "simulator").returncode == 0

    assert stack.status()["healthy"]
    count = "SELECT count(*) FROM market.bar_1m"
    assert wait_until(lambda: stack.value(count) > before.height, CLOCK, within=timedelta(seconds=300), every=timedelta(seconds=2))
    kept = stack.certified().join(before.select("symbol", "ts_start"), on=["symbol", "ts_start"], maintain_order="right")
    assert kept.equals(before)


def test_down_leaves_no_process_behind(stack: RunningStack) -> None:
    from stock_platform.adapters import processes
    from stock_platform.stack.supervisord import HOME_MARKER

    assert stack.command("down").returncode == 0
    assert processes.orphans_of(stack.settings.home, HOME_MARKER) == []
    assert stack.status()["healthy"] is False
