"""From settings and the command's words to a simulator. Not here: how it is served (server)."""

from pathlib import Path

from stock_platform.adapters.clock import SystemClock
from stock_platform.config import Settings
from stock_platform.feed.simulator.scenario import load_scenario
from stock_platform.feed.simulator.server import Simulator, played, simulated
from stock_platform.feed.watchlist import load_watchlist


def simulator_of(settings: Settings, *, scenario: Path | None, tape: Path | None, speed: float, is_as_live: bool) -> Simulator:
    """The market of the profile's seed, or a tape.

    Raises:
        ScenarioInvalid, WatchlistInvalid, TapeUnreadable: a file is not usable.
    """
    path = scenario or settings.simulator_scenario
    faults = load_scenario(path) if path else ()
    watchlist, seed, clock = load_watchlist(settings.feed_watchlist), settings.simulator_seed, SystemClock()
    if tape:
        return played(tape, known=watchlist, seed=seed, clock=clock, speed=speed, is_as_live=is_as_live, scenario=faults)
    return simulated(
        watchlist, seed=seed, hours=settings.simulator_hours, clock=clock, rate=settings.simulator_rate, scenario=faults
    )
