//! Adam, with decoupled decay of weights: one step down a gradient at a time.

/// Parameters of Adam as its authors recommend them.
const MEMORY: (f64, f64) = (0.9, 0.999);
const TINY: f64 = 1e-8;

pub(crate) struct Descent {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
    /// What part of each parameter is taken off per step, over the rate.
    decay: f64,
}

impl Descent {
    pub(crate) fn new(parameters: usize, decay: f64) -> Self {
        Self { mean: vec![0.0; parameters], square: vec![0.0; parameters], steps: 0, decay }
    }

    pub(crate) fn step(&mut self, parameters: &mut [f64], gradient: &[f64], rate: f64) {
        self.steps += 1;
        let unbiased = (1.0 - MEMORY.0.powi(self.steps), 1.0 - MEMORY.1.powi(self.steps));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, slope), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean += (1.0 - MEMORY.0) * (slope - *mean);
            *square += (1.0 - MEMORY.1) * (slope * slope - *square);
            let step = (*mean / unbiased.0) / ((*square / unbiased.1).sqrt() + TINY);
            *parameter -= rate * (step + self.decay * *parameter);
        }
    }
}

/// Scales a gradient down to a length, so that one odd stretch of data does not undo what was learnt.
pub(crate) fn clip(gradient: &mut [f64], length_max: f64) {
    let length = gradient.iter().map(|slope| slope * slope).sum::<f64>().sqrt();
    if length > length_max {
        gradient.iter_mut().for_each(|slope| *slope *= length_max / length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_is_descended_to_its_bottom() {
        let (mut place, mut descent) = ([4.0, -7.0], Descent::new(2, 0.0));
        for _ in 0..4_000 {
            let gradient = [2.0 * (place[0] - 1.0), 20.0 * (place[1] + 2.0)];
            descent.step(&mut place, &gradient, 0.01);
        }
        assert!((place[0] - 1.0).abs() < 1e-3 && (place[1] + 2.0).abs() < 1e-3, "{place:?}");
    }

    #[test]
    fn a_long_gradient_is_clipped_and_a_short_one_is_not() {
        let (mut long, mut short) = ([3.0, 4.0], [0.3, 0.4]);
        clip(&mut long, 1.0);
        clip(&mut short, 1.0);
        assert_eq!((long, short), ([0.6000000000000001, 0.8], [0.3, 0.4]));
    }
}
