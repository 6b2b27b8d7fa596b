-- Settings of the streaming job; batch.sql has those of a restatement.
SET 'execution.runtime-mode' = 'streaming';
SET 'parallelism.default' = '${PARALLELISM}';
SET 'table.exec.mini-batch.enabled' = 'true';
-- A row waits for the mini-batch, for the exchange's buffer and for the sink's flush, one after the other.
SET 'table.exec.mini-batch.allow-latency' = '100 ms';
SET 'execution.buffer-timeout.interval' = '10 ms';
SET 'table.exec.mini-batch.size' = '50000';
SET 'table.exec.state.ttl' = '${STATE_TTL}';
SET 'table.local-time-zone' = 'UTC';
SET 'pipeline.generic-types' = 'false';
-- Rows go from one function to the next as they are: none of them keeps or changes what it was given.
SET 'pipeline.object-reuse' = 'true';
