//! The doors of a node, over real sockets, with a real journal behind them.

mod alarms;
mod carrying;
mod grpc;
mod http;
mod idempotency;
mod station;
mod websocket;
