"""The text of a Flink job: parts of flink/sql put together and filled in. Not here: its submission (adapters/flink)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from stock_platform.errors import SettingInvalid

STREAM = ("streaming.sql", "ddl.sql", "ticks_to_bars.sql", "ticks_to_quotes.sql", "dead_letters.sql")
"""The streaming job."""
RESTATEMENT = ("ddl.sql", "batch.sql", "ticks_to_bars.sql")
"""The same bars from a bounded part of the topic, in batch mode, into a table of its own."""

_DEFAULTS = {"LATE_LIMIT_MS": "93600000", "STATE_TTL": "26 h"}
"""26 hours: a session and its extended hours, and two hours of outage. State must live at least as long as a tick may be late."""


def fill_script(folder: Path, parts: Sequence[str], values: Mapping[str, str]) -> str:
    """The parts in order, with every ${NAME} filled in. It holds a password: write it for its owner only.

    Raises:
        SettingInvalid: a name has no value.
    """
    text = "\n".join((folder / name).read_text() for name in parts)
    known = {**_DEFAULTS, **values}

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in known:
            raise SettingInvalid(name, None, f"a value, because one of {', '.join(parts)} in {folder} needs it")
        return known[name].replace("'", "''")

    return re.sub(r"\$\{(\w+)\}", value_of, text)
