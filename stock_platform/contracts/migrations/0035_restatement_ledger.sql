-- The ledger of restatements: one row for each that was asked for, with the run that asked from its beginning on, and with what
-- became of it. Finished and promoted: the certified bars have it. Finished and not promoted: it was only compared with staging.
-- That its bars beside staging are deleted later changes nothing of that. Until its source is known, ticks_from is null.
ALTER TABLE ops.restatement
ADD COLUMN is_promoted boolean NOT NULL DEFAULT FALSE,
ALTER COLUMN ticks_from DROP NOT NULL;

UPDATE ops.restatement SET
    is_promoted = dagster_run_id IS NOT NULL,
    state = CASE WHEN state = 'forgotten' THEN 'finished' ELSE state END
WHERE dagster_run_id IS NOT NULL OR state = 'forgotten';
