-- Settings of a restatement: the same tables and the same SQL, bounded by Kafka offsets, into a shadow table.
SET 'execution.runtime-mode' = 'batch';
SET 'table.local-time-zone' = 'UTC';
SET 'pipeline.generic-types' = 'false';

ALTER TABLE market_ticks_v1 SET (
    'scan.startup.mode' = 'specific-offsets',
    'scan.startup.specific-offsets' = '${OFFSETS_START}',
    'scan.bounded.mode' = 'specific-offsets',
    'scan.bounded.specific-offsets' = '${OFFSETS_END}'
);

ALTER TABLE staging_bar_1m SET ('table-name' = '${BAR_TABLE}');
