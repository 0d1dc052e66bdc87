-- Dashboards that people keep (docs/dashboards.md). What stands beside the document is taken from it whenever it is
-- written, for lists; the document alone counts.
CREATE TABLE dashboard (
    mission text NOT NULL,
    dashboard_id text NOT NULL,
    title text NOT NULL,
    author text NOT NULL,
    audience text NOT NULL CHECK (audience IN ('author', 'everyone', 'operators')),
    -- TAI, as all times here.
    changed_at bigint NOT NULL,
    changed_by text NOT NULL,
    widgets integer NOT NULL,
    conflicts integer NOT NULL,
    document bytea NOT NULL,
    PRIMARY KEY (mission, dashboard_id)
);

SELECT sto_protect('dashboard');

GRANT SELECT, INSERT, UPDATE, DELETE ON dashboard TO sto_ingest;
-- Not for readers of their own: who may see which is decided by the hub.
GRANT SELECT ON dashboard TO sto_interactive;
