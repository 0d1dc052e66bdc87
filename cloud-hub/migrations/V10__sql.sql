-- Plain rows for psql and Grafana (docs/sql.md): the archive's columns (docs/data-on-disk.md), read in SQL. Every
-- function runs with its caller's rights, so that the policies of the tables decide which missions are seen.
--
-- Not `sto`: that is the private cluster's user, and PostgreSQL makes and looks for tables first in the schema that has
-- its user's name.
CREATE SCHEMA sto_sql;

-- How engineering values follow from raw ones: what is calibrated is not kept. A polynomial has coefficients, that of
-- the constant term first; a spline has points in the order of their raw values.
CREATE TABLE calibration (
    mission_id integer NOT NULL REFERENCES mission,
    parameter_id integer NOT NULL REFERENCES parameter,
    dictionary_version integer NOT NULL,
    coefficients double precision[],
    raw_points double precision[],
    engineering_points double precision[],
    -- Between two points on their line, or as the lower one.
    is_linear boolean NOT NULL DEFAULT false,
    extrapolates boolean NOT NULL DEFAULT false,
    PRIMARY KEY (parameter_id, dictionary_version),
    CHECK ((coefficients IS NULL) <> (raw_points IS NULL)),
    CHECK (cardinality(raw_points) = cardinality(engineering_points))
);

-- Words for raw values, of enumerations and booleans: the first range that a value lies in counts.
CREATE TABLE enumeration_label (
    mission_id integer NOT NULL REFERENCES mission,
    parameter_id integer NOT NULL REFERENCES parameter,
    dictionary_version integer NOT NULL,
    firsts bigint[] NOT NULL,
    lasts bigint[] NOT NULL,
    labels text[] NOT NULL,
    PRIMARY KEY (parameter_id, dictionary_version)
);

-- As the newest dictionary has them.
ALTER TABLE parameter ADD COLUMN unit text, ADD COLUMN description text;

-- TAI - UTC from a second of Unix time on (IERS Bulletin C).
CREATE TABLE sto_sql.leap_second (unix_second bigint PRIMARY KEY, tai_minus_utc integer NOT NULL);
INSERT INTO sto_sql.leap_second VALUES
    (63072000, 10), (78796800, 11), (94694400, 12), (126230400, 13), (157766400, 14), (189302400, 15),
    (220924800, 16), (252460800, 17), (283996800, 18), (315532800, 19), (362793600, 20), (394329600, 21),
    (425865600, 22), (489024000, 23), (567993600, 24), (631152000, 25), (662688000, 26), (709948800, 27),
    (741484800, 28), (773020800, 29), (820454400, 30), (867715200, 31), (915148800, 32), (1136073600, 33),
    (1230768000, 34), (1341100800, 35), (1435708800, 36), (1483228800, 37);

-- TAI nanoseconds of a moment; of none, the end of time on its side.
CREATE FUNCTION sto_sql.tai(moment timestamptz) RETURNS bigint STABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE
    WHEN moment <= timestamptz '1680-01-01 00:00:00Z' THEN -9223372036854775808
    WHEN moment >= timestamptz '2260-01-01 00:00:00Z' THEN 9223372036854775807
    ELSE (extract(epoch FROM moment) * 1000000000)::bigint + 1000000000::bigint * coalesce(
        (SELECT tai_minus_utc FROM sto_sql.leap_second WHERE unix_second <= floor(extract(epoch FROM moment))
         ORDER BY unix_second DESC LIMIT 1), 10)
END;

-- The moment of TAI nanoseconds, with the leap seconds at hand. A leap second reads as the second after it.
CREATE FUNCTION sto_sql.utc(nanoseconds bigint, begins bigint[], offsets integer[]) RETURNS timestamptz
STABLE PARALLEL SAFE LANGUAGE sql
RETURN timestamptz '1970-01-01 00:00:00Z'
    + (nanoseconds / 1000 - (nanoseconds % 1000 < 0)::integer
       - 1000000 * offsets[greatest(width_bucket(nanoseconds, begins), 1)])::double precision
      * interval '1 microsecond';

CREATE FUNCTION sto_sql.utc(nanoseconds bigint) RETURNS timestamptz STABLE PARALLEL SAFE LANGUAGE sql
RETURN (SELECT sto_sql.utc(nanoseconds, array_agg((unix_second + tai_minus_utc) * 1000000000 ORDER BY unix_second),
                       array_agg(tai_minus_utc ORDER BY unix_second))
        FROM sto_sql.leap_second);

-- The bits of some bytes in such an order that a field of n bits, of which the stream has the lowest first, is a
-- substring and reads as its number: bit 0 stands last. `reverse` leaves the halves of each byte exchanged.
CREATE FUNCTION sto_sql.bits(bytes bytea) RETURNS varbit IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    upper CONSTANT varbit := ('x' || repeat('f0', length(bytes)))::varbit;
    mixed CONSTANT varbit := ('x' || reverse(encode(bytes, 'hex')))::varbit;
BEGIN
    RETURN ((mixed & upper) >> 4) | ((mixed & ~upper) << 4);
END $$;

-- An unsigned LEB128 number, and how many bytes it has.
CREATE FUNCTION sto_sql.varint(bytes bytea, at integer) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    byte integer := get_byte(bytes, at);
    value bigint := byte & 127;
    shift integer := 0;
BEGIN
    WHILE byte > 127 LOOP
        at := at + 1;
        shift := shift + 7;
        byte := get_byte(bytes, at);
        value := value | ((byte & 127)::bigint << shift);
    END LOOP;
    RETURN value;
END $$;
CREATE FUNCTION sto_sql.varint_length(value bigint) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE WHEN value < 128 THEN 1 WHEN value < 16384 THEN 2 WHEN value < 2097152 THEN 3
            WHEN value < 268435456 THEN 4 ELSE 5 END;

-- The block behind so many others in a part, of which the first begins at a byte: a version and kinds may be before it.
CREATE FUNCTION sto_sql.block(part bytea, at integer, others integer) RETURNS bytea
IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    length bigint := sto_sql.varint(part, at);
BEGIN
    IF get_byte(part, 0) <> 3 THEN
        RAISE 'STO-SQL-FORMAT: columns have the version %, these functions read 3', get_byte(part, 0)
            USING ERRCODE = 'feature_not_supported', HINT = 'The hub that wrote them brings the functions up to date.';
    END IF;
    FOR block IN 1..others LOOP
        at := at + sto_sql.varint_length(length) + length;
        length := sto_sql.varint(part, at);
    END LOOP;
    RETURN substring(part FROM at + sto_sql.varint_length(length) + 1 FOR length::integer);
END $$;

-- a + b modulo 2^64.
CREATE FUNCTION sto_sql.wrapping_sum(a bigint, b bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE WHEN b >= 0 AND a <= 9223372036854775807 - b OR b < 0 AND a >= -9223372036854775808 - b THEN a + b
            ELSE (a # -9223372036854775808) + (b # -9223372036854775808) END;

-- pco's wrapped format as the hub writes it: classic mode, differences of order 0 to 2, one chunk of one page. Returns
-- what pco calls latents less 2^63; those of 32 bits stand in the upper half, where sums wrap as they should.
CREATE FUNCTION sto_sql.unpack(packed bytea, width integer, rows integer) RETURNS bigint[]
IMMUTABLE PARALLEL SAFE COST 1000 LANGUAGE plpgsql AS $$
DECLARE
    lowest CONSTANT bigint := -9223372036854775808;
    bits CONSTANT varbit := sto_sql.bits(packed);
    up CONSTANT integer := 64 - width;
    -- Bits that are not read yet, and one: where the field before this one was.
    at integer := 8 * length(packed) + 1;
    differences integer := 0;
    size_log integer;
    states integer;
    bins integer;
    weights integer[];
    bin_lowers bigint[];
    bin_sizes integer[];
    -- Of each state: 256 times what the next state is without the bits that are read for it, and how many these are;
    -- the lower bound of its bin; bits of the offset from it.
    nodes bigint[];
    lowers bigint[];
    sizes integer[];
    node bigint;
    state integer;
    -- Four states of up to 14 bits that take turns.
    queue bigint := 0;
    lower bigint;
    size integer;
    batch integer[] := array_fill(0, ARRAY[256]);
    body integer;
    done integer := 0;
    count integer;
    -- The next number, and where differences are of order 2 the next difference.
    number bigint := 0;
    slope bigint := 0;
    difference bigint;
    numbers bigint[] := array_fill(0::bigint, ARRAY[rows]);
BEGIN
    IF get_byte(packed, 0) <> 4 OR substring(bits, at - 20, 4)::integer <> 0
       OR substring(bits, at - 24, 4)::integer > 1 THEN
        RAISE 'STO-SQL-FORMAT: numbers are packed in a way that these functions do not read'
            USING ERRCODE = 'feature_not_supported', HINT = 'The hub that wrote them brings the functions up to date.';
    END IF;
    at := at - 24;
    IF substring(bits, at, 4)::integer = 1 THEN
        at := at - 4;
        differences := substring(bits, at + 1, 3)::integer;
    END IF;
    at := at - 19;
    size_log := substring(bits, at + 15, 4)::integer;
    bins := substring(bits, at, 15)::integer;
    FOR bin IN 1..bins LOOP
        at := at - size_log;
        weights[bin] := substring(bits, at, size_log)::integer + 1;
        at := at - width;
        bin_lowers[bin] := (substring(bits, at, width)::bigint << up) # lowest;
        size := CASE width WHEN 64 THEN 7 ELSE 6 END;
        at := at - size;
        bin_sizes[bin] := substring(bits, at, size)::integer;
    END LOOP;
    IF (SELECT sum(weight) FROM unnest(weights) AS weight) <> 1 << size_log THEN
        RAISE 'STO-SQL-DAMAGED: the bins of packed numbers do not fit together'
            USING ERRCODE = 'data_corrupted', HINT = 'The ledger has what was sent. See `cloud-hub archive verify`.';
    END IF;
    -- The page begins at a whole byte, and so does its body.
    at := ((at - 1) & ~7) + 1;
    IF differences > 0 THEN
        at := at - width;
        number := (substring(bits, at, width)::bigint << up) # lowest;
    END IF;
    IF differences > 1 THEN
        at := at - width;
        slope := substring(bits, at, width)::bigint << up;
    END IF;
    FOR turn IN 0..3 LOOP
        at := at - size_log;
        queue := queue | (substring(bits, at, size_log)::bigint << 14 * turn);
    END LOOP;
    at := ((at - 1) & ~7) + 1;

    IF bins = 1 THEN
        lower := bin_lowers[1];
        size := bin_sizes[1];
    ELSIF bins > 1 THEN
        states := 1 << size_log;
        SELECT array_agg(node_of.node ORDER BY place), array_agg(bin_lowers[bin] ORDER BY place),
               array_agg(bin_sizes[bin] ORDER BY place)
            INTO nodes, lowers, sizes
            FROM (SELECT place, bin, weights[bin] - 1 + row_number() OVER (PARTITION BY bin ORDER BY place) AS weight
                  FROM (SELECT ((3 * states / 5 | 1) * (row_number() OVER () - 1)::integer & states - 1) AS place, bin
                        FROM generate_series(1, bins) AS bin, generate_series(1, weights[bin])) AS spread) AS weighed,
                 LATERAL (SELECT size_log - floor(log(2, weight))::integer AS taken) AS read,
                 LATERAL (SELECT ((weight << taken) - states << 8) | taken AS node) AS node_of;
    END IF;

    body := rows - differences;
    WHILE done < body LOOP
        count := least(256, body - done);
        IF bins > 1 THEN
            FOR row IN 1..count LOOP
                state := (queue & 16383) + 1;
                batch[row] := state;
                node := nodes[state];
                at := at - (node & 255);
                queue := (queue >> 14) | ((node >> 8) + substring(bits, at, (node & 255)::integer)::bigint << 42);
            END LOOP;
        END IF;
        FOR row IN 1..count LOOP
            IF bins > 1 THEN
                state := batch[row];
                size := sizes[state];
                lower := lowers[state];
            END IF;
            at := at - size;
            difference := CASE WHEN size < width THEN lower + (substring(bits, at, size)::bigint << up)
                               ELSE sto_sql.wrapping_sum(lower, substring(bits, at, size)::bigint << up) END;
            IF differences = 0 THEN
                numbers[done + row] := difference;
            ELSE
                numbers[done + row] := number;
                IF differences = 1 THEN
                    number := sto_sql.wrapping_sum(number, difference);
                ELSE
                    number := sto_sql.wrapping_sum(number, slope);
                    slope := sto_sql.wrapping_sum(slope, difference);
                END IF;
            END IF;
        END LOOP;
        done := done + count;
    END LOOP;
    WHILE done < rows LOOP
        done := done + 1;
        numbers[done] := number;
        number := sto_sql.wrapping_sum(number, slope);
    END LOOP;
    -- All is read but what fills the last byte.
    IF at NOT BETWEEN 1 AND 8 THEN
        RAISE 'STO-SQL-DAMAGED: packed numbers are longer or shorter than their rows'
            USING ERRCODE = 'data_corrupted', HINT = 'The ledger has what was sent. See `cloud-hub archive verify`.';
    END IF;
    RETURN numbers;
END $$;

-- A block of numbers: the bits of 64-bit numbers, those of packed floating-point numbers in their order
-- (`sto_sql.floats`).
CREATE FUNCTION sto_sql.numbers(block bytea, rows integer) RETURNS bigint[]
IMMUTABLE PARALLEL SAFE COST 1000 LANGUAGE plpgsql AS $$
DECLARE
    bits varbit;
    at integer := 1;
    length bigint;
    number bigint;
    done integer := 0;
    numbers bigint[];
BEGIN
    CASE get_byte(block, 0)
    WHEN 0 THEN
        numbers := array_fill(sto_sql.bits(substring(block FROM 2))::bit(64)::bigint, ARRAY[rows]);
    WHEN 1 THEN
        bits := sto_sql.bits(block);
        numbers := array_fill(0::bigint, ARRAY[rows]);
        WHILE done < rows LOOP
            length := sto_sql.varint(block, at);
            at := at + sto_sql.varint_length(length) + 8;
            number := substring(bits, 8 * (length(block) - at) + 1, 64)::bigint;
            FOR row IN done + 1..least(done + length, rows) LOOP
                numbers[row] := number;
            END LOOP;
            done := done + length;
        END LOOP;
    WHEN 2 THEN
        numbers := sto_sql.unpack(substring(block FROM 2), 64, rows);
        FOR row IN 1..rows LOOP
            numbers[row] := numbers[row] # -9223372036854775808;
        END LOOP;
    WHEN 3, 4 THEN
        numbers := sto_sql.unpack(substring(block FROM 2), 64, rows);
    WHEN 5 THEN
        numbers := sto_sql.unpack(substring(block FROM 2), 32, rows);
    END CASE;
    RETURN numbers;
END $$;

-- The number that some bits are, without their sign: of double and of single precision.
CREATE FUNCTION sto_sql.double_of(bits bigint) RETURNS double precision IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE
    WHEN bits >> 52 BETWEEN 1 AND 2046
        THEN (bits & 4503599627370495 | 4503599627370496)::double precision
             * power(2::double precision, (bits >> 52) - 1075)
    WHEN bits >> 52 = 0 THEN bits::double precision * 4.9406564584124654e-324
    WHEN bits & 4503599627370495 = 0 THEN 'Infinity'::double precision
    ELSE 'NaN'::double precision
END;
CREATE FUNCTION sto_sql.single_of(bits bigint) RETURNS double precision IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE
    WHEN bits >> 23 BETWEEN 1 AND 254
        THEN (bits & 8388607 | 8388608)::double precision * power(2::double precision, (bits >> 23) - 150)
    WHEN bits >> 23 = 0 THEN bits::double precision * power(2::double precision, -149)
    WHEN bits & 8388607 = 0 THEN 'Infinity'::double precision
    ELSE 'NaN'::double precision
END;

-- A block of floating-point numbers. Of packed ones negative numbers are the complement of their bits.
CREATE FUNCTION sto_sql.floats(block bytea, rows integer) RETURNS double precision[]
IMMUTABLE PARALLEL SAFE COST 1000 LANGUAGE plpgsql AS $$
BEGIN
    CASE get_byte(block, 0)
    WHEN 0 THEN
        RETURN array_fill((SELECT CASE WHEN n >= 0 THEN sto_sql.double_of(n)
                                       ELSE -sto_sql.double_of(n & 9223372036854775807) END
                           FROM unnest(sto_sql.numbers(block, 1)) AS n), ARRAY[rows]);
    WHEN 1 THEN
        RETURN ARRAY(SELECT CASE WHEN n >= 0 THEN sto_sql.double_of(n)
                                 ELSE -sto_sql.double_of(n & 9223372036854775807) END
                     FROM unnest(sto_sql.numbers(block, rows)) AS n);
    WHEN 4 THEN
        RETURN ARRAY(SELECT CASE WHEN n >= 0 THEN sto_sql.double_of(n) ELSE -sto_sql.double_of(~n) END
                     FROM unnest(sto_sql.numbers(block, rows)) AS n);
    WHEN 5 THEN
        RETURN ARRAY(SELECT CASE WHEN n >= 0 THEN sto_sql.single_of(n >> 32) ELSE -sto_sql.single_of(~(n >> 32)) END
                     FROM unnest(sto_sql.numbers(block, rows)) AS n);
    END CASE;
END $$;

-- A block of texts, or of bytes as hexadecimal digits. NULL where the texts are compressed with zstd.
CREATE FUNCTION sto_sql.texts(block bytea, rows integer, is_text boolean) RETURNS text[]
IMMUTABLE PARALLEL SAFE COST 1000 LANGUAGE plpgsql AS $$
DECLARE
    -- Behind the encoding: how long all entries are, how many, and each with its length before it.
    stored CONSTANT bigint := sto_sql.varint(block, 1);
    at integer := 1 + sto_sql.varint_length(stored);
    behind CONSTANT integer := at + stored;
    length bigint := sto_sql.varint(block, at);
    entry bytea;
    entries text[];
    places bigint[];
    texts text[] := array_fill(''::text, ARRAY[rows]);
BEGIN
    IF get_byte(block, 0) = 7 THEN
        RETURN NULL;
    END IF;
    at := at + sto_sql.varint_length(length);
    FOR place IN 1..length LOOP
        length := sto_sql.varint(block, at);
        at := at + sto_sql.varint_length(length);
        entry := substring(block FROM at + 1 FOR length::integer);
        at := at + length;
        IF NOT is_text THEN
            entries[place] := encode(entry, 'hex');
        ELSE
            -- PostgreSQL's text has no character 0; at the end of a field it only fills it.
            entry := rtrim(entry, '\x00'::bytea);
            entries[place] := CASE WHEN position('\x00'::bytea IN entry) > 0 THEN encode(entry, 'escape')
                                   ELSE convert_from(entry, 'UTF8') END;
        END IF;
    END LOOP;
    length := sto_sql.varint(block, behind);
    places := sto_sql.numbers(substring(block FROM behind + sto_sql.varint_length(length) + 1), rows);
    FOR row IN 1..rows LOOP
        texts[row] := entries[places[row] + 1];
    END LOOP;
    RETURN texts;
END $$;

-- Runs of a byte each.
CREATE FUNCTION sto_sql.runs(block bytea, rows integer) RETURNS integer[]
IMMUTABLE PARALLEL SAFE COST 1000 LANGUAGE plpgsql AS $$
DECLARE
    at integer := 0;
    length bigint;
    byte integer;
    done integer := 0;
    bytes integer[];
BEGIN
    WHILE done < rows LOOP
        length := sto_sql.varint(block, at);
        at := at + sto_sql.varint_length(length) + 1;
        byte := get_byte(block, at - 1);
        IF done = 0 THEN
            bytes := array_fill(byte, ARRAY[rows]);
        ELSE
            FOR row IN done + 1..least(done + length, rows) LOOP
                bytes[row] := byte;
            END LOOP;
        END IF;
        done := done + length;
    END LOOP;
    RETURN bytes;
END $$;

-- Arithmetic that gives infinities and zeros as processors do, where PostgreSQL's operators give errors.
CREATE FUNCTION sto_sql.product(a double precision, b double precision) RETURNS double precision
IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE
    WHEN abs(a) < 1e150 AND abs(b) < 1e150 AND (abs(a) > 1e-150 OR a = 0) AND (abs(b) > 1e-150 OR b = 0) THEN a * b
    WHEN a = 0 OR b = 0 OR abs(a) >= 'Infinity'::double precision OR abs(b) >= 'Infinity'::double precision THEN a * b
    WHEN ln(abs(a)) + ln(abs(b)) > 709.782712893 THEN sign(a) * sign(b) * 'Infinity'::double precision
    WHEN ln(abs(a)) + ln(abs(b)) < -745.13321 THEN sign(a) * sign(b) * 0::double precision
    ELSE a * b
END;
CREATE FUNCTION sto_sql.quotient(a double precision, b double precision) RETURNS double precision
IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE
    WHEN abs(a) < 1e150 AND abs(b) < 1e150 AND (abs(a) > 1e-150 OR a = 0) AND abs(b) > 1e-150 THEN a / b
    WHEN a = 0 OR abs(a) >= 'Infinity'::double precision OR abs(b) >= 'Infinity'::double precision THEN a / b
    WHEN ln(abs(a)) - ln(abs(b)) > 709.782712893 THEN sign(a) * sign(b) * 'Infinity'::double precision
    WHEN ln(abs(a)) - ln(abs(b)) < -745.13321 THEN sign(a) * sign(b) * 0::double precision
    ELSE a / b
END;
CREATE FUNCTION sto_sql.total(a double precision, b double precision) RETURNS double precision
IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE
    WHEN abs(a) < 8e307 AND abs(b) < 8e307 THEN a + b
    WHEN abs(a / 2 + b / 2) > 8.9884656743115785e307 THEN sign(a / 2 + b / 2) * 'Infinity'::double precision
    ELSE a + b
END;

-- The engineering value of a raw one; NaN where a spline that does not go on has none.
CREATE FUNCTION sto_sql.calibrated(raw double precision, coefficients double precision[], raw_points double precision[],
                               engineering_points double precision[], is_linear boolean, extrapolates boolean)
RETURNS double precision IMMUTABLE PARALLEL SAFE COST 1000 LANGUAGE plpgsql AS $$
DECLARE
    last integer := cardinality(raw_points);
    place integer;
    value double precision;
BEGIN
    IF coefficients IS NOT NULL THEN
        value := coalesce(coefficients[cardinality(coefficients)], 0);
        FOR term IN REVERSE cardinality(coefficients) - 1..1 LOOP
            value := sto_sql.total(sto_sql.product(value, raw), coefficients[term]);
        END LOOP;
        RETURN value;
    END IF;
    IF raw IS NULL OR raw = 'NaN' OR NOT extrapolates AND (raw < raw_points[1] OR raw > raw_points[last]) THEN
        RETURN CASE WHEN raw IS NOT NULL THEN 'NaN'::double precision END;
    END IF;
    -- Outside of all points the nearest pair goes on.
    place := greatest(width_bucket(raw, raw_points), 1);
    IF NOT is_linear OR last = 1 THEN
        RETURN engineering_points[place];
    END IF;
    place := least(place, last - 1);
    RETURN sto_sql.total(engineering_points[place], sto_sql.quotient(
        sto_sql.product(sto_sql.total(raw, -raw_points[place]),
                    sto_sql.total(engineering_points[place + 1], -engineering_points[place])),
        sto_sql.total(raw_points[place + 1], -raw_points[place])));
END $$;

-- The word for a raw value.
CREATE FUNCTION sto_sql.label_of(raw bigint, firsts bigint[], lasts bigint[], labels text[]) RETURNS text
IMMUTABLE PARALLEL SAFE COST 500 LANGUAGE plpgsql AS $$
BEGIN
    FOR place IN 1..cardinality(firsts) LOOP
        IF raw BETWEEN firsts[place] AND lasts[place] THEN
            RETURN labels[place];
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- The layouts that have a parameter, and the place and the kinds of its column there. A parameter that a packet repeats
-- has as many columns.
CREATE FUNCTION sto_sql.places(mission text, parameter text)
RETURNS TABLE (mission_id integer, parameter_id integer, layout_id integer, place integer, kinds integer)
STABLE PARALLEL SAFE ROWS 10 LANGUAGE sql
BEGIN ATOMIC
    SELECT m.mission_id, p.parameter_id, l.layout_id, entry.place::integer, get_byte(l.kinds, entry.place::integer - 1)
    FROM mission AS m
    JOIN parameter AS p ON p.mission_id = m.mission_id AND p.name = places.parameter
    JOIN layout AS l ON l.mission_id = m.mission_id AND l.parameters @> ARRAY[p.parameter_id]
    CROSS JOIN LATERAL unnest(l.parameters) WITH ORDINALITY AS entry (parameter_id, place)
    WHERE m.name = places.mission AND entry.parameter_id = p.parameter_id;
END;

-- Whether segments of a reading are shown, and the spans of time in which a later reading hides those of a generation.
CREATE FUNCTION sto_sql.is_shown(mission_id integer, reading_id integer) RETURNS boolean
STABLE PARALLEL SAFE LANGUAGE sql
RETURN is_shown.reading_id = 0 OR EXISTS (
    SELECT FROM reading AS r WHERE r.mission_id = is_shown.mission_id AND r.reading_id = is_shown.reading_id
                               AND r.switched_at IS NOT NULL);
CREATE FUNCTION sto_sql.hidden(mission_id integer, reading_id integer, generation bigint) RETURNS int8multirange
STABLE PARALLEL SAFE LANGUAGE sql
RETURN (SELECT coalesce(range_agg(int8range(r.from_time, r.to_time)), '{}') FROM reading AS r
        WHERE r.mission_id = hidden.mission_id AND r.switched_at IS NOT NULL AND r.reading_id > hidden.reading_id
          AND r.generation >= hidden.generation);

-- Rows of a segment that are shown. PostgreSQL takes an array for ten rows and joins ten rows by trying all of them; a
-- function that is STRICT is not looked into, and is taken for as many rows as it says.
CREATE FUNCTION sto_sql.shown(times bigint[], first bigint, after bigint, hidden int8multirange)
RETURNS TABLE ("time" bigint, "row" integer) IMMUTABLE STRICT PARALLEL SAFE ROWS 20000 LANGUAGE sql
BEGIN ATOMIC
    SELECT moment.time, moment.row::integer FROM unnest(shown.times) WITH ORDINALITY AS moment (time, row)
    WHERE moment.time >= shown.first AND moment.time < shown.after AND NOT shown.hidden @> moment.time;
END;

-- Samples of a parameter, in no order, from segments or from the newest moments that are kept by themselves. What of a
-- row is not asked for is not decoded: rows and the arrays of segments come from subqueries that PostgreSQL does not
-- merge into the whole (OFFSET 0), but whose unused columns it leaves out. Merged, a sort would carry a segment's
-- arrays beside each of its rows.
CREATE FUNCTION sto_sql.samples_between(mission text, parameter text, first bigint, after bigint, is_latest boolean)
RETURNS TABLE ("time" timestamptz, nanoseconds bigint, reception timestamptz, raw double precision, raw_text text,
               value double precision, label text, validity text, monitoring text, provenance text, node text)
STABLE PARALLEL SAFE ROWS 10000 LANGUAGE sql
BEGIN ATOMIC
    SELECT sto_sql.utc(moment.generation, leap.begins, leap.offsets),
           moment.generation,
           sto_sql.utc(moment.generation + decoded.lateness[moment.row], leap.begins, leap.offsets),
           number.raw,
           CASE WHEN decoded.raw_kind IN (0, 3) THEN decoded.texts[moment.row]
                WHEN decoded.raw_kind = 4 AND decoded.integers[moment.row] < 0
                    THEN (decoded.integers[moment.row]::numeric + 18446744073709551616)::text
                WHEN decoded.raw_kind IN (2, 4)
                     AND decoded.integers[moment.row] NOT BETWEEN -9007199254740992 AND 9007199254740992
                    THEN decoded.integers[moment.row]::text END,
           CASE WHEN (decoded.quality[moment.row] & 15) NOT IN (0, 4) OR decoded.converted_kind = 2 THEN NULL
                WHEN decoded.converted_kind = 1 THEN decoded.converted[moment.row]
                WHEN decoded.is_calibrated THEN sto_sql.calibrated(number.raw, decoded.coefficients, decoded.raw_points,
                    decoded.engineering_points, decoded.is_linear, decoded.extrapolates)
                ELSE number.raw END,
           CASE WHEN decoded.converted_kind = 2
                    THEN to_char(sto_sql.utc(decoded.times[moment.row], leap.begins, leap.offsets) AT TIME ZONE 'UTC',
                                 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                WHEN decoded.labels IS NOT NULL
                    THEN sto_sql.label_of(decoded.integers[moment.row], decoded.firsts, decoded.lasts, decoded.labels)
                WHEN decoded.raw_kind = 3 THEN decoded.texts[moment.row] END,
           (ARRAY['valid', 'not-a-number', 'outside-calibration', 'outside-valid-range', 'unknown-label'])
               [(decoded.quality[moment.row] & 15) + 1],
           (ARRAY['not-monitored', 'normal', 'watch', 'warning', 'distress', 'critical', 'severe'])
               [(decoded.quality[moment.row] >> 4) + 1],
           (ARRAY['live', 'backfilled', 'imported', 'reprocessed'])[decoded.provenance[moment.row] + 1],
           decoded.node
    FROM (SELECT array_agg((unix_second + tai_minus_utc) * 1000000000 ORDER BY unix_second) AS begins,
                       array_agg(tai_minus_utc ORDER BY unix_second) AS offsets FROM sto_sql.leap_second) AS leap
    CROSS JOIN LATERAL (
        SELECT of.kinds & 15 AS raw_kind, of.kinds >> 4 AS converted_kind,
               sto_sql.hidden(of.mission_id, s.reading_id, s.generation) AS hidden,
               sto_sql.numbers(sto_sql.block(part.axis, 1, 0), s.moments) AS generation,
               sto_sql.numbers(sto_sql.block(part.axis, 1, 1), s.moments) AS lateness,
               sto_sql.runs(sto_sql.block(part.axis, 1, 2), s.moments) AS provenance,
               CASE WHEN of.kinds & 15 IN (2, 4)
                    THEN sto_sql.numbers(sto_sql.block(part.own, 2, 0), s.moments) END AS integers,
               CASE WHEN of.kinds & 15 = 1 THEN sto_sql.floats(sto_sql.block(part.own, 2, 0), s.moments) END AS floats,
               CASE WHEN of.kinds & 15 IN (0, 3)
                    THEN sto_sql.texts(sto_sql.block(part.own, 2, 0), s.moments, of.kinds & 15 = 3) END AS texts,
               CASE WHEN of.kinds >> 4 = 1
                    THEN sto_sql.floats(sto_sql.block(part.own, 2, 1), s.moments) END AS converted,
               CASE WHEN of.kinds >> 4 = 2 THEN sto_sql.numbers(sto_sql.block(part.own, 2, 1), s.moments) END AS times,
               sto_sql.runs(sto_sql.block(part.own, 2, CASE WHEN of.kinds >> 4 = 0 THEN 1 ELSE 2 END), s.moments)
                   AS quality,
               c.parameter_id IS NOT NULL AS is_calibrated,
               c.coefficients, c.raw_points, c.engineering_points, c.is_linear, c.extrapolates,
               e.firsts, e.lasts, e.labels,
               coalesce((SELECT n.name FROM node AS n WHERE n.node_id = s.node_id), s.node_id::text) AS node
        FROM sto_sql.places(samples_between.mission, samples_between.parameter) AS of
        CROSS JOIN LATERAL (
            SELECT s.node_id, s.reading_id, s.generation, s.dictionary_version, s.moments, s.ends, s.columns
            FROM segment AS s
            WHERE NOT samples_between.is_latest AND s.mission_id = of.mission_id AND s.layout_id = of.layout_id
              AND s.last_time >= samples_between.first AND s.first_time < samples_between.after
            UNION ALL
            SELECT l.node_id, l.reading_id, l.generation, l.dictionary_version, l.moments, l.ends, l.columns
            FROM latest AS l
            WHERE samples_between.is_latest AND l.mission_id = of.mission_id AND l.layout_id = of.layout_id) AS s
        CROSS JOIN LATERAL (
            SELECT substring(s.columns FROM 1 FOR s.ends[1]) AS axis,
                   substring(s.columns FROM s.ends[of.place] + 1 FOR s.ends[of.place + 1] - s.ends[of.place]) AS own
            OFFSET 0) AS part
        LEFT JOIN calibration AS c
            ON c.parameter_id = of.parameter_id AND c.dictionary_version = s.dictionary_version
        LEFT JOIN enumeration_label AS e
            ON e.parameter_id = of.parameter_id AND e.dictionary_version = s.dictionary_version
        WHERE sto_sql.is_shown(of.mission_id, s.reading_id)
        OFFSET 0) AS decoded
    CROSS JOIN LATERAL sto_sql.shown(decoded.generation, samples_between.first, samples_between.after, decoded.hidden)
        AS moment (generation, row)
    CROSS JOIN LATERAL (
        SELECT CASE decoded.raw_kind
                   WHEN 1 THEN decoded.floats[moment.row]
                   WHEN 2 THEN decoded.integers[moment.row]::double precision
                   WHEN 4 THEN CASE
                       WHEN decoded.integers[moment.row] >= 0 THEN decoded.integers[moment.row]::double precision
                       ELSE (decoded.integers[moment.row]::numeric + 18446744073709551616)::double precision END
               END AS raw) AS number
    OFFSET 0;
END;

CREATE FUNCTION sto_sql.samples(mission text, parameter text, from_time timestamptz, to_time timestamptz)
RETURNS TABLE ("time" timestamptz, nanoseconds bigint, reception timestamptz, raw double precision, raw_text text,
               value double precision, label text, validity text, monitoring text, provenance text, node text)
STABLE PARALLEL SAFE ROWS 10000 LANGUAGE sql
BEGIN ATOMIC
    SELECT s.*
    FROM (SELECT sto_sql.tai(samples.from_time) AS first, sto_sql.tai(samples.to_time) AS after OFFSET 0) AS span
    CROSS JOIN LATERAL sto_sql.samples_between(samples.mission, samples.parameter, span.first, span.after, false) AS s;
END;

-- The newest sample of a parameter that segments hold.
CREATE FUNCTION sto_sql.latest(mission text, parameter text)
RETURNS TABLE ("time" timestamptz, nanoseconds bigint, reception timestamptz, raw double precision, raw_text text,
               value double precision, label text, validity text, monitoring text, provenance text, node text)
STABLE PARALLEL SAFE ROWS 1 LANGUAGE sql
BEGIN ATOMIC
    SELECT s.* FROM sto_sql.samples_between(latest.mission, latest.parameter, -9223372036854775808, 9223372036854775807,
                                        true) AS s
    ORDER BY s.nanoseconds DESC, s.reception DESC LIMIT 1;
END;

-- Where the bucket begins that a time lies in; buckets begin at whole multiples of their width in TAI.
CREATE FUNCTION sto_sql.bucket(nanoseconds bigint, width bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN greatest(nanoseconds, -9223368000000000000)
    - (greatest(nanoseconds, -9223368000000000000) % width + width) % width;

-- Roll-ups of a parameter, by the bucket: a minute (60) or an hour (3600). A bucket in which a reading begins or ends
-- is of both it and what it hides, so it is rolled up here.
CREATE FUNCTION sto_sql.rollups(mission text, parameter text, resolution integer, from_time timestamptz,
                            to_time timestamptz)
RETURNS TABLE ("time" timestamptz, count bigint, numbers bigint, violations bigint, min double precision,
               max double precision, first double precision, last double precision, mean double precision)
STABLE PARALLEL SAFE ROWS 1000 LANGUAGE sql
BEGIN ATOMIC
    WITH span AS MATERIALIZED (
        SELECT sto_sql.bucket(sto_sql.tai(rollups.from_time), rollups.resolution * 1000000000::bigint) AS first,
               sto_sql.tai(rollups.to_time) AS after, rollups.resolution * 1000000000::bigint AS width
    ), cut AS MATERIALIZED (
        SELECT DISTINCT sto_sql.bucket(edge, span.width) AS start
        FROM span, mission AS m, reading AS r, LATERAL unnest(ARRAY[r.from_time, r.to_time]) AS edge
        WHERE m.name = rollups.mission AND r.mission_id = m.mission_id AND r.switched_at IS NOT NULL
          AND edge > span.first AND edge < span.after AND edge % span.width <> 0
    ), rolled AS (
        SELECT sto_sql.bucket(bucket.first_at, span.width) AS start, bucket.first_at,
               bucket.first_at + decoded.lasts[bucket.row] AS last_at, decoded.counts[bucket.row] AS count,
               decoded.without_number[bucket.row] AS without_number, decoded.violations[bucket.row] AS violations,
               nullif(decoded.firsts[bucket.row], 'NaN') AS first, nullif(decoded.last[bucket.row], 'NaN') AS last,
               nullif(decoded.minima[bucket.row], 'NaN') AS minimum,
               nullif(decoded.maxima[bucket.row], 'NaN') AS maximum, decoded.sums[bucket.row] AS sum
        FROM span
        CROSS JOIN LATERAL (
            SELECT sto_sql.hidden(of.mission_id, s.reading_id, s.generation) AS hidden,
                   sto_sql.numbers(sto_sql.block(part.axis, 1, 0), s.moments) AS counts,
                   sto_sql.numbers(sto_sql.block(part.axis, 1, 1), s.moments) AS first_ats,
                   sto_sql.numbers(sto_sql.block(part.axis, 1, 2), s.moments) AS lasts,
                   sto_sql.numbers(sto_sql.block(part.own, 1, 0), s.moments) AS without_number,
                   sto_sql.numbers(sto_sql.block(part.own, 1, 1), s.moments) AS violations,
                   sto_sql.floats(sto_sql.block(part.own, 1, 3), s.moments) AS firsts,
                   sto_sql.floats(sto_sql.block(part.own, 1, 4), s.moments) AS last,
                   sto_sql.floats(sto_sql.block(part.own, 1, 5), s.moments) AS minima,
                   sto_sql.floats(sto_sql.block(part.own, 1, 6), s.moments) AS maxima,
                   sto_sql.floats(sto_sql.block(part.own, 1, 7), s.moments) AS sums
            FROM sto_sql.places(rollups.mission, rollups.parameter) AS of
            JOIN rollup AS s ON s.mission_id = of.mission_id AND s.layout_id = of.layout_id
                AND s.resolution = rollups.resolution AND s.last_time >= span.first AND s.first_time < span.after
            CROSS JOIN LATERAL (
                SELECT substring(s.columns FROM 1 FOR s.ends[1]) AS axis,
                       substring(s.columns FROM s.ends[of.place] + 1 FOR s.ends[of.place + 1] - s.ends[of.place]) AS own
                OFFSET 0) AS part
            WHERE sto_sql.is_shown(of.mission_id, s.reading_id)
            OFFSET 0) AS decoded
        CROSS JOIN LATERAL sto_sql.shown(decoded.first_ats, span.first, span.after, decoded.hidden)
            AS bucket (first_at, row)
        WHERE sto_sql.bucket(bucket.first_at, span.width) NOT IN (SELECT start FROM cut)
        UNION ALL
        SELECT cut.start, s.nanoseconds, s.nanoseconds, 1, (number IS NULL)::integer,
               (s.monitoring NOT IN ('not-monitored', 'normal'))::integer, number, number, number, number,
               coalesce(number, 0)
        FROM cut CROSS JOIN span
        CROSS JOIN LATERAL sto_sql.samples_between(rollups.mission, rollups.parameter, cut.start,
                                               cut.start + span.width, false) AS s
        CROSS JOIN LATERAL (SELECT CASE WHEN abs(s.value) < 'Infinity' THEN s.value END AS number) AS finite
    )
    SELECT sto_sql.utc(rolled.start), sum(rolled.count)::bigint, sum(rolled.count - rolled.without_number)::bigint,
           sum(rolled.violations)::bigint, min(rolled.minimum), max(rolled.maximum),
           (array_agg(rolled.first ORDER BY rolled.first_at, rolled.first))[1],
           (array_agg(rolled.last ORDER BY rolled.last_at DESC, rolled.last DESC NULLS LAST))[1],
           sto_sql.quotient(sum(rolled.sum), nullif(sum(rolled.count - rolled.without_number), 0)::double precision)
    FROM rolled GROUP BY rolled.start;
END;

-- A range in so many parts of equal length, from what is finer than they are: samples, or roll-ups of a minute or an
-- hour.
CREATE FUNCTION sto_sql.plot(mission text, parameter text, from_time timestamptz, to_time timestamptz, points integer)
RETURNS TABLE ("time" timestamptz, count bigint, min double precision, max double precision, first double precision,
               last double precision, mean double precision)
STABLE ROWS 1000 LANGUAGE plpgsql AS $$
DECLARE
    width interval := greatest((to_time - from_time) / greatest(points, 1), interval '1 millisecond');
BEGIN
    IF width < interval '1 minute' THEN
        RETURN QUERY
            SELECT date_bin(width, s.time, from_time), count(*), min(finite.number), max(finite.number),
                   (array_agg(finite.number ORDER BY s.nanoseconds, finite.number))[1],
                   (array_agg(finite.number ORDER BY s.nanoseconds DESC, finite.number DESC NULLS LAST))[1],
                   avg(finite.number)
            FROM sto_sql.samples(mission, parameter, from_time, to_time) AS s
            CROSS JOIN LATERAL (SELECT CASE WHEN abs(s.value) < 'Infinity' THEN s.value END AS number) AS finite
            GROUP BY 1 ORDER BY 1;
    ELSE
        RETURN QUERY
            SELECT date_bin(width, greatest(r.time, from_time), from_time), sum(r.count)::bigint, min(r.min),
                   max(r.max),
                   (array_agg(r.first ORDER BY r.time))[1], (array_agg(r.last ORDER BY r.time DESC))[1],
                   sum(r.mean * r.numbers) / nullif(sum(r.numbers), 0)::double precision
            FROM sto_sql.rollups(mission, parameter, CASE WHEN width < interval '1 hour' THEN 60 ELSE 3600 END,
                             from_time, to_time) AS r
            GROUP BY 1 ORDER BY 1;
    END IF;
END $$;

-- Views of functions, because a view reads tables with its owner's rights, and functions in it with the asker's.
CREATE FUNCTION sto_sql.missions() RETURNS TABLE (mission text, keep_samples_days integer, keep_rollups_days integer)
STABLE PARALLEL SAFE LANGUAGE sql
BEGIN ATOMIC
    SELECT m.name, m.keep_samples_days, m.keep_rollups_days FROM mission AS m;
END;
CREATE VIEW sto_sql.missions AS SELECT * FROM sto_sql.missions();

CREATE FUNCTION sto_sql.parameters() RETURNS TABLE (mission text, parameter text, unit text, description text)
STABLE PARALLEL SAFE LANGUAGE sql
BEGIN ATOMIC
    SELECT m.name, p.name, p.unit, p.description FROM parameter AS p JOIN mission AS m USING (mission_id);
END;
CREATE VIEW sto_sql.parameters AS SELECT * FROM sto_sql.parameters();

CREATE FUNCTION sto_sql.nodes() RETURNS TABLE (node text, site text, node_id uuid) STABLE PARALLEL SAFE LANGUAGE sql
BEGIN ATOMIC
    SELECT n.name, n.site, n.node_id FROM node AS n;
END;
CREATE VIEW sto_sql.nodes AS SELECT * FROM sto_sql.nodes();

-- What came of what there was, by hour of reception.
CREATE FUNCTION sto_sql.completeness()
RETURNS TABLE (mission text, "time" timestamptz, node text, link text, apid smallint, received_live bigint,
               backfilled bigint, quarantined bigint, duplicates bigint, not_received bigint, damaged bigint,
               evicted bigint, forgotten bigint, never_issued bigint)
STABLE PARALLEL SAFE LANGUAGE sql
BEGIN ATOMIC
    SELECT c.mission, to_timestamp(c.hour * 3600::double precision), n.name, c.link, c.apid, c.received_live,
           c.backfilled, c.quarantined, c.duplicates, c.not_received, c.damaged, c.evicted, c.forgotten, c.never_issued
    FROM completeness AS c JOIN node AS n USING (node_id);
END;
CREATE VIEW sto_sql.completeness AS SELECT * FROM sto_sql.completeness();

SELECT sto_protect('calibration'), sto_protect('enumeration_label');
GRANT SELECT ON layout, rollup, latest, calibration, enumeration_label TO sto_interactive, sto_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON calibration, enumeration_label TO sto_ingest;
GRANT UPDATE ON parameter TO sto_ingest;
GRANT USAGE ON SCHEMA sto_sql TO sto_interactive, sto_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA sto_sql TO sto_interactive, sto_reader;
