-- Events that people post beside those that nodes record. The id is made by whoever posts: sent again, it is the same.
CREATE TABLE posted_event (
    mission text NOT NULL,
    event_id bytea NOT NULL CHECK (length(event_id) = 16),
    number bigint GENERATED ALWAYS AS IDENTITY,
    -- TAI, by the hub's clock.
    at bigint NOT NULL,
    author text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('error', 'info', 'warning')),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    PRIMARY KEY (mission, event_id)
);
CREATE INDEX posted_event_by_time ON posted_event (mission, at, number DESC);

SELECT sto_protect('posted_event');

GRANT SELECT, INSERT ON posted_event TO sto_ingest;
GRANT SELECT ON posted_event TO sto_interactive, sto_reader;
