"""What verbs say to a symbol that nobody watches and to a day without a session, over a real Postgres with one symbol, A."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stock_platform.adapters.postgres import connect
from stock_platform.cli import app
from stock_platform.config import Settings
from stock_platform_tests.staged import empty_market


@pytest.fixture
def environment(database: Settings, tmp_path: Path) -> Iterator[dict[str, str]]:
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute("TRUNCATE quality.gap")
        yield {
            "STOCK_PLATFORM_DATA_DIR": str(tmp_path),
            "STOCK_PLATFORM_PROFILE": "simulator",
            "STOCK_PLATFORM_POSTGRES_PORT": str(database.postgres_port),
            "STOCK_PLATFORM_POSTGRES_GATE_OWNER_PASSWORD": database.password("gate_owner"),
        }
        connection.execute("TRUNCATE ops.protected_session")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gaps", "--symbol", "NOPE"], "Symbol NOPE is not watched; expected one of A."),
        (["quarantine", "list", "--symbol", "nope"], "Symbol NOPE is not watched; expected one of A."),
        (["passport", "NOPE", "2026-11-20T14:30Z"], "Symbol NOPE is not watched; expected one of A."),
        (["protect", "--session", "1999-01-04", "--reason", "audited"], "known sessions go from 2026-11-20 to 2026-11-20"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(environment: dict[str, str], words: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, words, env=environment)
    assert done.exit_code == 2
    assert sentence in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gaps", "--symbol", "a"], "no minute is missing"),
        (["quarantine", "list", "--symbol", "a"], "no such bar in quarantine"),
        (["protect", "--session", "2026-11-20", "--reason", "audited"], "session 2026-11-20 is protected"),
        (["protect", "--session", "1999-01-04", "--lift"], "session 1999-01-04 may be restated; it was not protected"),
    ],
)
def test_what_there_is_is_answered(environment: dict[str, str], words: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, words, env=environment)
    assert (done.exit_code, sentence in done.output) == (0, True), done.output
