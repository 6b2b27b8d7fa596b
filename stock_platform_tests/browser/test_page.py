"""The built page in Chromium, against the real API application over a store in memory.

The checks themselves are in frontend/e2e, where they can also be run against a whole stack: `PAGE_URL=… npm run e2e`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stock_platform_tests.browser.servers import FRONTEND, api_without_stream, build_page, running_api, running_page, whole_api

CHECKS_LIMIT_S = 300


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the built page."""
    folder = tmp_path_factory.mktemp("dist")
    build_page(folder)
    return folder


@pytest.fixture(scope="module")
def page(built: Path) -> Iterator[str]:
    """Address of the served page."""
    with running_api(whole_api()) as api, running_page(api, built) as url:
        yield url


def test_page_lives_moves_and_heals_in_a_real_browser(page: str, tmp_path: Path) -> None:
    result = run_page_checks(page, screenshots=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    assert {path.stem for path in tmp_path.glob("*.png")} >= {"light", "axe-dark", "phone-dark", "reconnecting"}


def test_passports_market_and_quality_are_shown_in_a_real_browser(page: str, tmp_path: Path) -> None:
    result = run_page_checks(page, checks="views", screenshots=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    assert {path.stem for path in tmp_path.glob("*.png")} >= {"passport-light", "market-dark", "quality-phone-dark"}


def test_page_polls_where_the_api_has_no_stream(built: Path, tmp_path: Path) -> None:
    with running_api(api_without_stream()) as api, running_page(api, built) as url:
        result = run_page_checks(url, checks="polling", screenshots=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr


def test_api_that_dies_and_returns_is_said_and_no_earlier_sale_is_shown(built: Path, tmp_path: Path) -> None:
    with ExitStack() as first_life:
        api = first_life.enter_context(running_api(whole_api()))
        with running_page(api, built) as url, watching_reader(url, tmp_path) as steps:
            assert next(steps, "") == "live"
            first_life.close()
            assert next(steps, "") == "lost"
            with running_api(whole_api(), int(api.rpartition(":")[2])):
                assert next(steps, "") == "healed"


@contextmanager
def watching_reader(url: str, screenshots: Path) -> Iterator[Iterator[str]]:
    """A browser that says, step by step, what becomes of the page."""
    environment = {**os.environ, "PAGE_URL": url, "SCREENSHOTS": str(screenshots)}
    command = ["timeout", str(CHECKS_LIMIT_S), "node", "e2e/restart.mjs"]
    with subprocess.Popen(command, cwd=FRONTEND, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield (line.strip() for line in process.stdout)
    assert process.returncode == 0


def run_page_checks(url: str, *, checks: str = "page", screenshots: Path) -> "subprocess.CompletedProcess[str]":
    """Run a file of frontend/e2e against the page at `url`, of this test's servers or of a whole stack."""
    environment = {**os.environ, "PAGE_URL": url, "SCREENSHOTS": str(screenshots)}
    command = ["node", "--test", f"e2e/{checks}.test.mjs"]
    return subprocess.run(
        command, cwd=FRONTEND, env=environment, capture_output=True, text=True, timeout=CHECKS_LIMIT_S, check=False
    )
