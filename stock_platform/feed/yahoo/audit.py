"""Raw answers kept as they came, for audit: one gzip file each, in a folder per day. Not here: cookies and crumbs, which an
Answer does not hold."""

import gzip
import json
import re
import shutil
from datetime import date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from stock_platform.adapters.vendor_door import Answer


class RawAnswers:
    """Keeps answers for some days.

    Args:
        folder: `vendor/raw` of the profile.
        days: For how many days, today included.
    """

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._days = days

    def keep(self, answer: Answer, label: str) -> Path:
        """Write the answer and drop days that are over; returns the file.

        Args:
            label: For people, e.g. AAPL-1m; part of the file's name.
        """
        folder = self._folder / answer.ts.date().isoformat()
        if not folder.exists():
            self._drop(before=answer.ts.date() - timedelta(days=self._days - 1))
        folder.mkdir(parents=True, exist_ok=True)
        content = _content(answer)
        digest = blake2b(content, digest_size=4).hexdigest()
        path = folder / f"{answer.ts:%H%M%S}-{re.sub(r'[^A-Za-z0-9.=-]', '_', label)}-{digest}.json.gz"
        path.write_bytes(gzip.compress(content, mtime=0))
        return path

    def _drop(self, *, before: date) -> None:
        for folder in self._folder.glob("????-??-??"):
            if folder.name < before.isoformat():
                shutil.rmtree(folder, ignore_errors=True)


def read_raw(path: Path) -> Answer:
    """A kept answer, to be read again."""
    kept = json.loads(gzip.decompress(path.read_bytes()))
    return Answer(
        kept["url"], kept["status"], kept["body"].encode("utf-8", "surrogateescape"), datetime.fromisoformat(kept["ts_recv"])
    )


def _content(answer: Answer) -> bytes:
    record = {
        "url": answer.url,
        "status": answer.status,
        "ts_recv": answer.ts.isoformat(),
        "body": answer.body.decode("utf-8", "surrogateescape"),
    }
    return json.dumps(record).encode()
