//! Where spacecraft are by their mean elements, and when stations hear them.
//!
//! The way is text → [`ElementSet`] → [`Orbit`] → [`State`], which says where a spacecraft is above the Earth
//! ([`State::earth_fixed_km`], [`Geodetic`]), how a [`Station`] sees it ([`Look`]) and whether the [`sun`] shines on it. A
//! [`Scan`] of a span finds the [`Pass`]es over any number of stations.
//!
//! Elements are those of SGP4, propagated with the constants they were fitted with (WGS 72). They are good to about a
//! kilometre at their epoch and lose one to three more a day in a low orbit, so the rest is only as exact as that needs:
//! - UTC stands in for UT1. The Earth is never more than 0.9 s (420 m at the equator) from where that puts it.
//! - Polar motion (15 m) and the equation of the equinoxes beyond what SGP4's own frame has are left out.
//! - Elevations are geometric: no refraction, which lifts what stands at the horizon by half a degree, and no light time.
//! - The direction of the Sun is good to 0.01 degrees from 1950 to 2050; a spacecraft is in the shadow while the Earth, a flattened
//!   sphere without air, hides the centre of the Sun.

mod earth;
mod elements;
mod passes;
mod propagation;
mod station;
pub mod sun;
mod tle;
mod vector;

pub use earth::{Geodetic, sidereal_angle_rad};
pub use elements::{ElementSet, Format, UnreadableElements};
pub use passes::{Pass, SEARCHED_BEYOND, Scan, ScanError};
pub use propagation::{FARTHEST_DAYS, Orbit, PropagationError, State, UnusableElements};
pub use station::{Look, Station};
