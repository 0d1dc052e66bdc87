//! The story of a world: hashed always, kept in readable lines when somebody wants to read it.

use std::fmt::{self, Write};
use std::time::Duration;

/// Who did something.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Who {
    Database,
    Hub(usize),
    Machine(usize),
    World,
}

impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => formatter.write_str("database"),
            Self::Hub(index) => write!(formatter, "hub {index}"),
            Self::Machine(index) => write!(formatter, "machine {index}"),
            Self::World => formatter.write_str("world"),
        }
    }
}

/// Where the story goes.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    line: String,
    is_told: bool,
}

impl Trace {
    /// `is_told` prints each line as it happens.
    pub(crate) fn new(is_told: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, line: String::new(), is_told }
    }

    /// One line of it.
    pub(crate) fn say(&mut self, now: Duration, who: Who, what: fmt::Arguments<'_>) {
        self.line.clear();
        // Writing to a string cannot fail.
        write!(self.line, "{:>11.6} {who:<10} {what}", now.as_secs_f64()).ok();
        for byte in self.line.bytes() {
            // FNV-1a.
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.is_told {
            println!("{}", self.line);
        }
    }

    /// Of everything that was said.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}
