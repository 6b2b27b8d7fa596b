-- Why a person let a blocked batch through: the rows that rules refuse wait in quarantine then, the others are certified.
ALTER TABLE ops.alert ADD COLUMN cleared_reason text;
