-- Messages about alarms (docs/notifications.md), each to one contact, under the id that every hub computes alike. They
-- are written down before they are sent, and only by the hub that leads.
CREATE TABLE alarm_notice (
    notice_id bytea PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    mission text NOT NULL,
    -- What it tells of, and the entry that nobody had acknowledged; both absent in a test.
    alarm_id bytea,
    entry_id bytea,
    contact text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('email', 'slack', 'webhook')),
    -- An address of e-mail, or the channel's name in the hub's configuration.
    address text NOT NULL,
    ladder text,
    step integer,
    round integer,
    -- TAI, as all times here.
    due bigint NOT NULL,
    made bigint NOT NULL,
    -- What it tells, JSON: the same in each attempt.
    message text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('delivered', 'dropped', 'given-up', 'waiting')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt bigint NOT NULL,
    last_attempt bigint,
    finished bigint,
    -- What the receiver said last, why the last attempt failed, or why it was dropped.
    said text
);
CREATE INDEX alarm_notice_waiting ON alarm_notice (mission, contact, due, number) WHERE state = 'waiting';
CREATE INDEX alarm_notice_by_attempt ON alarm_notice (mission, contact, last_attempt);
CREATE INDEX alarm_notice_by_end ON alarm_notice (mission, contact, finished)
    WHERE state IN ('delivered', 'given-up');
CREATE INDEX alarm_notice_by_due ON alarm_notice (mission, due, number);
CREATE INDEX alarm_notice_by_alarm ON alarm_notice (mission, alarm_id, entry_id);

SELECT sto_protect('alarm_notice');

GRANT SELECT, INSERT, UPDATE, DELETE ON alarm_notice TO sto_ingest;
-- Whom mission control tells is for its own screens: addresses of people are in it.
GRANT SELECT ON alarm_notice TO sto_interactive;
