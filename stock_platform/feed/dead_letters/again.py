"""What the feed refused, decoded and judged once more with today's code and watchlist. Pure.

The line's memory is gone: a letter is judged by itself, so that what then passes is published as suspect. Whether ticks may be
missing before it is taken from the letter, where the line wrote it: a refusal by itself is no gap, and would spoil a whole bar."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from stock_platform.adapters.vendor_door import Answer
from stock_platform.feed.dead_letters.letter import Letter, json_fields
from stock_platform.feed.tick import Candidate, Refusal, Tick, from_epoch_ms
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.answer import Unusable, integer_of
from stock_platform.feed.yahoo.polling import candidate_of
from stock_platform.feed.yahoo.pricing import Decoder, Frame
from stock_platform.feed.yahoo.quote import parse_quotes

LINE = "dead-letters"
"""What the tick names as its line; its line_seq is the letter's offset."""


def tick_again(letter: Letter, instruments: Sequence[Instrument], *, source: str) -> Tick | Refusal:
    """The tick, marked, or why it still is none."""
    candidate = _candidate(letter)
    if isinstance(candidate, Refusal):
        return candidate
    named = [each for each in instruments if each.symbol == candidate.symbol]
    verdict = Validator(line=LINE, source=source, instruments=named).judge(candidate)
    if isinstance(verdict, Tick):
        return msgspec.structs.replace(verdict, is_suspect=True, is_continuous=letter.is_continuous)
    return verdict or _refuse(letter, "repeat", "it says nothing new")


def _candidate(letter: Letter) -> Candidate | Refusal:
    """By what the message looks like: a row of a tape, a quote that was asked for, else a frame of the stream."""
    fields = json_fields(letter.payload)
    if "ts_event_ms" in fields:
        return _of_tape(letter, fields)
    if "symbol" in fields:
        return _of_quote(letter)
    return Decoder().decode(Frame(letter.payload, letter.ts_dead, letter.ts_dead, letter.offset))


def _of_quote(letter: Letter) -> Candidate | Refusal:
    body = b'{"quoteResponse":{"result":[' + letter.payload + b'],"error":null}}'
    quotes = parse_quotes(Answer("dead letter", 200, body, letter.ts_dead))
    if isinstance(quotes, Unusable):
        return _refuse(letter, quotes.reason, quotes.detail)
    if not quotes:
        return _refuse(letter, "no_symbol", "the quote names no symbol")
    return candidate_of(quotes[0], letter.ts_dead, line_seq=letter.offset)


def _of_tape(letter: Letter, fields: Mapping[str, Any]) -> Candidate | Refusal:
    """A tape without cumulative volumes has summed its sizes; that sum is gone, so the tick has none."""
    ts_event, price = _instant(fields["ts_event_ms"]), _decimal(fields.get("price"))
    if ts_event is None or price is None:
        return _refuse(letter, "price_invalid" if price is None else "time_invalid", "the row has no price or no time")
    return Candidate(
        symbol=str(fields.get("symbol")),
        price=price,
        day_volume=integer_of(fields.get("day_volume")),
        size=None,
        ts_event=ts_event,
        ts_recv=letter.ts_dead,
        previous_close=_decimal(fields.get("previous_close")),
        ts_connected=None,
        line_seq=letter.offset,
        payload=lambda: letter.payload,
    )


def _instant(value: object) -> datetime | None:
    ms = integer_of(value)
    try:
        return None if ms is None else from_epoch_ms(ms)
    except OverflowError:
        return None


def _decimal(value: object) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _refuse(letter: Letter, reason: str, detail: str) -> Refusal:
    return Refusal(reason, detail, letter.ts_dead, letter.offset, lambda: letter.payload)
