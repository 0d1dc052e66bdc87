-- Versions of what says how a mission is watched: rules of alarms and detection, and trained models.
ALTER TABLE mission_document DROP CONSTRAINT mission_document_kind_check;
ALTER TABLE mission_document ADD CONSTRAINT mission_document_kind_check
    CHECK (kind IN ('dictionary', 'limits', 'alarm-rules', 'detection-rules', 'model'));
