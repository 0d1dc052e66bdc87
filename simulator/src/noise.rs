//! Noise without state: a value depends on the seed, the channel and the moment, and on nothing that was
//! drawn before. Leaving a sensor or a fault out changes no other.

/// A source of noise for one spacecraft or one bad link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    seed: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: scramble(seed ^ 0x5350_4143_4543_5241) }
    }

    /// Evenly spread over 0 to 1.
    pub(crate) fn uniform(self, channel: u64, moment: u64) -> f64 {
        let bits = scramble(scramble(self.seed ^ channel.rotate_left(40)) ^ moment);
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, deviation 1, never beyond 3.5: a sum of twelve even values is close enough to a Gaussian.
    pub(crate) fn gaussian(self, channel: u64, moment: u64) -> f64 {
        let base = scramble(scramble(self.seed ^ channel.rotate_left(40)) ^ moment);
        let sum: f64 = (0..3)
            .flat_map(|round| {
                let bits = scramble(base.wrapping_add(round));
                (0..4).map(move |part| (bits >> (16 * part) & 0xFFFF) as f64 / 65_536.0)
            })
            .sum();
        (sum - 6.0).clamp(-3.5, 3.5)
    }
}

/// Spreads every input bit over the whole word (the finaliser of SplitMix64).
fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_no_mean_and_the_deviation_it_promises() {
        let noise = Noise::new(7);
        let values: Vec<f64> = (0..20_000).map(|moment| noise.gaussian(3, moment)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn channels_and_seeds_differ() {
        let noise = Noise::new(7);
        assert_ne!(noise.uniform(1, 5), noise.uniform(2, 5));
        assert_ne!(noise.uniform(1, 5), Noise::new(8).uniform(1, 5));
    }
}
