"""The workflow for users' own CI: make targets that exist, nothing taken under a name that somebody can move."""

import re
from typing import Any

import pytest
import yaml

from stock_platform.config import ROOT

TEXT = (ROOT / ".github/workflows/ci.yml").read_text()


@pytest.fixture(scope="module")
def commands() -> str:
    workflow: Any = yaml.safe_load(TEXT)
    return "\n".join(step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step)


def test_every_action_is_pinned_by_commit_and_says_its_version() -> None:
    used = re.findall(r"uses: (.+)$", TEXT, re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_same_action_has_one_commit() -> None:
    commits = set(re.findall(r"uses: ([\w/-]+)@([0-9a-f]+)", TEXT))
    assert len({action for action, _ in commits}) == len(commits)


def test_every_tool_is_pinned_by_version(commands: str) -> None:
    tools = re.findall(r"uv tool install (\S+)", commands)
    assert tools
    assert [tool for tool in tools if "==" not in tool] == []


def test_make_targets_and_own_files_exist(commands: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)", commands)) <= set(targets)
    files = re.findall(r"(?:--requirement|requirements) ([\w/-]+\.lock)|^(tools/[\w-]+)", commands, re.MULTILINE)
    assert [name for pair in files for name in pair if name and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("tool", ["pip-audit", "npm audit", "cyclonedx-py", "npm sbom", "detect-secrets-hook"])
def test_audit_bill_of_materials_and_secret_scan_are_run(commands: str, tool: str) -> None:
    assert tool in commands


@pytest.mark.parametrize("lock", ["requirements.lock", "cloud/requirements.lock"])
def test_each_deployed_lock_is_audited_and_listed(commands: str, lock: str) -> None:
    assert f"--requirement {lock}\n" in commands + "\n"
    assert f"cyclonedx-py requirements {lock} " in commands
