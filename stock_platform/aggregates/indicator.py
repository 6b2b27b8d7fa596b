"""Technical indicators of daily closes. Pure: frame in, frame out.

Windows count sessions, the newest one included, and are null until they are full. Sources: moving averages, MACD, Bollinger bands
and ATR as StockCharts' ChartSchool defines them; RSI and ATR are Wilder's, "New Concepts in Technical Trading Systems" (1978)."""

import polars as pl

from stock_platform.aggregates.daily import CLOSE, HIGH, LOW, moving_average, newest

_FAST, _SLOW, _SIGNAL = 12, 26, 9
_WILDER = 14
_BAND, _WIDTH = 20, 2


def indicators(days: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol, of its newest day.

    Args:
        days: As in `daily`.
    Returns:
        symbol, session_date, close, session_count, sma_20, sma_50, sma_200, ema_12, ema_26, rsi_14, macd, macd_signal,
        macd_histogram, bollinger_upper, bollinger_middle, bollinger_lower, atr_14; sorted by symbol.
    """
    macd = _ema(_FAST) - _ema(_SLOW)
    signal = _smoothed(macd, _SIGNAL, alpha=2 / (_SIGNAL + 1), first=_SLOW - 1)
    middle = moving_average(_BAND)
    width = _WIDTH * CLOSE.tail(_BAND).std(ddof=0)
    return newest(
        days,
        close=pl.col("close").last(),
        session_count=pl.len().cast(pl.Int64),
        **{f"sma_{length}": moving_average(length) for length in (20, 50, 200)},
        **{f"ema_{length}": _ema(length).last() for length in (_FAST, _SLOW)},
        rsi_14=_rsi(),
        macd=macd.last(),
        macd_signal=signal.last(),
        macd_histogram=(macd - signal).last(),
        bollinger_upper=middle + width,
        bollinger_middle=middle,
        bollinger_lower=middle - width,
        atr_14=_wilder(_true_range(), first=0).last(),
    )


def _smoothed(value: pl.Expr, length: int, *, alpha: float, first: int) -> pl.Expr:
    """Exponential average that starts from the plain mean of its first `length` values.

    Args:
        first: Place of the first value that there is."""
    place, seed = pl.int_range(pl.len()), first + length - 1
    seeded = pl.when(place > seed).then(value).when(place == seed).then(value.slice(first, length).mean())
    return seeded.ewm_mean(alpha=alpha, adjust=False)


def _ema(length: int) -> pl.Expr:
    return _smoothed(CLOSE, length, alpha=2 / (length + 1), first=0)


def _wilder(value: pl.Expr, *, first: int) -> pl.Expr:
    return _smoothed(value, _WILDER, alpha=1 / _WILDER, first=first)


def _rsi() -> pl.Expr:
    """100 x average gain / (average gain + average loss); null where no close moved."""
    change = CLOSE.diff()
    gain = _wilder(change.clip(lower_bound=0), first=1).last()
    loss = _wilder((-change).clip(lower_bound=0), first=1).last()
    return pl.when(gain + loss > 0).then(100 * gain / (gain + loss))


def _true_range() -> pl.Expr:
    """The day's range, stretched to the close before it; of the first day its own range."""
    before = CLOSE.shift(1)
    return pl.max_horizontal(HIGH, before) - pl.min_horizontal(LOW, before)
