//! A table rolled up: for each bucket of time what its rows come to, column by column.

use std::ops::Range;
use std::sync::Arc;

use mission_database::MonitoringResult;

use crate::{Derivations, Layout, Resolution, RollUp, SeriesView, Table};

/// Buckets of one layout, in the order of time; a column of roll-ups for each entry of the layout.
#[derive(Clone, Debug)]
pub struct RolledTable {
    /// What its columns are.
    pub layout: Arc<Layout>,
    /// How long a bucket is.
    pub resolution: Resolution,
    /// Of each bucket: rows, generation time of the first and of the last.
    pub buckets: Vec<Bucket>,
    /// Of each column what each bucket comes to.
    pub columns: Vec<Vec<Rolled>>,
}

/// What all columns of a bucket have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// Rows in it.
    pub count: u32,
    /// Generation time of the first, TAI nanoseconds.
    pub first_at: i64,
    /// Generation time of the last.
    pub last_at: i64,
}

/// What one column of a bucket comes to: see [`RollUp`], of which it is the part that columns do not share.
#[derive(Clone, Copy, Debug)]
pub struct Rolled {
    /// Rows without a number.
    pub without_number: u32,
    /// Rows outside a limit.
    pub violations: u32,
    /// How the worst one stood to its limits.
    pub worst: MonitoringResult,
    /// The first one; of all numbers NaN stands for none.
    pub first: f64,
    /// The last one.
    pub last: f64,
    /// The smallest one.
    pub minimum: f64,
    /// The largest one.
    pub maximum: f64,
    /// All of them together.
    pub sum: f64,
}

impl Rolled {
    /// Together with its bucket.
    pub fn rollup(&self, bucket: &Bucket) -> RollUp {
        RollUp {
            count: bucket.count,
            without_number: self.without_number,
            violations: self.violations,
            worst: self.worst,
            first_at: bucket.first_at,
            last_at: bucket.last_at,
            first: self.first,
            last: self.last,
            minimum: self.minimum,
            maximum: self.maximum,
            sum: self.sum,
        }
    }
}

impl From<RollUp> for Rolled {
    fn from(rollup: RollUp) -> Self {
        Self {
            without_number: rollup.without_number,
            violations: rollup.violations,
            worst: rollup.worst,
            first: rollup.first,
            last: rollup.last,
            minimum: rollup.minimum,
            maximum: rollup.maximum,
            sum: rollup.sum,
        }
    }
}

impl From<RollUp> for Bucket {
    fn from(rollup: RollUp) -> Self {
        Self { count: rollup.count, first_at: rollup.first_at, last_at: rollup.last_at }
    }
}

impl Table {
    /// Rolls up a table whose rows are in the order of time; `None` where it has no rows.
    pub fn rolled_up(&self, resolution: Resolution, derivations: &Derivations) -> Option<RolledTable> {
        let rows = self.buckets(resolution);
        let buckets = rows.iter().map(|rows| Bucket {
            count: rows.len() as u32,
            first_at: self.generation[rows.start],
            last_at: self.generation[rows.end - 1],
        });
        let columns = (0..self.columns.len()).map(|place| {
            let series = self.series(place, derivations);
            rows.iter().filter_map(|rows| roll_up(&series, rows.clone())).map(Rolled::from).collect()
        });
        (!rows.is_empty()).then(|| RolledTable {
            layout: Arc::clone(&self.layout),
            resolution,
            buckets: buckets.collect(),
            columns: columns.collect(),
        })
    }

    fn buckets(&self, resolution: Resolution) -> Vec<Range<usize>> {
        debug_assert!(self.generation.is_sorted());
        let (mut buckets, mut begin) = (Vec::new(), 0);
        for run in
            self.generation.chunk_by(|&one, &next| resolution.start_of(one) == resolution.start_of(next))
        {
            buckets.push(begin..begin + run.len());
            begin += run.len();
        }
        buckets
    }
}

fn roll_up(series: &SeriesView<'_>, rows: Range<usize>) -> Option<RollUp> {
    let of_row = |row: usize| {
        let monitoring = series.monitoring(row);
        RollUp {
            violations: u32::from(monitoring > MonitoringResult::Normal),
            worst: monitoring,
            ..RollUp::of(series.generation[row], series.number(row))
        }
    };
    rows.map(of_row).reduce(|mut sum, one| {
        sum.merge(&one);
        sum
    })
}

impl RolledTable {
    /// Number of buckets.
    pub fn rows(&self) -> usize {
        self.buckets.len()
    }

    /// Those of several tables of one layout together, each bucket once.
    pub fn merged(tables: &[Self]) -> Option<Self> {
        let (layout, resolution) =
            tables.first().map(|table| (Arc::clone(&table.layout), table.resolution))?;
        let mut places: Vec<(i64, usize, usize)> = Vec::new();
        for (table, rolled) in tables.iter().enumerate() {
            let starts = rolled.buckets.iter().enumerate();
            places.extend(starts.map(|(row, bucket)| (resolution.start_of(bucket.first_at), table, row)));
        }
        places.sort_unstable();
        let groups: Vec<&[(i64, usize, usize)]> = places.chunk_by(|one, next| one.0 == next.0).collect();
        let merge = |column: usize, group: &[(i64, usize, usize)]| {
            let all = group.iter().map(|&(_, table, row)| {
                tables[table].columns[column][row].rollup(&tables[table].buckets[row])
            });
            all.reduce(|mut sum, one| {
                sum.merge(&one);
                sum
            })
        };
        let columns: Vec<Vec<RollUp>> = (0..layout.entries().len())
            .map(|column| groups.iter().filter_map(|group| merge(column, group)).collect())
            .collect();
        let buckets = columns.first()?.iter().map(|&rollup| rollup.into()).collect();
        let columns =
            columns.into_iter().map(|column| column.into_iter().map(Rolled::from).collect()).collect();
        Some(Self { layout, resolution, buckets, columns })
    }
}
