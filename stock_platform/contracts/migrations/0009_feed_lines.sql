-- Several lines, what each of them carries and counts, and the gaps that each one saw.
ALTER TABLE ops.feed_line
DROP CONSTRAINT feed_line_state_check,
ADD COLUMN shard bigint NOT NULL DEFAULT 0,
ADD COLUMN symbols text NOT NULL DEFAULT '',
ADD COLUMN ts_recv_last timestamptz,
ADD COLUMN suspect_count bigint NOT NULL DEFAULT 0,
ADD COLUMN duplicate_count bigint NOT NULL DEFAULT 0,
ADD COLUMN late_count bigint NOT NULL DEFAULT 0,
ADD COLUMN polled_count bigint NOT NULL DEFAULT 0,
ADD COLUMN unknown_fields text NOT NULL DEFAULT '',
ADD COLUMN gap_count bigint NOT NULL DEFAULT 0,
ADD COLUMN ts_gap_start timestamptz,
ADD COLUMN ts_gap_end timestamptz,
ADD CONSTRAINT feed_line_state_check CHECK (
    state IN ('starting', 'running', 'ended', 'failed', 'stopped', 'drained', 'retired')
);

CREATE TABLE ops.feed_gap (
    line text NOT NULL,
    ts_gap_start timestamptz NOT NULL,
    ts_gap_end timestamptz NOT NULL,
    symbols text NOT NULL,
    shard bigint NOT NULL,
    redundancy bigint NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (line, ts_gap_start, symbols),
    CHECK (ts_gap_start < ts_gap_end)
);
CREATE INDEX feed_gap_by_end ON ops.feed_gap (ts_gap_end);

-- What no line saw: one row per symbol and stretch of time in which every twin of its shard had a gap.
CREATE VIEW ops.symbol_gap AS
WITH missed AS (
    SELECT
        gap.shard,
        gap.redundancy,
        gap.line,
        names.symbol,
        range_agg(tstzrange(gap.ts_gap_start, gap.ts_gap_end)) AS stretches
    FROM ops.feed_gap AS gap,
        unnest(string_to_array(gap.symbols, ' ')) AS names (symbol)
    GROUP BY gap.shard, gap.redundancy, gap.line, names.symbol
),

missed_by_all AS (
    SELECT
        symbol,
        range_intersect_agg(stretches) AS stretches
    FROM missed
    GROUP BY symbol, shard, redundancy
    HAVING count(*) = redundancy
)

SELECT
    missed_by_all.symbol,
    lower(stretch) AS ts_gap_start,
    upper(stretch) AS ts_gap_end
FROM missed_by_all,
    unnest(missed_by_all.stretches) AS stretch;

GRANT SELECT, INSERT, UPDATE ON ops.feed_gap TO feed_writer;
GRANT SELECT ON ops.feed_gap, ops.symbol_gap TO feed_writer, gate_owner, api_reader, grafana_reader;
