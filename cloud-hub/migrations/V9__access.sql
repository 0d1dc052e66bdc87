-- What a code or a session lets its holder do: its role, and the missions it may know of; absent: all.
ALTER TABLE login_code
    ADD COLUMN role text NOT NULL DEFAULT 'operator' CHECK (role IN ('operator', 'viewer')),
    ADD COLUMN missions text[];
ALTER TABLE web_session
    ADD COLUMN role text NOT NULL DEFAULT 'operator' CHECK (role IN ('operator', 'viewer')),
    ADD COLUMN missions text[];

-- Tokens of programs. Rows stay after a token is revoked or expired: they say who had which rights.
CREATE TABLE api_token (
    token_hash bytea PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('operator', 'viewer')),
    missions text[],
    made_at bigint NOT NULL,
    expires bigint NOT NULL,
    revoked_at bigint
);
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE revoked_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON api_token TO sto_ingest;
