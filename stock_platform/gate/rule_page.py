"""The rules as a page for people: docs/rules.md. Rendered, so that it says what is checked."""

from stock_platform.gate.rules import OVERRIDABLE, QUARANTINE_SHARE, QUARANTINE_SHARE_MEANING, RULES, Severity

_HEAD = """# Rules of the gate

Rendered from `stock_platform/gate/rules.py`; the same list makes the Great Expectations suite, the asset checks of `staging/bar_1m`
and the split of rows. Each rule's result of each run is in `quality.check_result`. A value that is missing, or has nothing to be
compared with, passes.

"""
_EFFECTS = {
    Severity.QUARANTINE: "The bar is kept out of `market.bar_1m`; it waits in `quality.quarantine` for "
    "`stock-platform quarantine release` or `discard`. `release --override` takes a bar against any of these rules but "
    + ", ".join(f"`{rule.name}`" for rule in RULES if rule.severity is Severity.QUARANTINE and rule.name not in OVERRIDABLE)
    + ".",
    Severity.SUSPECT: "The bar is accepted with the verdict `suspect`; a rule of the whole batch only warns.",
    Severity.BLOCK: "Nothing of the batch moves: the last accepted bars stay, `ops.alert` has a row, and whatever would be made of "
    "the session is held, in other runs too, until a batch of it passes.",
}


def render() -> str:
    """Markdown."""
    parts = [f"## {severity.value}\n\n{_EFFECTS[severity]}\n\n{_table(severity)}\n" for severity in Severity]
    return _HEAD + "\n".join(parts)


def _table(severity: Severity) -> str:
    rules = [(rule.name, rule.meaning) for rule in RULES if rule.severity is severity]
    rules += [(QUARANTINE_SHARE, QUARANTINE_SHARE_MEANING)] if severity is Severity.BLOCK else []
    return "\n".join(["| rule | what must be true |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in rules)])
