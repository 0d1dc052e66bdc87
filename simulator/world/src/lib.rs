//! Delivery in a world of its own: nodes, hubs, disks, links, clocks, operators and a database on virtual time, all
//! from one seed. The machines are the true ones of `delivery`; what drives them does what the products do, without
//! sockets, files or threads. `docs/simulation.md` says what is modelled and what is checked.

mod checks;
mod context;
mod database;
mod edge;
mod fleet;
mod hub;
mod journal;
mod mutation;
mod network;
mod plan;
mod random;
mod run;
mod trace;
mod world;

pub use checks::Failure;
pub use fleet::{Fleet, Storm, storm};
#[cfg(feature = "mutations")]
pub use mutation::Bug;
pub use mutation::DriverMutation;
#[cfg(feature = "mutations")]
pub use run::find;
pub use run::{Outcome, Summary, run_many, run_seed};
