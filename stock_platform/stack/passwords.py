"""Generated passwords and the profile's chosen settings, as files that only their owner can read."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from stock_platform.config import PREFIX, ROLES


def ensure_secrets(home: Path) -> None:
    """Write a password for each role that has none yet; existing ones stay."""
    path = home / "secrets.env"
    known = read_env(path)
    wanted = {f"{PREFIX}POSTGRES_{role.upper()}_PASSWORD": secrets.token_urlsafe(24) for role in ROLES}
    if wanted.keys() - known.keys():
        write_env(path, {**wanted, **known})


def read_env(path: Path) -> dict[str, str]:
    """NAME=value lines of a file; nothing when it is not there."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}


def write_env(path: Path, values: Mapping[str, object]) -> None:
    """Write NAME=value lines, for the owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    unfinished.replace(path)
