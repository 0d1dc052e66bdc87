//! The leap seconds of UTC (IERS Bulletin C): TAI - UTC since 1972.

/// (Unix second from which it holds, TAI - UTC in seconds).
const TABLE: [(i64, i64); 28] = [
    (63_072_000, 10),
    (78_796_800, 11),
    (94_694_400, 12),
    (126_230_400, 13),
    (157_766_400, 14),
    (189_302_400, 15),
    (220_924_800, 16),
    (252_460_800, 17),
    (283_996_800, 18),
    (315_532_800, 19),
    (362_793_600, 20),
    (394_329_600, 21),
    (425_865_600, 22),
    (489_024_000, 23),
    (567_993_600, 24),
    (631_152_000, 25),
    (662_688_000, 26),
    (709_948_800, 27),
    (741_484_800, 28),
    (773_020_800, 29),
    (820_454_400, 30),
    (867_715_200, 31),
    (915_148_800, 32),
    (1_136_073_600, 33),
    (1_230_768_000, 34),
    (1_341_100_800, 35),
    (1_435_708_800, 36),
    (1_483_228_800, 37),
];

/// Before 1972 UTC ran at other rates; spacecraft clocks that old do not exist, so the first offset stands.
const FIRST_OFFSET: i64 = TABLE[0].1;

/// TAI - UTC in whole seconds at a Unix second.
pub(super) fn tai_minus_utc_at_unix(unix_seconds: i64) -> i64 {
    match TABLE.partition_point(|&(from, _)| from <= unix_seconds) {
        0 => FIRST_OFFSET,
        after => TABLE[after - 1].1,
    }
}

/// TAI - UTC after the moment's possible leap second, and whether it lies inside one.
pub(super) fn tai_minus_utc_at_tai(tai_seconds: i64) -> (i64, bool) {
    // The inserted second is the last one before the new offset holds.
    match TABLE.partition_point(|&(from, offset)| from + offset - 1 <= tai_seconds) {
        0 => (FIRST_OFFSET, false),
        1 => (FIRST_OFFSET, false),
        after => {
            let (from, offset) = TABLE[after - 1];
            (offset, tai_seconds == from + offset - 1)
        }
    }
}

/// Whether a day of UTC (days since 1970-01-01) ends with a leap second.
pub(super) fn day_has_leap_second(day: i64) -> bool {
    TABLE[1..].iter().any(|&(from, _)| from == (day + 1) * 86_400)
}
