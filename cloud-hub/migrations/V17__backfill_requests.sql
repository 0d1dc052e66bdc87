-- Spans of reception time that a node was asked to send first. A request is open for a day, and told to the node in each
-- of its sessions until nothing of it waits there.
CREATE TABLE backfill_request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mission text NOT NULL,
    node_id uuid NOT NULL REFERENCES node,
    -- TAI, as all times here; the first is in it, the second is not.
    received_from bigint NOT NULL,
    received_to bigint NOT NULL,
    asked_by text NOT NULL,
    asked_at bigint NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'nothing-waits', 'served', 'under-way')),
    -- What waited at the node when it last said so.
    batches bigint,
    changed_at bigint NOT NULL,
    CHECK (received_from < received_to)
);
CREATE INDEX backfill_request_of_mission ON backfill_request (mission, request_id DESC);
CREATE INDEX backfill_request_open ON backfill_request (node_id, asked_at) WHERE state IN ('asked', 'under-way');

SELECT sto_protect('backfill_request');

GRANT SELECT, INSERT, UPDATE, DELETE ON backfill_request TO sto_ingest;
GRANT SELECT ON backfill_request TO sto_interactive;
