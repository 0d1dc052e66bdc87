//! Messages on their way to real servers in the test's own process.

mod certificates;
mod configuration;
mod mail_server;
mod mails;
mod posts;
mod receiver;
mod told;
