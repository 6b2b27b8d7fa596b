-- Settings of the streaming job; batch.sql has those of a restatement.
SET 'execution.runtime-mode' = 'streaming';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '200 ms';
SET 'table.exec.mini-batch.size' = '5000';
SET 'table.exec.state.ttl' = '${STATE_TTL}';
SET 'table.local-time-zone' = 'UTC';
SET 'pipeline.generic-types' = 'false';
