"""Generated passwords and the profile's chosen settings, as files that only their owner can read."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from stock_platform.names import PREFIX, ROLES


def ensure_secrets(home: Path) -> None:
    """Write a password for each role that has none yet; existing ones stay."""
    ensure_passwords(home / "secrets.env")


def ensure_passwords(path: Path) -> None:
    """The same in a file of any name, beside what else is there."""
    known = read_env(path)
    wanted = {f"{PREFIX}POSTGRES_{role.upper()}_PASSWORD": secrets.token_urlsafe(24) for role in ROLES}
    if wanted.keys() - {name for name, value in known.items() if value}:
        write_env(path, {**wanted, **{name: value for name, value in known.items() if value}})


def read_env(path: Path) -> dict[str, str]:
    """NAME=value lines of a file, without its comments; nothing when it is not there."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines if line.strip() and not line.startswith("#"))


def write_env(path: Path, values: Mapping[str, object]) -> None:
    """Write NAME=value lines, for the owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    unfinished.replace(path)
