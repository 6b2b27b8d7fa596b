"""A session from before the platform's first day, certified from the vendor's minutes that are staged already: nobody is asked.

As any restatement: same lock, same rules, same single transaction (restating); a repeat gives an empty diff. Not here: who brought
the minutes (defs/vendor), which sessions are wanted (defs/seed)."""

from datetime import date

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.market.asked import read_asked, whole_session
from stock_platform.market.protection import require_unprotected
from stock_platform.repair.restating import Promoted
from stock_platform.repair.restating_from_vendor import promote_vendor_bars


def seed_session(settings: Settings, clock: Clock, session_date: date, *, run_id: str, code_version: str) -> Promoted:
    """Certify what the vendor has of a session that is over.

    Raises:
        SessionUnknown: nothing watched has it.
        SessionProtected: nobody may.
        RestatementRunning: a restatement is under way.
        RestatementBlocked: the rules block the batch.
    """
    with connect(settings.dsn("gate_owner")) as connection:
        require_unprotected(connection, session_date)
        asked = read_asked(connection, session_date, ())
        stretches = whole_session(connection, asked)
    staged = f"{settings.vendor}'s 1m history, as it was staged at {clock.now():%Y-%m-%d %H:%M:%S}Z"
    return promote_vendor_bars(
        settings,
        clock,
        asked,
        stretches,
        fetch=lambda: staged,
        closed_until=clock.now(),
        run_id=run_id,
        code_version=code_version,
    )
