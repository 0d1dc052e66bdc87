//! A demo spacecraft, its passes, recorded flights and load: what stands in for the sky.

pub mod abuse;
pub mod catalogue;
pub mod clock;
pub mod connection;
pub mod faults;
pub mod flight;
pub mod load;
mod noise;
pub mod orbit;
mod pace;
pub mod passes;
pub mod replay;
pub mod spacecraft;
