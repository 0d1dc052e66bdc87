-- Where sites are: one row each, as somebody said last.
CREATE TABLE site_place (
    site text PRIMARY KEY,
    latitude_deg double precision NOT NULL,
    longitude_deg double precision NOT NULL,
    height_m double precision NOT NULL,
    -- Elevation below which nothing is heard there.
    mask_deg double precision NOT NULL,
    -- TAI, as all times here.
    set_at bigint NOT NULL,
    set_by text NOT NULL
);

-- How spacecraft fly: every version of their elements that was ever imported, as it was written.
CREATE TABLE orbit_elements (
    elements_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    mission text NOT NULL,
    spacecraft text NOT NULL,
    epoch bigint NOT NULL,
    text text NOT NULL,
    imported_at bigint NOT NULL,
    imported_by text NOT NULL
);
-- The same twice is once.
CREATE UNIQUE INDEX orbit_elements_by_epoch ON orbit_elements (mission, spacecraft, epoch, md5(text));

SELECT sto_protect('orbit_elements');

GRANT SELECT, INSERT, UPDATE ON site_place TO sto_ingest;
GRANT SELECT, INSERT ON orbit_elements TO sto_ingest;
GRANT SELECT ON site_place, orbit_elements TO sto_interactive;
GRANT SELECT ON orbit_elements TO sto_reader;
