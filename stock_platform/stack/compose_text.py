"""docker-compose.yml as text: the document in YAML, with the settings that all services share written once, under a name."""

from collections.abc import Mapping
from typing import Any

import yaml

_HEAD = """\
# Rendered from stock_platform/stack by `stock-platform render`; do not edit.
# First `tools/make-env`, which generates passwords into .env; then `docker-compose up --build`. Compose 2.20 or newer.
# Images are pinned by version, not by digest.

"""


def render(document: Mapping[str, Any], shared: Mapping[str, str]) -> str:
    """The file; its order is the document's."""
    parts = [_dump({"name": document["name"]}), "x-settings: &settings\n" + _indented(_dump(dict(shared)))]
    parts += [_dump({"services": document["services"]}), _dump({"volumes": document["volumes"]})]
    return _HEAD + "\n".join(parts).replace("'<<': '*settings'", "<<: *settings")


def _dump(value: Any) -> str:
    return yaml.dump(value, Dumper=_WithoutAnchors, sort_keys=False, width=400, allow_unicode=True)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


class _WithoutAnchors(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out: a reader need not look elsewhere."""
        return True
