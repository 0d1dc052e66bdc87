-- Who may do what, and whose rows somebody sees (decision D30). The roles are here already: the hub makes them before it
-- migrates, because they belong to the cluster and not to this database.

-- Missions whose rows are seen by who asks: for the hub's questions the one that `sto.mission` names, `*` for all and
-- none when it is not set; for anybody else those whose role `sto_read_MISSION` was granted.
CREATE FUNCTION sto_missions() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN current_user = 'sto_interactive' THEN ARRAY[current_setting('sto.mission', true)]
            ELSE ARRAY(SELECT substr(rolname::text, length('sto_read_') + 1) FROM pg_roles
                       WHERE starts_with(rolname::text, 'sto_read_') AND pg_has_role(current_user, oid, 'USAGE')) END;

-- The same as numbers. What is read here is filtered by the policy of `mission`.
CREATE FUNCTION sto_mission_ids() RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN ARRAY(SELECT mission_id FROM mission);

-- Protects a table by its column `mission` or `mission_id`; does nothing where that was done. A partition has to be
-- protected as well: who may read it by its own name does not meet its parent's policy. The missions are asked for in
-- a sub-select, so that they are looked up once a statement and not once a row.
CREATE FUNCTION sto_protect(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    by_name CONSTANT text := $policy$'*' = ANY ((SELECT sto_missions())::text[])
        OR %1$I = ANY ((SELECT sto_missions())::text[])$policy$;
    by_number CONSTANT text := $policy$%1$I = ANY ((SELECT sto_mission_ids())::integer[])$policy$;
    condition text;
BEGIN
    IF (SELECT relforcerowsecurity FROM pg_class WHERE oid = relation)
       AND EXISTS (SELECT FROM pg_policy WHERE polrelid = relation AND polname = 'sto_mission') THEN
        RETURN;
    END IF;
    SELECT CASE WHEN relation = 'mission'::regclass THEN format(by_name, 'name')
                WHEN attname = 'mission' THEN format(by_name, attname)
                ELSE format(by_number, attname) END
        INTO STRICT condition
        FROM pg_attribute WHERE attrelid = relation AND attname IN ('mission', 'mission_id') AND NOT attisdropped;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY sto_mission ON %s USING (%s)', relation, condition);
END $$;

DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN
        SELECT DISTINCT attrelid FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
          AND attname IN ('mission', 'mission_id') AND NOT attisdropped
    LOOP
        PERFORM sto_protect(relation);
    END LOOP;
END $$;

-- Short statements: sessions of nodes, segments, accounts, log-ins. The ledger is written by the owner, and
-- partitions are made by a function of the owner's.
GRANT SELECT ON ledger TO sto_ingest;
GRANT SELECT, INSERT ON node_epoch, parameter, mission_document, kept_apart TO sto_ingest;
GRANT SELECT, UPDATE ON segmented, reading TO sto_ingest;
GRANT SELECT, INSERT, DELETE ON segment, rollup, hub_event, login_code, web_session TO sto_ingest;
GRANT SELECT, INSERT, UPDATE ON
    node, lane, mission, layout, latest, enrolment_token, node_document, completeness, completeness_lane TO sto_ingest;
GRANT EXECUTE ON FUNCTION mission_partition, drop_months TO sto_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON node_certificate TO sto_ingest;

-- Questions of dashboards and interfaces: they write nothing.
GRANT SELECT ON
    ledger, mission, parameter, layout, segment, rollup, segmented, reading, completeness, node, lane TO sto_interactive;

-- What everybody else may read of a mission, once a role `sto_read_MISSION` says of which.
GRANT SELECT ON ledger, mission, parameter, layout, segment, rollup, segmented, reading, completeness TO sto_reader;
GRANT SELECT (node_id, name, site) ON node TO sto_reader;
