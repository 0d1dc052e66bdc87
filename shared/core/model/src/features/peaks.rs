//! Local maxima by how far they stand out, and the moving average before some of them are counted.

/// How many local maxima have a prominence of at least `part` of the range.
///
/// A flat top counts once; the ends count never. The prominence of a maximum is its height above the higher of the
/// two lowest points that lie between it and something higher, or the end, on each side.
pub(super) fn peak_count(values: &[f64], part: f64) -> usize {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let wanted = part * (highest - lowest);
    let tops = tops(values);
    let (left, right) = (bases(values.iter(), values.len()), {
        let mut mirrored = bases(values.iter().rev(), values.len());
        mirrored.reverse();
        mirrored
    });
    tops.into_iter().filter(|top| values[*top] - left[*top].max(right[*top]) >= wanted).count()
}

/// The middle of each run of equal values that is higher than its neighbours on both sides.
fn tops(values: &[f64]) -> Vec<usize> {
    let (mut found, mut start) = (Vec::new(), 0);
    while start < values.len() {
        let run = values[start..].iter().take_while(|value| **value == values[start]).count();
        let end = start + run;
        let rises = start > 0 && values[start - 1] < values[start];
        let falls = end < values.len() && values[end] < values[start];
        if rises && falls {
            found.push(usize::midpoint(start, end - 1));
        }
        start = end;
    }
    found
}

/// For each value, the lowest since the last that was higher: one pass with a stack, where walking would be quadratic.
fn bases<'a>(values: impl Iterator<Item = &'a f64>, length: usize) -> Vec<f64> {
    let mut found = Vec::with_capacity(length);
    // Values that only fall, each with the lowest between it and the one before it in the stack.
    let mut higher: Vec<(f64, f64)> = Vec::new();
    for &value in values {
        let mut lowest = value;
        while let Some((_, between)) = higher.pop_if(|(other, _)| *other <= value) {
            lowest = lowest.min(between);
        }
        found.push(lowest);
        higher.push((value, lowest));
    }
    found
}

/// Over `width` values around each, with zeros beyond the ends; never shorter than `width`.
///
/// For an even width, one more lies before than behind.
pub(super) fn moving_average(values: &[f64], width: usize) -> Vec<f64> {
    let shorter = width.min(values.len());
    let first = (shorter - 1) / 2;
    (0..width.max(values.len()))
        .map(|place| {
            // The full convolution at `first + place` takes the values from there back to `width` before it.
            let end = first + place;
            let begin = (end + 1).saturating_sub(width);
            values[begin.min(values.len())..(end + 1).min(values.len())].iter().sum::<f64>() / width as f64
        })
        .collect()
}
