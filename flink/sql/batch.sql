-- Settings of a restatement, and the shadow table that its bars go to instead of staging.bar_1m.
-- Rerun: the number of the restatement is in POSTGRES_URL and each bar comes once, so there is no key to meet and no retry.
SET 'execution.runtime-mode' = 'batch';
SET 'parallelism.default' = '${PARALLELISM}';
SET 'table.local-time-zone' = 'UTC';
SET 'pipeline.generic-types' = 'false';
SET 'pipeline.object-reuse' = 'true';
SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';
SET 'restart-strategy.type' = 'disable';
SET 'jobmanager.scheduler' = 'Default';
SET 'execution.batch-shuffle-mode' = 'ALL_EXCHANGES_PIPELINED';

CREATE TEMPORARY TABLE staging_bar_1m WITH ( -- noqa: PRS
    'table-name' = 'staging.bar_1m_restated',
    'sink.buffer-flush.max-rows' = '10000',
    'sink.max-retries' = '0'
) LIKE staging_bar_1m (EXCLUDING CONSTRAINTS OVERWRITING OPTIONS);
