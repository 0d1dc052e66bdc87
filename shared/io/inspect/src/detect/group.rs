//! Columns that are judged together, by a trained model or by what their first rows were like.

use model::{CorrelatedGroup, GroupState, TrainingError};

use super::config::{DetectConfig, GroupConfig};
use super::output::{OutputRow, Raised};

pub(super) struct Group {
    /// Of the columns, in the model's order.
    places: Vec<usize>,
    standing: Standing,
    is_anomalous: bool,
}

enum Standing {
    /// The rows so far, one behind the other.
    Learning(GroupConfig, Vec<f64>),
    Judging {
        model: CorrelatedGroup,
        state: GroupState,
        number: Option<u32>,
        span: u32,
    },
}

impl Group {
    pub(super) fn learning(rule: GroupConfig, config: &DetectConfig) -> Self {
        let places = (0..config.input.channels().len()).collect();
        Self { places, standing: Standing::Learning(rule, Vec::new()), is_anomalous: false }
    }

    pub(super) fn trained(model: CorrelatedGroup, places: Vec<usize>, number: u32) -> Self {
        let span = model.smoothing_rows();
        let standing = Standing::Judging { model, state: GroupState::default(), number: Some(number), span };
        Self { places, standing, is_anomalous: false }
    }

    /// Rows with a value that is no number are passed over.
    pub(super) fn on_row(&mut self, values: &[f64], judged: &mut OutputRow) -> Result<(), TrainingError> {
        let row: Vec<f64> = self.places.iter().filter_map(|place| values.get(*place)).copied().collect();
        match &mut self.standing {
            Standing::Learning(rule, rows) => {
                if row.iter().all(|value| value.is_finite()) {
                    rows.extend(row);
                }
                if rows.len() >= rule.training * self.places.len() {
                    let model = CorrelatedGroup::fit(rows, self.places.len(), &rule.options())?.model;
                    let span = model.smoothing_rows();
                    self.standing =
                        Standing::Judging { model, state: GroupState::default(), number: None, span };
                }
            }
            Standing::Judging { model, state, number, span } => {
                let Some(said) = model.next_score(state, &row) else { return Ok(()) };
                let score = said.score();
                let is_new = score > 1.0 && !self.is_anomalous;
                self.is_anomalous = score > 1.0;
                judged.add(score, score > 1.0, is_new.then(|| Raised::of_group(score, *span, *number)));
            }
        }
        Ok(())
    }
}
