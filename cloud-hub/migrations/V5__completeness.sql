-- What came of what there was, by hour of UTC (counted from 1970) in which it was received: sums over all batches up
-- to `segmented.accounted`. A row without an APID is of records that are no packets, and of lost batches.
CREATE TABLE completeness (
    mission text NOT NULL,
    hour integer NOT NULL,
    node_id uuid NOT NULL REFERENCES node,
    link text NOT NULL,
    apid smallint,
    received_live bigint NOT NULL,
    backfilled bigint NOT NULL,
    quarantined bigint NOT NULL,
    duplicates bigint NOT NULL,
    not_received bigint NOT NULL,
    damaged bigint NOT NULL,
    evicted bigint NOT NULL,
    forgotten bigint NOT NULL,
    never_issued bigint NOT NULL
);
CREATE UNIQUE INDEX completeness_by_hour ON completeness (mission, hour, node_id, link, (coalesce(apid, -1)));

-- How far the packets of each lane are joined, and the edges at which they go on: postcard, as the hub reads it.
CREATE TABLE completeness_lane (
    node_id uuid NOT NULL REFERENCES node,
    epoch integer NOT NULL,
    lane smallint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (node_id, epoch, lane)
);

-- Moves with what is in segments; behind it at first, so that an older ledger is accounted for at the next start.
ALTER TABLE segmented ADD COLUMN accounted bigint NOT NULL DEFAULT 0;

-- The newest batch that the node said it has of the lane.
ALTER TABLE lane ADD COLUMN head bigint NOT NULL DEFAULT 0;
