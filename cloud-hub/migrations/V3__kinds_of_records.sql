-- What a row of the ledger holds: 1 packets, 2 samples, 3 events of the node, 4 bytes in which no packet was found; how
-- many of its records are in quarantine; and of a gap the first number that is missing (the last one is `sequence`).
ALTER TABLE ledger ADD COLUMN content smallint NOT NULL DEFAULT 1;
ALTER TABLE ledger ADD COLUMN quarantined integer NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN gap_first bigint;

-- What somebody should look at is little, and is looked for by mission.
CREATE INDEX ledger_to_look_at ON ledger (mission, ledger_id)
    WHERE content > 2 OR quarantined > 0 OR gap_first IS NOT NULL;
