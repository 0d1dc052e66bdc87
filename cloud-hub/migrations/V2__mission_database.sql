-- Versions of a mission's dictionary and of its limits. Numbers count from 1 for each kind and are never used twice.
CREATE TABLE mission_document (
    mission_id integer NOT NULL REFERENCES mission,
    kind text NOT NULL CHECK (kind IN ('dictionary', 'limits')),
    number integer NOT NULL,
    -- Generation times; absent: from the beginning, until the next.
    effective_from bigint,
    effective_to bigint,
    file_name text NOT NULL,
    hash bytea NOT NULL,
    bounds text CHECK (bounds IN ('good', 'violation')),
    author text,
    reason text,
    imported_at bigint NOT NULL,
    -- The text, compressed with zstd.
    content bytea NOT NULL,
    PRIMARY KEY (mission_id, kind, number)
);
ALTER TABLE mission_document ALTER COLUMN content SET STORAGE EXTERNAL;

-- The ledger read again. Reading 0 is what was decoded as it came. A later reading covers a span of generation time
-- and all rows of the ledger up to a number; it counts from its switch on. A sample at a time t in a segment of
-- (reading r, generation g) is shown unless there is a switched reading r' > r with from_time <= t < to_time and
-- g <= generation.
CREATE TABLE reading (
    mission_id integer NOT NULL REFERENCES mission,
    reading_id integer NOT NULL CHECK (reading_id > 0),
    from_time bigint NOT NULL,
    to_time bigint NOT NULL,
    requested_at bigint NOT NULL,
    -- The ledger must be in segments up to here before reading begins; the running hub says it.
    wanted_ledger_id bigint,
    -- What it read: absent until it began.
    ledger_id bigint,
    generation bigint,
    batches bigint NOT NULL DEFAULT 0,
    packets bigint NOT NULL DEFAULT 0,
    samples bigint NOT NULL DEFAULT 0,
    switched_at bigint,
    abandoned_at bigint,
    PRIMARY KEY (mission_id, reading_id)
);

ALTER TABLE segment ADD COLUMN reading_id integer NOT NULL DEFAULT 0;
