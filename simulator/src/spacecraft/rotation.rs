//! Rotations as unit quaternions (x, y, z, scalar). Applied to a vector's inertial coordinates, an attitude
//! gives its coordinates in body axes.

use crate::orbit::{Vector, cross, norm, scale};

pub(super) type Quaternion = [f64; 4];

/// The attitude of a body whose axes point in these inertial directions.
pub(super) fn from_axes([x, y, z]: [Vector; 3]) -> Quaternion {
    // Of the four ways to the same rotation, take the one that divides by the largest element.
    let quaternion = if x[0] + y[1] + z[2] > 0.0 {
        [z[1] - y[2], x[2] - z[0], y[0] - x[1], 1.0 + x[0] + y[1] + z[2]]
    } else if x[0] > y[1] && x[0] > z[2] {
        [1.0 + x[0] - y[1] - z[2], x[1] + y[0], x[2] + z[0], z[1] - y[2]]
    } else if y[1] > z[2] {
        [x[1] + y[0], 1.0 + y[1] - x[0] - z[2], y[2] + z[1], x[2] - z[0]]
    } else {
        [x[2] + z[0], y[2] + z[1], 1.0 + z[2] - x[0] - y[1], y[0] - x[1]]
    };
    normalised(quaternion)
}

/// First `second`, then `first`.
pub(super) fn multiply(first: Quaternion, second: Quaternion) -> Quaternion {
    let [ax, ay, az, aw] = first;
    let [bx, by, bz, bw] = second;
    [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
}

/// The way back.
pub(super) fn inverse([x, y, z, w]: Quaternion) -> Quaternion {
    [-x, -y, -z, w]
}

/// Coordinates of a vector after the rotation.
pub(super) fn rotate(rotation: Quaternion, vector: Vector) -> Vector {
    let [x, y, z, w] = rotation;
    let twice = scale(cross([x, y, z], vector), 2.0);
    let bent = cross([x, y, z], twice);
    [0, 1, 2].map(|axis| vector[axis] + w * twice[axis] + bent[axis])
}

/// Axis times angle in radians, the short way round.
pub(super) fn to_vector([x, y, z, w]: Quaternion) -> Vector {
    let length = norm([x, y, z]);
    if length < 1e-12 {
        return [0.0; 3];
    }
    let sign = if w < 0.0 { -1.0 } else { 1.0 };
    scale([x, y, z], sign * 2.0 * length.atan2(w.abs()) / length)
}

/// The rotation of an axis times an angle in radians.
pub(super) fn from_vector(vector: Vector) -> Quaternion {
    let angle = norm(vector);
    if angle < 1e-12 {
        return [0.0, 0.0, 0.0, 1.0];
    }
    let (sin, cos) = (angle / 2.0).sin_cos();
    let [x, y, z] = scale(vector, sin / angle);
    [x, y, z, cos]
}

pub(super) fn normalised(quaternion: Quaternion) -> Quaternion {
    let length = quaternion.iter().map(|element| element * element).sum::<f64>().sqrt();
    quaternion.map(|element| element / length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::orbit::{dot, unit};

    proptest! {
        #[test]
        fn an_attitude_turns_the_direction_of_an_axis_into_that_axis(
            a in [-1.0..1.0, -1.0..1.0, 0.1..1.0_f64],
            b in [0.1..1.0, -1.0..1.0, -1.0..-0.1_f64],
        ) {
            let z = unit(a);
            let y = unit(cross(z, b));
            let attitude = from_axes([cross(y, z), y, z]);
            prop_assert!(dot(rotate(attitude, z), [0.0, 0.0, 1.0]) > 1.0 - 1e-9);
            prop_assert!(dot(rotate(attitude, y), [0.0, 1.0, 0.0]) > 1.0 - 1e-9);
        }

        #[test]
        fn a_rotation_comes_back_from_its_vector(vector in [-1.0..1.0, -1.0..1.0, -1.0..1.0_f64]) {
            let back = to_vector(from_vector(vector));
            prop_assert!((0..3).all(|axis| (back[axis] - vector[axis]).abs() < 1e-9));
        }
    }
}
