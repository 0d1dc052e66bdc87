//! Eigenvalues of a symmetric matrix by Jacobi's rotations: exact enough, and always the same.

/// More sweeps than any matrix of this size has been seen to need.
const SWEEPS_MAX: usize = 60;

/// Variances and directions of unit length, the greatest variance first. `matrix` is symmetric, row by row.
pub(super) fn principal_components(matrix: &[f64], size: usize) -> Vec<(f64, Vec<f64>)> {
    let mut matrix = matrix.to_vec();
    let mut directions = vec![0.0; size * size];
    (0..size).for_each(|place| directions[place * (size + 1)] = 1.0);
    let total: f64 = matrix.iter().map(|entry| entry * entry).sum();
    for _ in 0..SWEEPS_MAX {
        let beside: f64 =
            (0..size * size).filter(|at| at / size != at % size).map(|at| matrix[at].powi(2)).sum();
        if beside <= 1e-24 * total {
            break;
        }
        for row in 0..size {
            for column in row + 1..size {
                rotate(&mut matrix, &mut directions, size, row, column);
            }
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = (0..size)
        .map(|place| {
            let direction = (0..size).map(|row| directions[row * size + place]).collect();
            (matrix[place * (size + 1)].max(0.0), direction)
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

/// Turns rows and columns so that the entry at their crossing vanishes.
fn rotate(matrix: &mut [f64], directions: &mut [f64], size: usize, row: usize, column: usize) {
    let crossing = matrix[row * size + column];
    if crossing == 0.0 {
        return;
    }
    let half = (matrix[column * (size + 1)] - matrix[row * (size + 1)]) / (2.0 * crossing);
    let tangent = half.signum() / (half.abs() + half.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let turn = |first: usize, second: usize, of: &mut [f64]| {
        let (a, b) = (of[first], of[second]);
        of[first] = cosine * a - sine * b;
        of[second] = sine * a + cosine * b;
    };
    for place in 0..size {
        turn(place * size + row, place * size + column, matrix);
        turn(place * size + row, place * size + column, directions);
    }
    for place in 0..size {
        turn(row * size + place, column * size + place, matrix);
    }
}
