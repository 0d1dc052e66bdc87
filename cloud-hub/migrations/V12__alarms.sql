-- Alarms (docs/alarms.md): entries of their histories, as nodes sent them and people at a hub made them, and what each
-- node is still to be told of what others wrote.

-- The newest number that was given to anything here. Who writes entries locks this row first, so that numbers become
-- visible in their order. They are microseconds of Unix time, or one more than the one before, so that they grow even
-- where the database was set back.
CREATE TABLE alarm_number (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number bigint NOT NULL
);
INSERT INTO alarm_number (number) VALUES (0);

CREATE TABLE alarm (
    mission text NOT NULL,
    alarm_id bytea NOT NULL,
    detector text NOT NULL,
    parameter text NOT NULL,
    -- Where it is about a node itself.
    node_id uuid,
    -- Generation time of the first occurrence, TAI.
    first bigint NOT NULL,
    -- Nothing is left to do about it. False until a hub has looked at its newest entry.
    is_closed boolean NOT NULL DEFAULT false,
    -- Of its newest entry.
    number bigint NOT NULL,
    PRIMARY KEY (mission, alarm_id)
);
CREATE INDEX alarm_closed ON alarm (mission, first, alarm_id) WHERE is_closed;
CREATE INDEX alarm_open ON alarm (mission) WHERE NOT is_closed;

CREATE TABLE alarm_entry (
    mission text NOT NULL,
    alarm_id bytea NOT NULL,
    entry_id bytea NOT NULL,
    number bigint NOT NULL UNIQUE,
    -- Where it was made: a node, or absent a hub; and when by the clock there.
    node_id uuid,
    recorded bigint NOT NULL,
    -- When a hub first stored an entry of this id.
    known_at bigint NOT NULL,
    -- The entry alone, as a piece.
    piece bytea NOT NULL,
    PRIMARY KEY (mission, alarm_id, entry_id),
    FOREIGN KEY (mission, alarm_id) REFERENCES alarm ON DELETE CASCADE
);

-- Nodes that wrote into an alarm, which are told what others write into it.
CREATE TABLE alarm_node (
    mission text NOT NULL,
    alarm_id bytea NOT NULL,
    node_id uuid NOT NULL REFERENCES node,
    PRIMARY KEY (mission, alarm_id, node_id),
    FOREIGN KEY (mission, alarm_id) REFERENCES alarm ON DELETE CASCADE
);
CREATE INDEX alarm_node_by_node ON alarm_node (node_id);

-- What a node is still to be told, in the order of numbers.
CREATE TABLE alarm_telling (
    node_id uuid NOT NULL,
    number bigint NOT NULL,
    mission text NOT NULL,
    alarm_id bytea NOT NULL,
    entry_id bytea NOT NULL,
    PRIMARY KEY (node_id, number),
    FOREIGN KEY (mission, alarm_id, entry_id) REFERENCES alarm_entry ON DELETE CASCADE
);
CREATE INDEX alarm_telling_by_entry ON alarm_telling (mission, alarm_id, entry_id);
CREATE INDEX alarm_telling_by_number ON alarm_telling (number);

-- Up to which number a node has what it was told, as it said last.
CREATE TABLE alarm_kept (
    node_id uuid PRIMARY KEY REFERENCES node,
    number bigint NOT NULL
);

-- What watching the hub's own links learned of a mission, and up to which of their batches.
CREATE TABLE alarm_watch (
    mission text PRIMARY KEY,
    sequence bigint NOT NULL,
    state bytea NOT NULL
);
ALTER TABLE alarm_watch ALTER COLUMN state SET STORAGE EXTERNAL;

SELECT sto_protect(relation) FROM unnest('{alarm,alarm_entry,alarm_node,alarm_telling,alarm_watch}'::regclass[]) AS relation;

-- The next number, of which the row is locked until the transaction ends.
CREATE FUNCTION next_alarm_number() RETURNS bigint LANGUAGE sql AS $$
    UPDATE alarm_number
    SET number = greatest(number + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) RETURNING number
$$;

-- Takes entries in, in one statement, so that no hub that stops half-way holds the numbers' lock. Of two entries with
-- one id the one that was recorded first stays, and of two of one time the one whose bytes come first: as
-- `processing::alarm::History` decides. Returns how many entries are new or other than before.
CREATE FUNCTION take_alarm_entries(
    known_now bigint, missions text[], alarm_ids bytea[], detectors text[], parameters text[], about_nodes uuid[],
    firsts bigint[], entry_ids bytea[], places uuid[], recorded_at bigint[], pieces bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given record;
    last bigint := next_alarm_number();
    told bigint;
    changed bigint := 0;
BEGIN
    FOR given IN
        SELECT * FROM unnest(missions, alarm_ids, detectors, parameters, about_nodes, firsts, entry_ids, places,
                             recorded_at, pieces)
            AS new (mission, alarm_id, detector, parameter, about_node, first, entry_id, place, recorded, piece)
    LOOP
        last := last + 1;
        INSERT INTO alarm (mission, alarm_id, detector, parameter, node_id, first, number)
            VALUES (given.mission, given.alarm_id, given.detector, given.parameter, given.about_node, given.first, last)
            ON CONFLICT DO NOTHING;
        INSERT INTO alarm_entry AS there (mission, alarm_id, entry_id, number, node_id, recorded, known_at, piece)
            VALUES (given.mission, given.alarm_id, given.entry_id, last, given.place, given.recorded, known_now,
                    given.piece)
            ON CONFLICT (mission, alarm_id, entry_id) DO UPDATE
                SET number = excluded.number, node_id = excluded.node_id, recorded = excluded.recorded,
                    piece = excluded.piece
                WHERE (excluded.recorded, excluded.piece) < (there.recorded, there.piece);
        IF FOUND THEN
            changed := changed + 1;
            UPDATE alarm SET is_closed = false, number = last
                WHERE (alarm.mission, alarm.alarm_id) = (given.mission, given.alarm_id);
            INSERT INTO alarm_telling (node_id, number, mission, alarm_id, entry_id)
                SELECT node_id, last, given.mission, given.alarm_id, given.entry_id FROM alarm_node
                WHERE (alarm_node.mission, alarm_node.alarm_id) = (given.mission, given.alarm_id)
                  AND node_id IS DISTINCT FROM given.place;
        END IF;
        CONTINUE WHEN given.place IS NULL;
        INSERT INTO alarm_node (mission, alarm_id, node_id) VALUES (given.mission, given.alarm_id, given.place)
            ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO alarm_telling (node_id, number, mission, alarm_id, entry_id)
                SELECT given.place, last + row_number() OVER (ORDER BY number), mission, alarm_id, entry_id
                FROM alarm_entry
                WHERE (mission, alarm_id) = (given.mission, given.alarm_id) AND node_id IS DISTINCT FROM given.place;
            GET DIAGNOSTICS told = ROW_COUNT;
            last := last + told;
        END IF;
    END LOOP;
    UPDATE alarm_number SET number = last;
    PERFORM pg_notify('sto_alarms', '');
    RETURN changed;
END $$;

-- A node says at the beginning of a session up to which number it has what it was told. Where that cannot be, because
-- the node lost what it had or this is not the database that told it, it is told everything again: all entries of the
-- alarms that it wrote into, its own with them.
CREATE FUNCTION begin_alarm_telling(teller uuid, said bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    newest bigint;
    first_new bigint;
    told bigint;
BEGIN
    SELECT number INTO before FROM alarm_kept WHERE node_id = teller;
    SELECT number INTO STRICT newest FROM alarm_number;
    IF said < before OR said > newest OR (before IS NULL AND said > 0) THEN
        first_new := next_alarm_number();
        DELETE FROM alarm_telling WHERE node_id = teller;
        INSERT INTO alarm_telling (node_id, number, mission, alarm_id, entry_id)
            SELECT teller, first_new + row_number() OVER (ORDER BY number), mission, alarm_id, entry_id
            FROM alarm_entry JOIN alarm_node AS wrote USING (mission, alarm_id) WHERE wrote.node_id = teller;
        GET DIAGNOSTICS told = ROW_COUNT;
        UPDATE alarm_number SET number = first_new + told;
    ELSE
        DELETE FROM alarm_telling WHERE node_id = teller AND number <= said;
    END IF;
    INSERT INTO alarm_kept (node_id, number) VALUES (teller, CASE WHEN said > newest THEN 0 ELSE said END)
        ON CONFLICT (node_id) DO UPDATE SET number = excluded.number;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON alarm TO sto_ingest;
GRANT SELECT, INSERT, UPDATE ON alarm_entry, alarm_kept, alarm_watch TO sto_ingest;
GRANT SELECT, INSERT ON alarm_node TO sto_ingest;
GRANT SELECT, INSERT, DELETE ON alarm_telling TO sto_ingest;
GRANT SELECT, UPDATE ON alarm_number TO sto_ingest;
GRANT SELECT ON alarm, alarm_entry TO sto_interactive, sto_reader;
