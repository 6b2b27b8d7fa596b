"""What the functions on AWS import is what `cloud/build` puts into their package, in the versions that the tests ran with."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

from stock_platform.config import ROOT

HANDLERS = ("fetch_function", "api_function")
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text()))


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Every module that a handler reaches, also inside functions; another library by its first name."""
    graph = grimp.build_graph("stock_platform", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None)
    return {module for name in HANDLERS for module in graph.find_upstream_modules(f"stock_platform.cloud.{name}")}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_package_on_aws_has_the_version_that_is_locked_here(lock: str) -> None:
    cloud, here = pins(ROOT / "cloud/requirements.lock"), pins(ROOT / lock)
    shared = cloud.keys() & here.keys()
    assert {"pydantic", "fastapi", "yfinance"} <= shared
    assert {name: cloud[name] for name in shared} == {name: here[name] for name in shared}


def test_package_on_aws_was_installed_when_the_tests_ran() -> None:
    """The development's lock has all of the functions' packages: nothing is deployed that no test has imported."""
    assert pins(ROOT / "cloud/requirements.lock").keys() <= pins(ROOT / "requirements-dev.lock").keys()


def test_every_library_that_a_function_imports_is_in_its_lock(imported: set[str]) -> None:
    owners = packages_distributions()
    roots = {module for module in imported if not module.startswith("stock_platform")}
    needed = {owner.lower().replace("_", "-") for root in roots for owner in owners.get(root, [])}
    assert {"boto3", "mangum", "yfinance"} <= needed
    assert needed <= pins(ROOT / "cloud/requirements.lock").keys()


def test_every_module_that_a_function_imports_is_copied_by_the_build(imported: set[str]) -> None:
    (folders,) = re.findall(r"^cp -R stock_platform/\{([a-z,]+)\}", (ROOT / "cloud/build").read_text(), re.MULTILINE)
    ours = [module.split(".")[1] for module in imported if module.startswith("stock_platform.")]
    assert {name for name in ours if (ROOT / "stock_platform" / name).is_dir()} <= set(folders.split(","))
