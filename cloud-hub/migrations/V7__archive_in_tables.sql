-- Samples that came together are kept together: times once for all parameters of a packet, and a column each. The
-- archive before kept every parameter by itself; it is made again from the ledger at the next start.
DROP TABLE segment;
DELETE FROM reading;

-- Partitions by mission, and of each mission by month: a mission's data are dropped by the month. The hub makes them as
-- they are needed (`mission_partition`); what fits into none is in the mission's own remainder. Months count from
-- January 1970, of the ledger those of commit times, of the others those of generation times, in TAI.
ALTER TABLE ledger RENAME TO ledger_before;
CREATE TABLE ledger (
    ledger_id bigint NOT NULL,
    committed_at bigint NOT NULL,
    mission text NOT NULL,
    node_id uuid NOT NULL,
    epoch integer NOT NULL,
    lane smallint NOT NULL,
    sequence bigint NOT NULL,
    records integer NOT NULL,
    first_reception bigint NOT NULL,
    last_reception bigint NOT NULL,
    sealed bytea NOT NULL,
    content smallint NOT NULL,
    quarantined integer NOT NULL,
    gap_first bigint,
    way smallint NOT NULL,
    month integer NOT NULL
) PARTITION BY LIST (mission);
ALTER TABLE ledger ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER INDEX ledger_by_id RENAME TO ledger_before_by_id;
ALTER INDEX ledger_by_place RENAME TO ledger_before_by_place;
ALTER INDEX ledger_to_look_at RENAME TO ledger_before_to_look_at;
CREATE INDEX ledger_by_id ON ledger (ledger_id);
CREATE INDEX ledger_by_place ON ledger (node_id, epoch, lane, sequence);
CREATE INDEX ledger_by_reception ON ledger (mission, last_reception);
CREATE INDEX ledger_to_look_at ON ledger (mission, ledger_id)
    WHERE content > 2 OR quarantined > 0 OR gap_first IS NOT NULL;

-- Which parameters come together, each with the kinds of its values. Two layouts of the same parameters differ in kinds.
CREATE TABLE layout (
    layout_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    mission_id integer NOT NULL REFERENCES mission,
    parameters integer[] NOT NULL,
    -- Of each: raw kind (0 binary, 1 float, 2 signed, 3 text, 4 unsigned), converted kind (0 none, 1 number, 2 time) in
    -- the upper half.
    kinds bytea NOT NULL,
    -- Of both, so that long ones can be told apart quickly.
    hash bytea NOT NULL,
    UNIQUE (mission_id, hash)
);
CREATE INDEX layout_by_parameter ON layout USING gin (parameters);

-- Samples of one layout from one node, read by one version of a dictionary. Level 0 is what the head was cut to; a
-- segment of a higher level was merged from eight of the level below. Segments overlap where data came late.
CREATE TABLE segment (
    mission_id integer NOT NULL,
    layout_id integer NOT NULL,
    node_id uuid NOT NULL,
    reading_id integer NOT NULL,
    generation bigint NOT NULL,
    level smallint NOT NULL,
    dictionary_version integer NOT NULL,
    first_time bigint NOT NULL,
    last_time bigint NOT NULL,
    moments integer NOT NULL,
    -- Where each part of `columns` ends: the axis, then every column (docs/data-on-disk.md).
    ends integer[] NOT NULL,
    columns bytea NOT NULL,
    -- None goes beyond its month.
    month integer NOT NULL
) PARTITION BY LIST (mission_id);
ALTER TABLE segment ALTER COLUMN columns SET STORAGE EXTERNAL;
-- Read whole and often; 369 columns have 1.5 kB of them.
ALTER TABLE segment ALTER COLUMN ends SET STORAGE MAIN;
CREATE INDEX segment_by_time ON segment (layout_id, last_time);
-- What is still to be merged: the highest level is not.
CREATE INDEX segment_to_merge ON segment (layout_id, node_id, reading_id, dictionary_version, month, level, generation)
    WHERE level < 9;

-- The same, rolled up: for each bucket of a minute or an hour count, extremes, ends, sum and violations.
CREATE TABLE rollup (
    mission_id integer NOT NULL,
    -- Seconds: 60 or 3600.
    resolution smallint NOT NULL,
    layout_id integer NOT NULL,
    node_id uuid NOT NULL,
    reading_id integer NOT NULL,
    generation bigint NOT NULL,
    level smallint NOT NULL,
    dictionary_version integer NOT NULL,
    first_time bigint NOT NULL,
    last_time bigint NOT NULL,
    moments integer NOT NULL,
    ends integer[] NOT NULL,
    columns bytea NOT NULL,
    month integer NOT NULL
) PARTITION BY LIST (mission_id);
ALTER TABLE rollup ALTER COLUMN columns SET STORAGE EXTERNAL;
ALTER TABLE rollup ALTER COLUMN ends SET STORAGE MAIN;
CREATE INDEX rollup_by_time ON rollup (layout_id, resolution, last_time);
CREATE INDEX rollup_to_merge
    ON rollup (layout_id, resolution, node_id, reading_id, dictionary_version, month, level, generation)
    WHERE level < 9;

-- The newest few moments of each layout, so that a start has latest values without reading segments.
CREATE TABLE latest (
    mission_id integer NOT NULL,
    layout_id integer NOT NULL,
    node_id uuid NOT NULL,
    reading_id integer NOT NULL,
    dictionary_version integer NOT NULL,
    generation bigint NOT NULL,
    last_time bigint NOT NULL,
    moments integer NOT NULL,
    ends integer[] NOT NULL,
    columns bytea NOT NULL,
    PRIMARY KEY (mission_id, layout_id, node_id, reading_id, dictionary_version)
) WITH (fillfactor = 50);

-- Makes what a mission's rows of a month need: its own branch, its remainder, and the month's partition; of no month
-- where that is absent. `whole` is ledger, segment or rollup; the label is the mission's name, or its number. Whoever
-- writes rows may call it, so it works with its owner's rights.
CREATE FUNCTION mission_partition(whole text, label text, month integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    branch text := whole || '_' || label;
    part text := branch || '_' || (1970 + month / 12) || to_char(month % 12 + 1, 'FM00');
    key text := CASE whole WHEN 'ledger' THEN quote_literal(label) ELSE label::integer::text END;
    made text[] := '{}';
    relation text;
BEGIN
    IF whole NOT IN ('ledger', 'segment', 'rollup') THEN
        RAISE EXCEPTION '% has no partitions', whole;
    END IF;
    IF to_regclass(quote_ident(branch)) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES IN (%s) PARTITION BY RANGE (month)',
                       branch, whole, key);
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I DEFAULT', branch || '_rest', branch);
        made := ARRAY[branch, branch || '_rest'];
    END IF;
    IF month IS NOT NULL AND to_regclass(quote_ident(part)) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                       part, branch, month, month + 1);
        made := made || part;
    END IF;
    -- Who may read a partition by its own name does not meet its parent's policy. The function comes with a later
    -- migration, which protects what is there.
    IF to_regprocedure('sto_protect(regclass)') IS NOT NULL THEN
        FOREACH relation IN ARRAY made LOOP
            PERFORM sto_protect(quote_ident(relation)::regclass);
        END LOOP;
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION mission_partition FROM PUBLIC;

-- Drops a mission's partitions of months before one, and what is in its remainder from before it; of the ledger only
-- where it is in segments. Returns the names of what is gone.
CREATE FUNCTION drop_months(whole text, label text, first_kept integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    branch text := whole || '_' || label;
    part text;
BEGIN
    IF to_regclass(quote_ident(branch)) IS NULL THEN
        RETURN;
    END IF;
    IF whole = 'ledger' THEN
        SELECT least(first_kept, month_of(committed_at)) INTO first_kept FROM segmented;
    END IF;
    FOR part IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = to_regclass(quote_ident(branch)) AND relname ~ '_[0-9]{6}$'
          AND (right(relname, 6)::integer / 100 - 1970) * 12 + right(relname, 6)::integer % 100 - 1 < first_kept
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        RETURN NEXT part;
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE month < $1', branch || '_rest') USING first_kept;
END $$;
REVOKE EXECUTE ON FUNCTION drop_months FROM PUBLIC;

-- Up to where the ledger is in segments. Live data (1) pass the backlog (2) here as on the link: each has its own row.
ALTER TABLE segmented RENAME TO segmented_before;
CREATE TABLE segmented (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    live_ledger_id bigint NOT NULL,
    backlog_ledger_id bigint NOT NULL,
    generation bigint NOT NULL,
    -- The newest generation that took part in a merge: who knows an older one only must ask again.
    merged_generation bigint NOT NULL,
    -- Rows of the ledger that are not in segments were committed at or after this.
    committed_at bigint NOT NULL
);
INSERT INTO segmented (live_ledger_id, backlog_ledger_id, generation, merged_generation, committed_at)
    SELECT 0, 0, generation, 0, 0 FROM segmented_before;
DROP TABLE segmented_before;
-- Counted anew with the segments.
DELETE FROM completeness;
DELETE FROM completeness_lane;

-- What readings cover, of either.
ALTER TABLE reading RENAME COLUMN ledger_id TO live_ledger_id;
ALTER TABLE reading ADD COLUMN backlog_ledger_id bigint;

-- How long a mission's data are kept; absent: for ever.
ALTER TABLE mission ADD COLUMN keep_ledger_days integer CHECK (keep_ledger_days > 0);
ALTER TABLE mission ADD COLUMN keep_samples_days integer CHECK (keep_samples_days > 0);
ALTER TABLE mission ADD COLUMN keep_rollups_days integer CHECK (keep_rollups_days > 0);

CREATE FUNCTION month_of(nanoseconds bigint) RETURNS integer IMMUTABLE LANGUAGE sql AS $$
    SELECT (extract(year FROM at) * 12 + extract(month FROM at))::integer - 1970 * 12 - 1
    FROM (SELECT timestamp '1970-01-01' + nanoseconds / 1000000000 * interval '1 second' AS at) AS moment
$$;
SELECT mission_partition('ledger', mission, month)
    FROM (SELECT DISTINCT mission, month_of(committed_at) AS month FROM ledger_before) AS needed;
INSERT INTO ledger SELECT ledger_id, committed_at, mission, node_id, epoch, lane, sequence, records, first_reception,
    last_reception, sealed, content, quarantined, gap_first, way, month_of(committed_at) FROM ledger_before;
DROP TABLE ledger_before;
