"""What is watched: the instruments of a YAML file, validated. Not here: how they are shared out over lines (shards)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stock_platform.calendars import calendar_of_symbol, has_same_hours
from stock_platform.calendars.lookup import CALENDARS
from stock_platform.errors import WatchlistInvalid
from stock_platform.feed.yaml_model import read_model

DEFAULT_PATH = Path(str(files("stock_platform.feed").joinpath("watchlist.yaml")))

LINE_LIMIT = 24
_Text = Annotated[str, Field(min_length=1, max_length=120)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Simulated(_Strict):
    """What the simulated market of one instrument starts from."""

    base_price: Decimal = Field(gt=0, lt=10_000_000, description="In the instrument's currency.")
    daily_volume: int = Field(default=10_000_000, gt=0, description="Units traded on a regular day.")
    volatility_pct: float = Field(default=1.6, gt=0, lt=50, description="Standard deviation of a day's return.")


class Instrument(_Strict):
    """One symbol."""

    symbol: Annotated[str, Field(pattern=r"^[A-Z0-9^][A-Z0-9.\-=^]{0,19}$")]
    name: _Text
    sector: _Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Za-z]$")]
    calendar: str
    provider: Literal["yahoo", "tape"]
    reconcile: Literal["report", "correct"] = Field(
        default="report", description="After the close: tell where our bars and the vendor's differ, or take the vendor's."
    )
    simulator: Simulated | None = None

    @field_validator("calendar")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in CALENDARS:
            raise ValueError(f"calendar {name!r} is not one of {', '.join(CALENDARS)}")
        return name

    @model_validator(mode="after")
    def _keeps_its_exchanges_hours(self) -> "Instrument":
        """The look of a vendor's symbol is a second opinion: AZN.L is traded in London."""
        expected = calendar_of_symbol(self.symbol) if self.provider == "yahoo" else None
        if expected and not has_same_hours(expected, self.calendar) and self.calendar != "24/7":
            raise ValueError(f"calendar {self.calendar!r} of {self.symbol} keeps other hours than {expected!r}, its exchange's")
        return self


class Sharing(_Strict):
    """Over how many lines the instruments are shared out."""

    shards: int = Field(default=1, ge=1, le=64, description="The symbols are split into so many parts.")
    redundancy: int = Field(default=1, ge=1, le=3, description="Each part is read by so many lines (2: A and B).")

    @model_validator(mode="after")
    def _fits_one_machine(self) -> "Sharing":
        """Each line is a process of some 150 MiB, and a run that never ends of the 40 that Dagster lets go at once."""
        if self.shards * self.redundancy > LINE_LIMIT:
            raise ValueError(f"shards x redundancy is {self.shards * self.redundancy} lines; one machine runs {LINE_LIMIT} at most")
        return self


class Watchlist(_Strict):
    """A watchlist's file."""

    lines: Sharing = Sharing()
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_each_symbol_once(self) -> "Watchlist":
        symbols = [instrument.symbol for instrument in self.instruments]
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"symbols named twice: {', '.join(twice)}")
        return self


def load_watchlist(path: Path = DEFAULT_PATH) -> tuple[Instrument, ...]:
    """The instruments of a watchlist; see read_watchlist."""
    return read_watchlist(path).instruments


def read_watchlist(path: Path = DEFAULT_PATH) -> Watchlist:
    """Read and validate a watchlist.

    Raises:
        WatchlistInvalid: names the line and the reason.
    """
    return read_model(path, Watchlist, invalid=WatchlistInvalid, problem=_problem)


def _problem(errors: Sequence[Any]) -> str:
    where = ".".join(str(part) for part in errors[0]["loc"]) or "watchlist"
    return f"{where}: {errors[0]['msg']}"


def always_open(instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """The same instruments on a market that never closes: what a simulation or a tape played as live trades on."""
    return tuple(instrument.model_copy(update={"calendar": "24/7"}) for instrument in instruments)


def instruments_of_tape(symbols: Iterable[str], known: Sequence[Instrument] = ()) -> tuple[Instrument, ...]:
    """Instruments of a tape's symbols: as the watchlist describes them, else named by their symbol."""
    by_symbol = {instrument.symbol: instrument for instrument in known}
    return tuple(by_symbol.get(symbol) or _unknown(symbol) for symbol in sorted(symbols))


def _unknown(symbol: str) -> Instrument:
    return Instrument(symbol=symbol, name=symbol, sector="Unknown", currency="USD", calendar="XNYS", provider="tape")
