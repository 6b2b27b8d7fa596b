-- What restatements changed of one symbol, newest first, a page at a time (api/postgres_truth.py; Grafana's symbol page).
-- Without it the page of a symbol that no restatement changed reads every key of the table.
CREATE INDEX restatement_by_symbol ON quality.restatement (symbol, restatement_id, ts_start);
