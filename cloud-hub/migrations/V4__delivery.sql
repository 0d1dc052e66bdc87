-- Two cursors on one log: beside the watermark a lane has spans of what is committed beyond it. `ranges` are the
-- numbers, for people and questions; `spans` are the same with their chains, as the hub reads them: of each, first and
-- last as 8 bytes, big end first, and 16 bytes each of what the first is chained to and of the last's own chain.
ALTER TABLE lane ADD COLUMN ranges int8multirange NOT NULL DEFAULT '{}';
ALTER TABLE lane ADD COLUMN spans bytea NOT NULL DEFAULT '';
-- What nodes were told they may forget.
ALTER TABLE lane ADD COLUMN safe bigint NOT NULL DEFAULT 0;
UPDATE lane SET safe = watermark;

-- How a batch came: 1 alarm, 2 live, 3 backfill, 4 bulk, 5 import.
ALTER TABLE ledger ADD COLUMN way smallint NOT NULL DEFAULT 2;
-- A number that is known is compared with what is here.
CREATE INDEX ledger_by_place ON ledger (node_id, epoch, lane, sequence);

-- The runs of a node's process that opened its newest sessions: one that comes back after another is a second machine.
ALTER TABLE node ADD COLUMN boot bytea;
ALTER TABLE node ADD COLUMN boot_before bytea;
-- Missions it may send; absent: all.
ALTER TABLE node ADD COLUMN missions text[];

-- Batches that are not in the archive, but were not thrown away either.
CREATE TABLE kept_apart (
    kept_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    node_id uuid NOT NULL REFERENCES node,
    epoch integer NOT NULL,
    lane smallint NOT NULL,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    cause text NOT NULL CHECK (cause IN ('fork', 'mission', 'unreadable')),
    kept_at bigint NOT NULL,
    sealed bytea NOT NULL,
    UNIQUE (node_id, epoch, lane, sequence, hash)
);
ALTER TABLE kept_apart ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- What the hub refused, or somebody should know of.
CREATE TABLE hub_event (
    event_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at bigint NOT NULL,
    node_id uuid REFERENCES node,
    code text NOT NULL,
    text text NOT NULL
);
