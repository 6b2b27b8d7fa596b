"""Certified 1-minute bars made coarser. Pure: frame in, frame out; exact, so that any order of rows gives the same bytes.

Buckets start at the session's open, as exchanges and vendors draw them; the last one ends at the close."""

import polars as pl

from stock_platform.contracts.bar import WORST_FIRST

PRICE, MONEY = pl.Decimal(18, 6), pl.Decimal(38, 6)
_SCALE = 1_000_000
_WORST_FIRST = pl.Enum(WORST_FIRST)


def coarsen(bars: pl.DataFrame, *, every: str | None) -> pl.DataFrame:
    """Bars of `every` (5m, 15m, 1h), or of the whole session when None.

    Args:
        bars: symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, verdict, session_date and the session's
            ts_open, ts_close; any order.
    Returns:
        symbol, ts_start, ts_end, open … close, volume, vwap, tick_count, bar_count, session_date, verdict: the worst of the bars';
        sorted by symbol and ts_start.
    """
    return (
        bars.sort("symbol", "ts_start")
        .with_columns(bucket=bucket_start(every), notional=notional())
        .group_by("symbol", "bucket", maintain_order=True)
        .agg(
            pl.col("ts_open", "ts_close", "session_date", "open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            volume=pl.when(pl.col("volume").count() > 0).then(pl.col("volume").sum()),
            notional=pl.col("notional").sum(),
            tick_count=pl.col("tick_count").sum(),
            bar_count=pl.len().cast(pl.Int64),
            has_vwap=has_vwap().all(),
            verdict=pl.col("verdict").cast(_WORST_FIRST).min().cast(pl.String),
        )
        .with_columns(ts_start=pl.col("bucket"), ts_end=bucket_end(every), vwap=_vwap())
        .select("symbol ts_start ts_end open high low close volume vwap tick_count bar_count session_date verdict".split())
    )


def bucket_start(every: str | None) -> pl.Expr:
    """Start of the bucket that a 1-minute bar lies in."""
    if every is None:
        return pl.col("ts_open")
    since_open = pl.col("ts_start") - pl.col("ts_open")
    length_us = _microseconds(every)
    return pl.col("ts_open") + pl.duration(microseconds=since_open.dt.total_microseconds() // length_us * length_us)


def bucket_end(every: str | None) -> pl.Expr:
    """End of the bucket that starts at `bucket`."""
    if every is None:
        return pl.col("ts_close")
    return pl.min_horizontal(pl.col("bucket") + pl.duration(microseconds=_microseconds(every)), pl.col("ts_close"))


def _microseconds(every: str) -> int:
    return int(every[:-1]) * {"m": 60, "h": 3600}[every[-1]] * 1_000_000


def notional() -> pl.Expr:
    """vwap x volume in millionths: whole numbers of 128 bits, so that sums are exact in any order."""
    return pl.col("vwap").cast(PRICE).to_physical().cast(pl.Int128) * pl.col("volume").cast(pl.Int128)


def has_vwap() -> pl.Expr:
    """Whether what was traded in a bar has a known value: the vendor states a volume and no VWAP."""
    return pl.col("vwap").is_not_null() | (pl.col("volume").fill_null(0) == 0)


def money(name: str) -> pl.Expr:
    """A column of millionths as an amount."""
    return (pl.col(name).cast(MONEY) / pl.lit(_SCALE)).cast(MONEY)


def _vwap() -> pl.Expr:
    """Rounded half up; null where nothing was traded, and where a bar with volume has none, as the vendor's have."""
    volume = pl.col("volume").cast(pl.Int128)
    millionths = (2 * pl.col("notional") + volume) // (2 * volume)
    return pl.when((volume > 0) & pl.col("has_vwap")).then(millionths.cast(MONEY) / pl.lit(_SCALE)).cast(PRICE)
