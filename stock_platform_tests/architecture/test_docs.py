"""The documents say what is there: every command, option, make target, port, setting, file and link that they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from stock_platform.cli import app
from stock_platform.config import PREFIX, ROOT, Settings

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_ROOTS = (ROOT, ROOT / "docs", ROOT / "stock_platform", ROOT / "stock_platform_tests")
_FILE = re.compile(r"`((?:[\w.-]+/)+[\w.*-]+\.(?:py|sql|md|yaml|yml|json|java|tsx?|sh|toml|svg))`")
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def code(text: str) -> Iterator[str]:
    """Lines of code blocks, fenced or indented, and code spans."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for block in (*fenced, *re.findall(r"^ {4}(.*)$", text, re.MULTILINE)):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def slug(heading: str) -> str:
    """A heading's anchor, as the usual viewers make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    lost: list[str] = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text()):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            lost.append(link)
        elif anchor and anchor not in map(slug, re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)):
            lost.append(link)
    assert lost == []


@each_document
def test_files_exist(path: Path) -> None:
    named = _FILE.findall(path.read_text())
    assert [name for name in named if not any(list(root.glob(name)) for root in _ROOTS)] == []


@each_document
def test_commands_and_options_exist(path: Path) -> None:
    lost: list[str] = []
    for line in code(path.read_text()):
        for words in re.findall(r"stock-platform ([a-z][^#;]*)", line):
            lost += [f"{line}: {problem}" for problem in _problems(words)]
    assert lost == []


def _problems(words: str) -> Iterator[str]:
    """What of a command line is not known."""
    command: Any = typer.main.get_command(app)
    first, *rest = re.sub(r'[][…)"]', " ", words).split()
    if first not in command.commands:
        yield f"no command {first}"
        return
    found = [command.commands[first]]
    if hasattr(found[0], "commands") and rest:
        verbs = rest[0].split("|")
        yield from (f"no verb {verb}" for verb in verbs if verb not in found[0].commands)
        found = [found[0].commands[verb] for verb in verbs if verb in found[0].commands]
    known = {option for each in found for parameter in each.params for option in parameter.opts}
    yield from (f"no option {word}" for word in rest if word.startswith("--") and word not in known)


@each_document
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {match for line in code(path.read_text()) for match in re.findall(r"(?:^|\s)make ([a-z]+)(?=$|\s|\))", line)}
    assert named - targets == set()


@each_document
def test_ports_are_those_of_the_stack(path: Path) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    ports = {str(value) for name, value in settings.model_dump().items() if name.endswith("_port")}
    assert set(re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", path.read_text())) - ports == set()


@each_document
def test_settings_exist(path: Path) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = re.findall(rf"{PREFIX}[A-Z][A-Z_]*[A-Z]\b(?!_)", path.read_text())
    assert {name for name in named if name not in known} == set()


@pytest.mark.parametrize("path", [ROOT / "docs/runbook.md", ROOT / "docs/architecture.md"], ids=lambda path: path.name)
def test_checks_jobs_and_sensors_exist(path: Path) -> None:
    graph = (ROOT / "stock_platform_tests/architecture/asset_graph.txt").read_text()
    known = {line.split()[-1] for line in graph.splitlines() if not line.startswith("asset ")}
    named = re.findall(r"(?:\b[Cc]heck|\b[Ss]ensor|\b[Jj]ob|Jobs →|Automation →) `([a-z_]+)`", path.read_text())
    assert set(named) - known == set()


def test_dashboards_and_panels_of_the_runbook_exist() -> None:
    dashboards = "".join(each.read_text() for each in (ROOT / "grafana/dashboards").rglob("*.json"))
    titles = set(re.findall(r'"title": "([^"$,]+)', dashboards))
    runbook = (ROOT / "docs/runbook.md").read_text()
    named = set(re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", runbook))
    assert named
    assert named - titles == set()
