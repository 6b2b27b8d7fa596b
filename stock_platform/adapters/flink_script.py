"""The text of a Flink job: parts of flink/sql put together and filled in, and what of it a job's state depends on.

Not here: its submission (adapters/flink), the states themselves (adapters/flink_state)."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from stock_platform.errors import SettingInvalid

STREAM = ("streaming.sql", "ddl.sql", "ticks_to_bars.sql", "ticks_to_quotes.sql", "dead_letters.sql")
"""The streaming job."""
RESTATEMENT_OF_TOPIC = ("ddl.sql", "batch.sql", "ticks_of_topic.sql", "ticks_of_session.sql", "ticks_to_bars.sql")
RESTATEMENT_OF_ARCHIVE = ("ddl.sql", "batch.sql", "ticks_of_archive.sql", "ticks_of_session.sql", "ticks_to_bars.sql")
"""The same bars of one session's ticks, in batch mode, into a table of its own."""

STATE_FORMAT = 1
"""Version of the bytes that our functions keep in Flink's state: raise it when a serializer reads old bytes no more."""

_DEFAULTS = {"PARALLELISM": "1", "LATE_LIMIT_MS": "3600000", "STATE_TTL": "14460 s"}
"""One hour late, three hours of outage, and the bar's own minute: see script_values in stack/prepare."""

_FROM_BEGINNING = "'scan.startup.mode' = 'earliest-offset'"
_BOOTSTRAP = "'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP}'"
_COMMENT = re.compile(r"--[^\n]*")
_TUNED = r"[\w.-]*(buffer-flush|max-retries|allow-latency|mini-batch\.size|buffer-timeout|linger|batch\.size|request\.size)[\w.-]*"
_TUNING = re.compile(rf"(SET\s+)?'{_TUNED}'\s*=\s*'[^']*'\s*[;,]?")
"""Options that say when and how large something is written, not what is kept."""


@dataclass(frozen=True)
class Plan:
    """What a job's state can be read by: states of an equal plan fit, and no others.

    Args:
        sql: Digest of the script's templates without comments, blanks, tuning and what is filled in.
    """

    sql: str
    flink: str
    state_format: int

    @property
    def fingerprint(self) -> str:
        """One short word for all of it."""
        return _digest(repr(sorted(asdict(self).items())))

    def differences(self, before: "Plan") -> str:
        """What changed since another plan, for a person."""
        changed = {
            "the SQL of the job": (before.sql, self.sql),
            "Flink": (before.flink, self.flink),
            "the state format of the functions": (before.state_format, self.state_format),
        }
        return ", ".join(f"{what} ({old} → {new})" for what, (old, new) in changed.items() if old != new)


def plan_of(folder: Path, parts: Sequence[str], *, flink: str) -> Plan:
    """Plan of the job that these parts make on that version of Flink."""
    text = _TUNING.sub("", _COMMENT.sub("", _template(folder, parts)))
    return Plan(_digest("".join(text.split()).replace(",)", ")")), flink, STATE_FORMAT)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _template(folder: Path, parts: Sequence[str]) -> str:
    return "\n".join((folder / name).read_text() for name in parts)


def fill_script(folder: Path, parts: Sequence[str], values: Mapping[str, str]) -> str:
    """The parts in order, with every ${NAME} filled in. It holds a password: write it for its owner only.

    Args:
        values: Also options of all Kafka tables, named `properties.…`: how Flink proves itself to a broker that asks.
    Raises:
        SettingInvalid: a name has no value.
    """
    known = {**_DEFAULTS, **values}

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in known:
            raise SettingInvalid(name, None, f"a value, because one of {', '.join(parts)} in {folder} needs it")
        return known[name].replace("'", "''")

    return re.sub(r"\$\{(\w+)\}", value_of, _with_options(_template(folder, parts), values))


def _with_options(template: str, values: Mapping[str, str]) -> str:
    """The template with more options on each Kafka table; they decide who may read, not what a state holds, so no plan has them."""
    named = {name: value.replace("'", "''") for name, value in values.items() if name.startswith("properties.")}
    return template.replace(_BOOTSTRAP, ",\n    ".join((_BOOTSTRAP, *(f"'{name}' = '{value}'" for name, value in named.items()))))


def reading_from(script: str, instant: datetime) -> str:
    """The filled script, its topics read from that Kafka time on instead of from their beginning.

    A job that takes over state goes on from there, whatever this says; so it is no part of the plan.
    """
    epoch_ms = int(instant.timestamp() * 1000)
    return script.replace(
        _FROM_BEGINNING, f"'scan.startup.mode' = 'timestamp',\n    'scan.startup.timestamp-millis' = '{epoch_ms}'"
    )
