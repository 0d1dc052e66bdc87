//! The whole system as real processes: hub, nodes, PostgreSQL, and what goes wrong with them.

mod alarms;
mod archive;
mod authority;
mod bad_input;
mod bad_link;
mod dictionaries;
mod disk_full;
mod flight;
mod gaps;
mod hostile;
mod hostile_node;
mod kill;
mod offline;
mod serials;
mod soak;
mod stop;
mod trust;
mod two_hubs;
mod wanted_first;
mod world;
