-- Who leads: of several hubs on a database one receives, commits, cuts, merges and drops. Whoever takes the lease moves
-- its token; a transaction of the leader's locks the row's key (FOR KEY SHARE) while it looks for the token it knows.
-- The token is part of a unique key, so that taking the lease waits for such transactions and renewing it does not.
CREATE TABLE lease (
    name text PRIMARY KEY,
    -- The hub, by the number in its data directory, and the machine it runs on.
    holder uuid NOT NULL,
    holder_name text NOT NULL,
    token bigint NOT NULL,
    until timestamptz NOT NULL,
    UNIQUE (name, token)
);

-- What a leader writes looks at the token, and renewing moves the end; taking it is the owner's.
GRANT SELECT, UPDATE (until) ON lease TO sto_ingest;
