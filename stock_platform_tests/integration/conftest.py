"""A real Postgres with every migration applied, one for all tests of the folder; AWS, one for each file that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from stock_platform.config import Settings
from stock_platform_tests.database import migrated_database

if TYPE_CHECKING:
    from stock_platform_tests.aws import Cloud


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an empty, migrated database."""
    with migrated_database(tmp_path_factory.mktemp("database")) as settings:
        yield settings


@pytest.fixture(scope="module")
def aws_service() -> Iterator[Cloud]:
    """DynamoDB and SQS in this process."""
    from stock_platform_tests.aws import cloud  # most files need none: moto takes seconds to import

    with cloud() as found:
        yield found


@pytest.fixture
def aws(aws_service: Cloud) -> Cloud:
    """With an empty table and an empty queue."""
    aws_service.renew()
    return aws_service
