"""What can go wrong at a vendor, one model a kind, as a scenario's file and the control channel say it.

Not here: what a fault does (events: to the market; distortion: to frames; stream: to connections; weather: to answers)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

Kind = Literal["market", "frame", "connection", "answer"]


class _Fault(BaseModel):
    """What every fault has: whom it hits, how often, since when and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default="", max_length=60, pattern=r"^[\w.-]*$", description="Given by the simulator where it is missing.")
    symbols: tuple[str, ...] | None = Field(default=None, min_length=1, description="All symbols where it is missing.")
    share: float = Field(default=1.0, gt=0, le=1, description="Share of updates, bars or requests hit; drawn from the seed.")
    start: AwareDatetime | None = Field(default=None, description="Now, where neither this nor after_s is given.")
    after_s: float | None = Field(default=None, ge=0, description="Seconds from when it is added: from the start, in a scenario.")
    duration_s: float | None = Field(default=None, gt=0, description="Until it is removed, where it is missing.")

    @model_validator(mode="after")
    def _starts_once(self) -> "_Fault":
        if self.start is not None and self.after_s is not None:
            raise ValueError("give start or after_s, not both")
        return self


class _Market(_Fault):
    """Happens to the market itself: stream, chart and quote agree about it. It hits all updates: share is not asked."""


class Halt(_Market):
    """No updates; what would have been traded comes out with the first print afterwards, as in a reopening auction."""

    kind: Literal["halt"]


class Crash(_Market):
    """A genuine fall of the price (or jump, where pct is positive), and back where recovery_s says so."""

    kind: Literal["crash"]
    pct: float = Field(gt=-100, le=1_000, description="-8 is a fall of 8 %.")
    fall_s: float = Field(default=30, ge=0, description="How long the fall takes.")
    recovery_s: float | None = Field(default=None, gt=0, description="How long the way back takes; for ever where missing.")


class Split(_Market):
    """From its start on prices are divided; charts, as Yahoo's, adjust what was before. It lasts for ever."""

    kind: Literal["split"]
    ratio: float = Field(gt=0, le=1_000, description="New shares per old one: 7 for 7:1, 0.1 for a 1:10 reverse split.")


class Dividend(_Market):
    """Goes ex on the session of its start: charts of daily bars say so, and adjclose; the price is left alone."""

    kind: Literal["dividend"]
    amount: float = Field(gt=0, description="Per share, in the instrument's currency.")


class _Frame(_Fault):
    """Happens to the stream alone: charts are the later correction."""


class Spike(_Frame):
    """A print off the market: one a symbol, or that share of all prints."""

    kind: Literal["spike"]
    pct: float = Field(gt=-100, le=100_000)


class Unit(_Frame):
    """Prices in another unit: pounds for pence and the reverse."""

    kind: Literal["unit"]
    factor: float = Field(gt=0, le=10_000, description="100 or 0.01.")


class Skew(_Frame):
    """The vendor's clock goes wrong by so many seconds."""

    kind: Literal["skew"]
    seconds: int = Field(ge=-86_400, le=86_400)


class Duplicate(_Frame):
    """A frame is sent twice."""

    kind: Literal["duplicate"]


class Reorder(_Frame):
    """A frame is sent a second late, after its successor."""

    kind: Literal["reorder"]


class VolumeBack(_Frame):
    """A second frame of the same second says a smaller volume, as real ones do."""

    kind: Literal["volume_back"]
    pct: float = Field(default=0.001, gt=0, lt=100)


class BadFrame(_Frame):
    """Something that is no update: sent before the right frame, or instead of it."""

    kind: Literal["bad_frame"]
    how: Literal[
        "not_json", "no_message", "bad_base64", "bad_protobuf", "price_string", "price_nan", "price_negative", "price_zero",
        "future", "unknown_symbol", "unknown_field",
    ]  # fmt: skip
    instead: bool = False


class _Connection(_Fault):
    """Happens to connections: one by its place in /control/state, those with one of the symbols, or all."""

    connection: int | None = Field(default=None, ge=0)


class Cut(_Connection):
    """Connections are closed once, or again and again."""

    kind: Literal["cut"]
    code: int | Literal["abort"] = Field(default=1000, description="1000-4999; abort resets the connection without a word.")
    every_s: float | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_a_code(self) -> "Cut":
        if self.code != "abort" and not (1000 <= self.code <= 4999 and self.code not in (1004, 1005, 1006, 1015)):
            raise ValueError("code is 1000-4999 without 1004, 1005, 1006 and 1015, which no server may send, or abort")
        return self


class Mute(_Connection):
    """Connections stay open and say nothing."""

    kind: Literal["mute"]


class Refuse(_Connection):
    """No new connection is taken."""

    kind: Literal["refuse"]


class _Answer(_Fault):
    """Happens to answers over HTTP."""

    path: str = Field(default="/", pattern="^/", description="Only paths that begin so: /v8/finance/chart, /v7, /v1/test.")


class Status(_Answer):
    """An error's status: 429 Too Many Requests, 500 and the like."""

    kind: Literal["status"]
    status: int = Field(ge=400, le=599)


class Html(_Answer):
    """A page where JSON is expected."""

    kind: Literal["html"]


class Delay(_Answer):
    """An answer takes longer."""

    kind: Literal["delay"]
    seconds: float = Field(gt=0, le=600)


class Empty(_Answer):
    """A good answer without a result."""

    kind: Literal["empty"]


class NullBars(_Answer):
    """Bars of a chart are null."""

    kind: Literal["null_bars"]


class EdgeBars(_Answer):
    """Yahoo's volumes at a session's edges: the first bar's is 0, and the close gets a bar of its own with 0."""

    kind: Literal["edge_bars"]


AnyMarket = Halt | Crash | Split | Dividend
AnyFrame = Spike | Unit | Skew | Duplicate | Reorder | VolumeBack | BadFrame
AnyConnection = Cut | Mute | Refuse
AnyAnswer = Status | Html | Delay | Empty | NullBars | EdgeBars
Fault = Annotated[AnyMarket | AnyFrame | AnyConnection | AnyAnswer, Field(discriminator="kind")]


class Scenario(BaseModel):
    """A file of timed faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: tuple[Fault, ...] = ()


FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


def names(symbol: str, symbols: Sequence[str] | None) -> bool:
    """Whether the symbol is meant."""
    return symbols is None or symbol in symbols
