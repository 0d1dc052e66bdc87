-- By whom tokens were made, when somebody was last there, and which tokens were ended before they were used.
ALTER TABLE enrolment_token
    ADD COLUMN made_unix bigint,
    ADD COLUMN made_by text,
    -- `expires_unix` is set to it too: an ended token is past its time for whoever tries it.
    ADD COLUMN ended_unix bigint;
ALTER TABLE api_token ADD COLUMN made_by text;
ALTER TABLE web_session ADD COLUMN since bigint, ADD COLUMN last_used bigint;
GRANT UPDATE (last_used) ON web_session TO sto_ingest;

-- How many gaps a node declared is asked for with each look at it.
CREATE INDEX ledger_gaps ON ledger (node_id, epoch, lane) WHERE gap_first IS NOT NULL;
