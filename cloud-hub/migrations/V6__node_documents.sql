-- What nodes are told about their hubs: versions of the list of hubs, and of the authorities to trust. A number is
-- never smaller than the time of day in Unix seconds, so that they grow even where the database was set back.
CREATE TABLE node_document (
    kind text NOT NULL CHECK (kind IN ('endpoints', 'trust')),
    number bigint NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
    made_at bigint NOT NULL,
    content text NOT NULL,
    -- Signed when it was made: whoever can write here alone cannot change whom nodes trust.
    authority bytea NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (kind, number)
);

-- Missions the node may send for; absent: all, or those it may send for already.
ALTER TABLE enrolment_token ADD COLUMN missions text[];
