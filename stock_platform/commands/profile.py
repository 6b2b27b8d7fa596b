"""Turn the choices of `up` into a profile: which feed, which folder, which sessions; written down for every later command."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from stock_platform.adapters.processes import Supervisor
from stock_platform.config import PREFIX, Settings, load
from stock_platform.errors import ArchiveMissing, SettingInvalid, TapeChanged
from stock_platform.errors.stack import OtherProfileRuns
from stock_platform.feed.archive_file import archive_path
from stock_platform.feed.choice import tape_sessions
from stock_platform.feed.yahoo.probe import probe_yahoo
from stock_platform.stack.passwords import ensure_secrets, read_env, write_env

FEEDS = ("auto", "yahoo", "simulator", "tape")
_PROFILES = {"yahoo": "live", "simulator": "simulator", "tape": "tape"}
_PROBE_WITHIN = timedelta(seconds=4)


def choose_feed(wanted: str, url: str) -> tuple[str, str]:
    """The feed to use and one line that says why."""
    if wanted not in FEEDS:
        raise SettingInvalid("--feed", wanted, f"one of {', '.join(FEEDS)}")
    if wanted != "auto":
        return wanted, f"feed: {wanted}, as asked for"
    problem = probe_yahoo(url, _PROBE_WITHIN)
    if problem is None:
        return "yahoo", "feed: Yahoo's stream answers, so prices are live"
    return "simulator", f"feed: Yahoo's stream does not answer ({problem}), so the simulator speaks its protocol instead"


def running_profile(wanted: str, *, data_dir: Path | None) -> Settings | None:
    """Settings of the stack that runs already, to be left as they are; None when none runs.

    Raises:
        OtherProfileRuns: another feed is wanted than the one that runs.
    """
    settings = load(data_dir=data_dir)
    if not Supervisor(settings.home).alive():
        return None
    if wanted not in ("auto", settings.feed_kind):
        raise OtherProfileRuns(settings.profile, f"--feed {wanted}")
    return settings


def tape_to_replay(tape: Path | None, session: str | None, *, data_dir: Path | None) -> Path:
    """The file that `replay` is to play: the tape, or the archive of the current profile's session.

    Raises:
        SettingInvalid: neither or both are named, or the session is no date.
        ArchiveMissing: the session is not archived.
        TapeChanged: another tape is being played.
    """
    if (tape is None) == (session is None):
        raise SettingInvalid("--tape, --session", (tape, session), "one of them")
    settings = load(data_dir=data_dir)
    path = (tape or _archived(settings, session or "")).resolve()
    if settings.feed_kind == "tape" and settings.feed_tape != path and Supervisor(settings.home).alive():
        raise TapeChanged(settings.feed_tape or Path(), path, settings.home)
    return path


def _archived(settings: Settings, session: str) -> Path:
    try:
        path = archive_path(settings.home, date.fromisoformat(session))
    except ValueError:
        raise SettingInvalid("--session", session, "a date such as 2013-10-07") from None
    if not path.exists():
        known = sorted(each.stem.removeprefix("session_date=") for each in path.parent.glob("*.parquet"))
        raise ArchiveMissing(date.fromisoformat(session), path.parent, known)
    return path


def create_profile(
    feed: str, *, data_dir: Path | None, tape: Path | None, speed: float, as_live: bool, watchlist: Path | None
) -> Settings:
    """Write settings and passwords of the profile; returns what every service will see.

    Raises:
        SettingInvalid: a tape is wanted and none is named.
        TapeChanged: the profile's folder holds the data of another tape.
    """
    profile = _PROFILES[feed]
    before = load(data_dir=data_dir, profile=profile)
    values: dict[str, object] = {f"{PREFIX}FEED_KIND": feed}
    if watchlist:
        values[f"{PREFIX}FEED_WATCHLIST"] = watchlist.resolve()
    if feed == "tape":
        values |= _tape_values(before, tape, speed=speed, as_live=as_live)
    write_env(before.home / "settings.env", {**read_env(before.home / "settings.env"), **_ports(before), **values})
    ensure_secrets(before.home)
    (before.data_dir / "current").write_text(profile)
    return load(data_dir=data_dir, profile=profile)


def _tape_values(before: Settings, tape: Path | None, *, speed: float, as_live: bool) -> Mapping[str, object]:
    path = (tape or before.feed_tape or Path()).resolve()
    if not path.is_file():
        raise SettingInvalid("--tape", str(tape), "the path of a Parquet file of trades")
    if before.feed_tape and (before.home / "postgres").exists() and before.feed_tape != path:
        raise TapeChanged(before.feed_tape, path, before.home)
    first, last = tape_sessions(path)
    return {
        f"{PREFIX}FEED_TAPE": path,
        f"{PREFIX}FEED_TAPE_SPEED": speed,
        f"{PREFIX}FEED_TAPE_AS_LIVE": str(as_live).lower(),
        f"{PREFIX}SESSIONS_FIRST": first,
        **({} if as_live else {f"{PREFIX}SESSIONS_LAST": last}),
    }


def _ports(settings: Settings) -> dict[str, object]:
    """Ports as they are now, so that later commands find the stack without the environment of this one."""
    names = [name for name in type(settings).model_fields if name.endswith("_port")]
    return {f"{PREFIX}{name.upper()}": getattr(settings, name) for name in names}
