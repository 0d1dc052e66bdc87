//! Layouts and their numbers in the database: which parameters come together, and where each of them lies.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use mission_database::ParameterIndex;
use processing::{Layout, LayoutEntry};
use tokio_postgres::GenericClient;

use super::{ArchiveError, columns};

/// Stands for a parameter that no dictionary here has; its column is there and asked for by nobody.
const UNKNOWN: ParameterIndex = ParameterIndex(u32::MAX);

/// A mission's layouts.
#[derive(Default)]
pub(super) struct Layouts {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<Box<[LayoutEntry]>, i32>,
    layouts: HashMap<i32, Arc<Layout>>,
    /// Of each parameter the layouts it is in, and where.
    places: HashMap<ParameterIndex, Vec<(i32, i32)>>,
}

impl Known {
    fn add(&mut self, number: i32, layout: Arc<Layout>) {
        if self.layouts.contains_key(&number) {
            return;
        }
        for (place, entry) in (0..).zip(layout.entries()) {
            self.places.entry(entry.parameter).or_default().push((number, place));
        }
        self.numbers.insert(layout.entries().into(), number);
        self.layouts.insert(number, layout);
    }
}

impl Layouts {
    /// Reads those of a mission again: another hub may have added some, or a dictionary parameters.
    pub(super) async fn load(
        &self,
        client: &impl GenericClient,
        mission_id: i32,
        parameter_ids: &[i32],
    ) -> Result<(), ArchiveError> {
        let sql = "SELECT layout_id, parameters, kinds FROM layout WHERE mission_id = $1";
        let rows = client.query(sql, &[&mission_id]).await?;
        let indices: HashMap<i32, ParameterIndex> =
            parameter_ids.iter().zip(0..).map(|(&id, index)| (id, ParameterIndex(index))).collect();
        let mut known = Known::default();
        for row in rows {
            let (parameters, kinds): (Vec<i32>, &[u8]) = (row.get(1), row.get(2));
            let entries = parameters.iter().zip(kinds).map(|(id, &kinds)| {
                let (raw, converted) = columns::kinds(kinds)?;
                let parameter = indices.get(id).copied().unwrap_or(UNKNOWN);
                Ok::<_, columns::ColumnsError>(LayoutEntry { parameter, raw, converted })
            });
            let entries = entries
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| ArchiveError::Damaged { what: "layout", source: Box::new(error) })?;
            known.add(row.get(0), Arc::new(Layout::new(entries)));
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Gives numbers to those that have none.
    pub(super) async fn number(
        &self,
        client: &impl GenericClient,
        mission_id: i32,
        parameter_ids: &[i32],
        layouts: impl Iterator<Item = &Arc<Layout>>,
    ) -> Result<(), ArchiveError> {
        for layout in layouts {
            if self.number_of(layout).is_some() {
                continue;
            }
            let parameters: Vec<i32> =
                layout.entries().iter().map(|entry| parameter_ids[entry.parameter.0 as usize]).collect();
            let kinds: Vec<u8> = layout.entries().iter().map(|entry| entry.kinds()).collect();
            let row = client
                .query_one(
                    "INSERT INTO layout (mission_id, parameters, kinds, hash)
                     VALUES ($1, $2, $3, sha256(convert_to($2::integer[]::text, 'UTF8') || $3))
                     ON CONFLICT (mission_id, hash) DO UPDATE SET hash = excluded.hash RETURNING layout_id",
                    &[&mission_id, &parameters, &kinds],
                )
                .await?;
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.add(row.get(0), Arc::clone(layout));
        }
        Ok(())
    }

    /// The number of a layout that has one.
    pub(super) fn number_of(&self, layout: &Layout) -> Option<i32> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.numbers.get(layout.entries()).copied()
    }

    /// The layout that has a number.
    pub(super) fn get(&self, number: i32) -> Option<Arc<Layout>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.layouts.get(&number).cloned()
    }

    /// Numbers of the layouts that a parameter is in, and its place in each, as two lists.
    pub(super) fn places(&self, parameter: ParameterIndex) -> (Vec<i32>, Vec<i32>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.places.get(&parameter).into_iter().flatten().copied().unzip()
    }
}
