"""The shape of the code: sizes, names, what is rendered, and that nothing of this machine is in it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from stock_platform.commands.rendering import rendered_files
from stock_platform.config import ROOT, Settings

MODULES = sorted((ROOT / "stock_platform").rglob("*.py"))
TRACKED = [
    ROOT / name
    for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    if (ROOT / name).is_file()
]
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npm" + "js", "repo.maven" + ".apache", "repo1" + ".maven")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text))
    assert path.stem not in {"utils", "common", "helpers", "core", "misc"}


def test_no_registry_is_named_in_any_file() -> None:
    found = [
        (str(path.relative_to(ROOT)), host) for path in TRACKED for host in REGISTRIES if host in path.read_text(errors="ignore")
    ]
    assert found == []


@pytest.mark.parametrize("path", rendered_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_rendered_file_is_fresh(path: Path) -> None:
    assert path.read_text() == rendered_files()[path], "run `stock-platform render`"


def test_every_setting_of_the_example_exists_and_has_its_default() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.removeprefix("STOCK_PLATFORM_").split("=", 1) for line in lines if line.startswith("STOCK_PLATFORM_")]
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    for name, value in pairs:
        default = getattr(settings, name.lower())
        shown = "" if default is None else str(default).replace(f"{ROOT}/", "")
        assert (float(shown) == float(value)) if re.fullmatch(r"\d+(\.\d+)?", value) else (shown == value), name


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 80
