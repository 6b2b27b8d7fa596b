"""What history a new platform asks for next."""

from datetime import date, timedelta

from stock_platform.config import Settings
from stock_platform.defs.seed import CERTIFIED, DAILY_BARS, MINUTE_BARS, Known, Missing, next_missing

FIRST_DAY = date(2026, 11, 20)
KEYS = [(date(2026, 10, 1) + timedelta(days=number)).isoformat() for number in range(60)]
SETTINGS = Settings(_env_file=None, seed_daily_days=40, seed_minute_days=20)  # type: ignore[call-arg]


def days(first: str, last: str) -> tuple[str, ...]:
    """Of [first, last], as month-day."""
    return tuple(key for key in KEYS if f"2026-{first}" <= key <= f"2026-{last}")


def asked(known: Known, today: date = FIRST_DAY, settings: Settings = SETTINGS) -> Missing | None:
    return next_missing(KEYS, known, settings, first_day=FIRST_DAY, today=today)


def test_daily_bars_come_before_all_else() -> None:
    assert asked(Known((), (), ())) == Missing(DAILY_BARS, days("10-11", "11-19"))


def test_daily_bars_of_years_come_half_a_year_a_run_the_newest_first() -> None:
    """Dagster writes an event for each session before a run starts, and a run must start within two minutes."""
    keys = [(FIRST_DAY - timedelta(days=number)).isoformat() for number in range(400, -1, -1)]
    years = SETTINGS.model_copy(update={"seed_daily_days": 400})
    first = next_missing(keys, Known((), (), ()), years, first_day=FIRST_DAY, today=FIRST_DAY)
    assert first == Missing(DAILY_BARS, tuple(keys[-181:-1]))
    then = next_missing(keys, Known(keys[-181:-1], (), ()), years, first_day=FIRST_DAY, today=FIRST_DAY)
    assert then == Missing(DAILY_BARS, tuple(keys[-361:-181]))


def test_minutes_come_a_week_at_a_time_the_oldest_first() -> None:
    assert asked(Known(KEYS, (), ())) == Missing(MINUTE_BARS, days("10-31", "11-06"))
    assert asked(Known(KEYS, days("10-31", "11-06"), ())) == Missing(MINUTE_BARS, days("11-07", "11-13"))
    assert asked(Known(KEYS, days("10-31", "11-13"), ())) == Missing(MINUTE_BARS, days("11-14", "11-19"))


def test_sessions_are_certified_in_order_some_a_run_once_all_minutes_are_there() -> None:
    assert asked(Known(KEYS, KEYS, ())) == Missing(CERTIFIED, days("10-31", "11-04"))
    assert asked(Known(KEYS, KEYS, days("10-31", "11-17"))) == Missing(CERTIFIED, days("11-18", "11-19"))


def test_nothing_is_left_when_all_is_there() -> None:
    assert asked(Known(KEYS, KEYS, KEYS)) is None


def test_minutes_that_the_vendor_has_forgotten_meanwhile_are_not_asked_for() -> None:
    """On 2026-12-10 it keeps what begins after 2026-11-10; the platform has stood still since its first day."""
    assert asked(Known(KEYS, (), ()), today=date(2026, 12, 10)) == Missing(MINUTE_BARS, days("11-11", "11-17"))
    assert asked(Known(KEYS, (), ()), today=date(2027, 1, 20)) is None


def test_without_days_nothing_is_asked_for() -> None:
    none = SETTINGS.model_copy(update={"seed_daily_days": 0, "seed_minute_days": 0})
    assert asked(Known((), (), ()), settings=none) is None
