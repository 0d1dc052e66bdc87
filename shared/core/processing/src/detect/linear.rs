//! Least squares in a few dozen dimensions: Cholesky's factor of a symmetric matrix, and what it solves.

use serde::{Deserialize, Serialize};

/// The lower triangle of a symmetric matrix, row by row.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Symmetric {
    size: u32,
    lower: Vec<f64>,
}

/// `L` of `A = L Lᵀ`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Cholesky {
    factor: Symmetric,
}

impl Symmetric {
    pub(super) fn zero(size: usize) -> Self {
        Self { size: size as u32, lower: vec![0.0; size * (size + 1) / 2] }
    }

    pub(super) fn size(&self) -> usize {
        self.size as usize
    }

    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        let (row, column) = (row.max(column), row.min(column));
        self.lower.get(row * (row + 1) / 2 + column).copied().unwrap_or(0.0)
    }

    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        if let Some(place) = self.lower.get_mut(row * (row + 1) / 2 + column) {
            *place = value;
        }
    }

    /// Adds `x xᵀ`.
    pub(super) fn add_product(&mut self, x: &[f64]) {
        let mut rest = self.lower.as_mut_slice();
        for (row, value) in x.iter().enumerate() {
            let Some((line, after)) = rest.split_at_mut_checked(row + 1) else { return };
            if *value != 0.0 {
                line.iter_mut().zip(x).for_each(|(place, other)| *place += value * other);
            }
            rest = after;
        }
    }

    /// `None` where the matrix is not positive definite.
    pub(super) fn cholesky(&self) -> Option<Cholesky> {
        let size = self.size();
        let mut factor = Self::zero(size);
        for row in 0..size {
            for column in 0..=row {
                let known: f64 = (0..column).map(|k| factor.at(row, k) * factor.at(column, k)).sum();
                let rest = self.at(row, column) - known;
                if row == column {
                    let is_positive = rest > 0.0 && rest.is_finite();
                    factor.set(row, column, is_positive.then(|| rest.sqrt())?);
                } else {
                    factor.set(row, column, rest / factor.at(column, column));
                }
            }
        }
        Some(Cholesky { factor })
    }
}

impl Cholesky {
    /// `x` of `A x = b`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.solve_lower(b);
        for row in (0..x.len()).rev() {
            let known: f64 = (row + 1..x.len()).map(|k| self.factor.at(k, row) * x[k]).sum();
            x[row] = (x[row] - known) / self.factor.at(row, row);
        }
        x
    }

    fn solve_lower(&self, b: &[f64]) -> Vec<f64> {
        let size = self.factor.size().min(b.len());
        let mut y: Vec<f64> = Vec::with_capacity(size);
        for (row, value) in b.iter().enumerate().take(size) {
            let known: f64 = y.iter().enumerate().map(|(k, y)| self.factor.at(row, k) * y).sum();
            y.push((value - known) / self.factor.at(row, row));
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_solved_fits_the_equations() {
        let rows = [[2.0, 1.0, 0.5], [0.1, 3.0, 0.2], [1.0, 0.0, 4.0], [0.3, 0.7, 0.9]];
        let mut matrix = Symmetric::zero(3);
        rows.iter().for_each(|row| matrix.add_product(row));
        let solved = matrix.cholesky().unwrap().solve(&[1.0, 2.0, 3.0]);
        for (row, wanted) in [1.0, 2.0, 3.0].into_iter().enumerate() {
            let made: f64 = solved.iter().enumerate().map(|(column, x)| matrix.at(row, column) * x).sum();
            assert!((made - wanted).abs() < 1e-12, "{made} {wanted}");
        }
    }

    #[test]
    fn a_matrix_of_less_than_full_rank_has_no_factor() {
        let mut matrix = Symmetric::zero(2);
        matrix.add_product(&[1.0, 1.0]);
        assert!(matrix.cholesky().is_none());
    }
}
