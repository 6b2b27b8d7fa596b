-- From good ticks (ticks_to_bars.sql) to quotes; streaming only.
-- Writes: market.quote      one row per symbol
--         market.quotes.v1  one message per good tick, in arrival order
-- Rerun:  the table comes out the same, bit for bit; the topic repeats what is read again.
CREATE TEMPORARY FUNCTION quote_agg AS 'stockplatform.QuoteAgg';
CREATE TEMPORARY FUNCTION quote_json AS 'stockplatform.QuoteJson';
CREATE TEMPORARY FUNCTION percent_change AS 'stockplatform.ChangePct';

CREATE TEMPORARY VIEW newest_tick AS
SELECT
    symbol,
    quote_agg(price, previous_close, day_volume, currency, session_phase, ts_event, ts_recv, source) AS quote
FROM good_tick
GROUP BY symbol;

INSERT INTO market_quote (
    symbol, price, previous_close, change_pct, day_volume, currency, session_phase, ts_event, ts_recv, source
)
SELECT
    symbol,
    quote.price,
    quote.previous_close,
    percent_change(quote.price, quote.previous_close),
    quote.day_volume,
    quote.currency,
    quote.session_phase,
    quote.ts_event,
    quote.ts_recv,
    quote.source
FROM newest_tick;

INSERT INTO market_quotes_v1 (symbol, message)
SELECT
    symbol,
    quote_json(symbol, price, previous_close, day_volume, currency, session_phase, ts_event, ts_recv, source)
FROM good_tick;
