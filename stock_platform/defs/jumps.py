"""The check `no_jump_without_factor`: no close of a session is far from the one before unless a corporate action says why.

No rule of the gate, and no part of its runs: the vendor tells a split on its ex-date, hours after the gate has seen that day's
first bar. It runs once a day behind the corporate actions (defs/vendor.py), and by hand in Dagster.
Not here: the decision (market/jumps.py)."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR_1D
from stock_platform.contracts.jump import JUMP_PCT
from stock_platform.contracts.vendor import CORPORATE_ACTION
from stock_platform.defs.world import World, key_of
from stock_platform.market.jumps import Close, jumps, moves

NO_JUMP = "no_jump_without_factor"
_LOOKED_BACK_DAYS = 30
"""A jump is told for so long; one that was real is then history, and the check is green again."""
_TOLD = 10
"""Jumps that are named; more of them have one cause, and the first ones show it."""

_CLOSES = """
SELECT symbol, session_date, close, split_factor * coalesce(dividend_factor, 1) AS factor
FROM aggregates.bar_1d_adjusted
WHERE session_date >= (SELECT max(session_date) FROM aggregates.bar_1d) - %s
ORDER BY symbol, session_date
"""


def jump_result(connection: Connection) -> dg.AssetCheckResult:
    """The newest weeks of closes, looked at now."""
    rows = connection.execute(_CLOSES, (_LOOKED_BACK_DAYS,)).fetchall()
    observed = moves(Close(*row) for row in rows)
    found = jumps(observed)
    more = f" And {len(found) - _TOLD} more." if len(found) > _TOLD else ""
    return dg.AssetCheckResult(
        asset_key=key_of(BAR_1D.address),
        check_name=NO_JUMP,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"observed": len(observed), "failed": len(found)},
        description="; ".join(map(str, found[:_TOLD])) + more if found else f"No close moved by more than {JUMP_PCT} % over night.",
    )


@dg.asset_check(
    asset=key_of(BAR_1D.address),
    name=NO_JUMP,
    additional_deps=[key_of(CORPORATE_ACTION.address)],
    description=f"Over night no close moves by more than {JUMP_PCT} % after the corporate actions that are known.",
)
def no_jump_without_factor(world: dg.ResourceParam[World]) -> dg.AssetCheckResult:
    """Look now."""
    with world.database("gate_owner") as connection:
        return jump_result(connection)
