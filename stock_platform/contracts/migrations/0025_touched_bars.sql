-- What has changed in market.bar_1m since the intraday aggregates of its session were made. One row per change, whoever made it.
-- Written by a trigger, in the transaction of the change; taken out by whoever makes the aggregates (defs/aggregate_touched.py), in
-- the transaction that writes them: a run that dies leaves its rows, and the next one makes up for it.
-- Append-only, without a key of its own content, so that a gate run never waits for a run that makes aggregates.
CREATE TABLE ops.touched_bar (
    touched_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_date date NOT NULL,
    symbol text NOT NULL,
    ts_start timestamptz NOT NULL,
    is_removed boolean NOT NULL
);
CREATE INDEX touched_bar_by_session ON ops.touched_bar (session_date, symbol);
GRANT SELECT, INSERT, DELETE ON ops.touched_bar TO gate_owner;
GRANT SELECT ON ops.touched_bar TO api_reader, grafana_reader;

CREATE FUNCTION market.note_touched_bar() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO ops.touched_bar (session_date, symbol, ts_start, is_removed)
        SELECT session_date, symbol, ts_start, FALSE FROM bar_after;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO ops.touched_bar (session_date, symbol, ts_start, is_removed)
        SELECT session_date, symbol, ts_start, TRUE FROM bar_before;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO ops.touched_bar (session_date, symbol, ts_start, is_removed)
        SELECT session_date, symbol, ts_start, TRUE FROM bar_before
        EXCEPT
        SELECT session_date, symbol, ts_start, TRUE FROM bar_after;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_added_bar AFTER INSERT ON market.bar_1m
REFERENCING NEW TABLE AS bar_after
FOR EACH STATEMENT EXECUTE FUNCTION market.note_touched_bar();
CREATE TRIGGER note_changed_bar AFTER UPDATE ON market.bar_1m
REFERENCING OLD TABLE AS bar_before NEW TABLE AS bar_after
FOR EACH STATEMENT EXECUTE FUNCTION market.note_touched_bar();
CREATE TRIGGER note_removed_bar AFTER DELETE ON market.bar_1m
REFERENCING OLD TABLE AS bar_before
FOR EACH STATEMENT EXECUTE FUNCTION market.note_touched_bar();

-- Whether the newest sessions' aggregates were complete is not known: they are made once more.
WITH newest AS (
    SELECT max(session_date) AS session_date FROM market.bar_1m
)

INSERT INTO ops.touched_bar (session_date, symbol, ts_start, is_removed)
SELECT
    bar.session_date,
    bar.symbol,
    bar.ts_start,
    FALSE AS is_removed
FROM market.bar_1m AS bar
CROSS JOIN newest
WHERE bar.session_date >= newest.session_date - 1;
