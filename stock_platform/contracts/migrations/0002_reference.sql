-- What is watched, and when its exchange is open.
CREATE TABLE reference.instrument (
    symbol text PRIMARY KEY,
    name text NOT NULL,
    sector text NOT NULL,
    currency text NOT NULL,
    calendar text NOT NULL,
    provider text NOT NULL
);

CREATE TABLE reference.session (
    calendar text NOT NULL,
    session_date date NOT NULL,
    ts_open timestamptz NOT NULL,
    ts_close timestamptz NOT NULL,
    PRIMARY KEY (calendar, session_date),
    CHECK (ts_open < ts_close)
);
CREATE INDEX session_by_open ON reference.session (calendar, ts_open, ts_close);
