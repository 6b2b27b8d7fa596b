"""Which code runs: asked of git where there is a clone, else of the installed package."""

import hashlib
import subprocess
from importlib import metadata
from pathlib import Path

from stock_platform.adapters import processes
from stock_platform.errors.stack import CommandFailed

_DESCRIBE = ("--no-optional-locks", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes")
_WITHIN_S = 10.0


def code_version(root: Path) -> str:
    """Commit of the clone, with `+changes` where tracked files differ from it; the package's version where git does not tell.

    Args:
        root: Folder of the clone, if it is one.
    """
    if not (root / ".git").exists():
        return _package_version()
    try:
        return processes.run(("git", "-C", str(root), *_DESCRIBE), within_s=_WITHIN_S).strip()
    except (CommandFailed, OSError, subprocess.TimeoutExpired):
        return _package_version()


def source_version(folder: Path) -> str:
    """Of this folder's Python files alone: the same as long as none of them is changed, added or renamed."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def _package_version() -> str:
    try:
        return metadata.version("stock-platform")
    except metadata.PackageNotFoundError:
        return "unknown"
