"""Reads samples.parquet with pyarrow and compares every value with samples.jsonl beside it."""

import json
import math
import sys
from datetime import datetime, timezone
from pathlib import Path

import pyarrow.parquet as parquet

EXACT = 2**53
LEAP_SECOND_TAI = 1483228836  # 2016-12-31T23:59:60, in TAI seconds since 1970


def unix_nanoseconds(text):
    """As POSIX counts: a leap second has the number of the second after it."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    leap = whole.endswith(":60")
    whole = whole[:-2] + "59" if leap else whole
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()) + leap
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def cells(value):
    """The number and the text that a value of JSON has in Parquet."""
    if value is None:
        return None, None
    if isinstance(value, bool):
        return float(value), "true" if value else "false"
    if isinstance(value, str):
        if value in ("NaN", "-Infinity"):
            return float(value), None
        if value.lstrip("-").isdigit() and abs(int(value)) > EXACT:
            return float(int(value)), value
        return None, value
    return float(value), None


def same(one, other):
    return one == other or (isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other))


folder = Path(sys.argv[1])
table = parquet.read_table(folder / "samples.parquet")
for column in ("generation_time", "reception_time"):
    table = table.set_column(table.column_names.index(column), column, table[column].cast("int64"))
compared = leap = 0
with open(folder / "samples.jsonl", encoding="utf-8") as lines:
    rows = (row for batch in table.to_batches() for row in batch.to_pylist())
    for number, (row, line) in enumerate(zip(rows, lines, strict=True)):
        said = json.loads(line)
        expected = {key: said[key] for key in ("parameter", "validity", "monitoring", "node", "dictionary_version")}
        for column in ("generation_time", "reception_time"):
            expected[column] = unix_nanoseconds(said[column])
        for column in ("raw", "engineering"):
            expected[column], expected[column + "_text"] = cells(said[column])
        for column, value in expected.items():
            if not same(row[column], value):
                sys.exit(f"row {number}, {column}: pyarrow reads {row[column]!r}, expected {value!r}")
            compared += 1
        is_leap = row["generation_tai"] // 10**9 == LEAP_SECOND_TAI
        if is_leap != (":60" in said["generation_time"]):
            sys.exit(f"row {number}: generation_tai is {row['generation_tai']} at {said['generation_time']}")
        leap += is_leap
print(f"{table.num_rows} rows, {compared} values, {leap} rows within the leap second: all equal")
