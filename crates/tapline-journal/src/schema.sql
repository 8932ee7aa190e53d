-- Times are microseconds since 1970, spans microseconds, and values JSON.

CREATE TABLE runs (
    -- In the order in which they began.
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    state    TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    pipeline TEXT NOT NULL,
    file     TEXT NOT NULL,
    began    INTEGER NOT NULL,
    -- When it was taken up for the last time, and how long it had been under way until then.
    taken_up INTEGER NOT NULL,
    earlier  INTEGER NOT NULL DEFAULT 0,
    ended    INTEGER,
    error    TEXT,
    inputs   TEXT NOT NULL,
    outputs  TEXT,
    text     TEXT NOT NULL
) STRICT;

CREATE TABLE steps (
    -- In the order in which they were kept.
    number INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    path   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    state  TEXT NOT NULL CHECK (state IN ('done', 'skipped', 'failed')),
    began  INTEGER NOT NULL,
    took   INTEGER NOT NULL,
    input  BLOB NOT NULL,
    error  TEXT,
    output TEXT NOT NULL,
    UNIQUE (run, path)
) STRICT;

-- How long a run was under way: a process that was killed was last seen when its last step was over.
CREATE VIEW spans AS
SELECT
    number,
    earlier + max(0, coalesce(ended, (SELECT max(began + took) FROM steps WHERE run = runs.number), 0) - taken_up) AS took
FROM runs;

CREATE TABLE cache (
    key   BLOB PRIMARY KEY,
    until INTEGER NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX cache_until ON cache (until);
