//! The metrics are those that others compute.

mod golden;
mod own;
