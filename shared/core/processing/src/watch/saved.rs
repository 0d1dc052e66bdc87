//! What a watch has learned, as bytes: a format version, a checksum, and the state.

use mission_database::MissionDatabase;
use serde::{Deserialize, Serialize};

use super::detector::DetectorTrack;
use super::limit::LimitTrack;
use super::{Hearing, Slot, Track, Watch};
use crate::detect::{DetectorKind, SavedStateError, Suite};

const FORMAT: u16 = 1;
/// Bytes of a state. What is learned beyond is not saved, and learned anew after a restart.
pub const STATE_BYTES_MAX: usize = 64 << 20;
const HEADER_BYTES: usize = 6;

#[derive(Deserialize, Serialize)]
struct Saved {
    hearing: Option<Hearing>,
    modes: Vec<(String, u32)>,
    parameters: Vec<SavedTrack>,
}

/// What trained forecasters look at, as it was seen last. It follows the rest: a state of before ends there.
type SavedInputs = Vec<(String, f64)>;

#[derive(Deserialize, Serialize)]
struct SavedTrack {
    parameter: String,
    limits: Option<LimitTrack>,
    detectors: Option<SavedDetectors>,
}

#[derive(Deserialize, Serialize)]
struct SavedDetectors {
    suite: Suite,
    raised: Option<DetectorKind>,
    is_silent: bool,
}

impl Watch {
    /// What a restart must know, at most [`STATE_BYTES_MAX`]: 2 bytes of format, 4 of CRC-32C, big-endian, and postcard.
    /// Parameters are known by their names. How many were left out, because there was no room, stands beside it.
    pub fn encode(&self, database: &MissionDatabase) -> (Vec<u8>, usize) {
        let name = |index: usize| database.parameters().get(index).map(|parameter| parameter.name.clone());
        let (mut parameters, mut left_out, mut room) = (Vec::new(), 0, STATE_BYTES_MAX - (1 << 20));
        for (index, slot) in self.slots.iter().enumerate() {
            let (Slot::Watched(track), Some(parameter)) = (slot, name(index)) else { continue };
            let limits = Some(&track.limits).filter(|limits| limits.is_worth_saving()).cloned();
            let detectors = track.detectors.as_ref().map(|detectors| SavedDetectors {
                suite: detectors.suite.clone(),
                raised: detectors.raised,
                is_silent: detectors.is_silent,
            });
            if limits.is_none() && detectors.is_none() {
                continue;
            }
            let saved = SavedTrack { parameter, limits, detectors };
            let bytes = postcard::experimental::serialized_size(&saved).unwrap_or(usize::MAX);
            if bytes > room {
                left_out += 1;
                continue;
            }
            room -= bytes;
            parameters.push(saved);
        }
        let modes = self.modes.iter().filter_map(|(index, mode)| Some((name(index.0 as usize)?, *mode)));
        let mut modes: Vec<_> = modes.collect();
        modes.sort();
        let saved = Saved { hearing: self.hearing, modes, parameters };
        let mut inputs: SavedInputs = self
            .forecasts
            .seen()
            .filter_map(|(index, number)| Some((name(index.0 as usize)?, number)))
            .collect();
        inputs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let bytes = postcard::to_extend(&saved, vec![0; HEADER_BYTES]).unwrap_or_default();
        let mut bytes = postcard::to_extend(&inputs, bytes).unwrap_or_default();
        if let Some((header, body)) = bytes.split_at_mut_checked(HEADER_BYTES) {
            header[..2].copy_from_slice(&FORMAT.to_be_bytes());
            header[2..].copy_from_slice(&crc32c::crc32c(body).to_be_bytes());
        }
        (bytes, left_out)
    }

    /// Takes up what [`encode`](Self::encode) wrote, into a watch that has seen nothing. What was learned by other rules
    /// or beside another model than those in force is passed over. What stood is said once more.
    pub fn restore(&mut self, bytes: &[u8], database: &MissionDatabase) -> Result<(), SavedStateError> {
        let damaged = SavedStateError::Damaged { bytes: bytes.len() };
        let &[a, b, c, d, e, f, ref body @ ..] = bytes else { return Err(damaged) };
        let format = u16::from_be_bytes([a, b]);
        if format != FORMAT {
            return Err(SavedStateError::Format { format });
        }
        if bytes.len() > STATE_BYTES_MAX || crc32c::crc32c(body) != u32::from_be_bytes([c, d, e, f]) {
            return Err(damaged);
        }
        let (saved, behind) = postcard::take_from_bytes::<Saved>(body).map_err(|_| damaged.clone())?;
        let inputs: SavedInputs = match behind {
            [] => Vec::new(),
            inputs => postcard::from_bytes(inputs).map_err(|_| damaged)?,
        };
        self.hearing = saved.hearing;
        for (mode, number) in saved.modes {
            if let Some(index) = database.find(&mode) {
                self.modes.insert(index, number);
            }
        }
        for (input, number) in inputs {
            if let Some(index) = database.find(&input) {
                self.forecasts.on_number(index, number);
            }
        }
        for track in saved.parameters {
            self.restore_track(track, database);
        }
        Ok(())
    }

    fn restore_track(&mut self, saved: SavedTrack, database: &MissionDatabase) {
        let Some(index) = database.find(&saved.parameter) else { return };
        let limits = saved.limits.unwrap_or_default();
        if limits.is_raised() {
            self.say_again(&saved.parameter, super::LIMITS);
        }
        let detectors = saved.detectors.and_then(|SavedDetectors { suite, raised, is_silent }| {
            let blank = DetectorTrack::new(suite.rule().clone(), None);
            let learned = DetectorTrack { suite, raised, is_silent, ..blank };
            learned.standing().for_each(|detector| self.say_again(&saved.parameter, detector));
            self.choose(index, Some(learned), database)
        });
        let is_mode = self.detection.is_mode(&saved.parameter);
        *self.slot(index, database) = Slot::Watched(Box::new(Track { is_mode, limits, detectors }));
    }
}
