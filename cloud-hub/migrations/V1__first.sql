-- Times are bigint: TAI nanoseconds since 1970-01-01T00:00:00 TAI (decision D10).

CREATE TABLE node (
    node_id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    site text NOT NULL,
    standing text NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'revoked')),
    session_number bigint NOT NULL DEFAULT 0,
    last_contact bigint,
    report text
);

-- Which of a node's journals is which: a re-imaged node gets a new epoch, so a number is never used twice.
CREATE TABLE node_epoch (
    node_id uuid NOT NULL REFERENCES node,
    epoch integer NOT NULL,
    store_id bytea NOT NULL,
    PRIMARY KEY (node_id, epoch),
    UNIQUE (node_id, store_id)
);

-- How far each lane is committed. Always written in the transaction of the rows it speaks of, fenced by the
-- session number. The fill factor leaves room for updates in place.
CREATE TABLE lane (
    node_id uuid NOT NULL,
    epoch integer NOT NULL,
    lane smallint NOT NULL,
    session_number bigint NOT NULL,
    watermark bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (node_id, epoch, lane),
    FOREIGN KEY (node_id, epoch) REFERENCES node_epoch
) WITH (fillfactor = 50);

-- The raw archive: sealed batches as they came, append-only, one partition a day of commit time. That a batch is
-- here once is guaranteed by the lane's watermark, which moves in the same transaction.
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
    sealed bytea NOT NULL
) PARTITION BY RANGE (committed_at);
-- Sealed batches are compressed already.
ALTER TABLE ledger ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX ledger_by_id ON ledger (ledger_id);

CREATE TABLE mission (
    mission_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE
);

CREATE TABLE parameter (
    parameter_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    mission_id integer NOT NULL REFERENCES mission,
    name text NOT NULL,
    UNIQUE (mission_id, name)
);

-- Samples of one parameter from one node, in encoded columns. Segments overlap where data came late.
CREATE TABLE segment (
    mission_id integer NOT NULL REFERENCES mission,
    parameter_id integer NOT NULL REFERENCES parameter,
    node_id uuid NOT NULL REFERENCES node,
    generation bigint NOT NULL,
    first_time bigint NOT NULL,
    last_time bigint NOT NULL,
    samples integer NOT NULL,
    minimum double precision,
    maximum double precision,
    columns bytea NOT NULL
);
ALTER TABLE segment ALTER COLUMN columns SET STORAGE EXTERNAL;
CREATE INDEX segment_by_time ON segment (parameter_id, last_time);

-- Up to where the ledger is in segments: one row.
CREATE TABLE segmented (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ledger_id bigint NOT NULL,
    generation bigint NOT NULL
);
INSERT INTO segmented (ledger_id, generation) VALUES (0, 0);

CREATE TABLE enrolment_token (
    token_id bytea PRIMARY KEY,
    secret_sha256 bytea NOT NULL,
    node_name text NOT NULL,
    site text NOT NULL,
    expires_unix bigint NOT NULL,
    used_unix bigint,
    used_by_hostname text,
    used_key_sha256 bytea,
    node_id uuid REFERENCES node
);

CREATE TABLE node_certificate (
    serial bytea PRIMARY KEY,
    node_id uuid NOT NULL REFERENCES node,
    key_sha256 bytea NOT NULL,
    not_before_unix bigint NOT NULL,
    not_after_unix bigint NOT NULL,
    -- The node was moved to another machine since.
    superseded boolean NOT NULL DEFAULT false
);

CREATE TABLE login_code (
    code_hash bytea PRIMARY KEY,
    principal text NOT NULL,
    expires bigint NOT NULL
);

CREATE TABLE web_session (
    id_hash bytea PRIMARY KEY,
    principal text NOT NULL,
    expires bigint NOT NULL
);
