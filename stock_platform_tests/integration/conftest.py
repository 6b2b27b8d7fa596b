"""A real Postgres with every migration applied, one for all tests of the folder."""

from collections.abc import Iterator

import pytest

from stock_platform.config import Settings
from stock_platform_tests.database import migrated_database


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an empty, migrated database."""
    with migrated_database(tmp_path_factory.mktemp("database")) as settings:
        yield settings
