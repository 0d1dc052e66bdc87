//! How QUIC is tuned for a kind of link. Quinn's own defaults leave windows open and assume a fast, ordered network.

use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::{BbrConfig, CubicConfig};
use quinn::{IdleTimeout, TransportConfig, VarInt};

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;
/// Control, three lanes and what a later version adds; each costs the receiver up to a stream window.
const STREAMS_MAX: u32 = 8;
const STREAM_WINDOW: u32 = 512 * KIB;
const SATCOM_IDLE: Duration = Duration::from_secs(120);

/// The kind of link between node and hub, which decides windows, timeouts and congestion control.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// Long round trips and reordering: cubic takes every reordered packet for loss and falls to a crawl.
    Satcom,
    /// Fibre, copper or a mobile network.
    #[default]
    Terrestrial,
}

impl Profile {
    /// How long nothing may arrive before the connection counts as lost.
    pub fn idle_timeout(self) -> Duration {
        match self {
            Self::Satcom => SATCOM_IDLE,
            Self::Terrestrial => Duration::from_secs(20),
        }
    }

    /// How often the node speaks up on a silent link; several fit into the idle timeout, and into what NATs remember.
    pub fn keep_alive(self) -> Duration {
        match self {
            Self::Satcom => Duration::from_secs(25),
            Self::Terrestrial => Duration::from_secs(5),
        }
    }

    fn receive_window(self) -> u32 {
        match self {
            Self::Satcom => 2 * MIB,
            Self::Terrestrial => MIB,
        }
    }

    pub(crate) fn node_transport(self) -> TransportConfig {
        let mut transport = self.transport(self.idle_timeout());
        transport.keep_alive_interval(Some(self.keep_alive()));
        transport
    }

    /// The smaller idle timeout of both ends counts, so the hub offers the longest and the node's profile decides.
    /// The node keeps the link alive, so a thousand silent nodes cost the hub no timers.
    pub(crate) fn hub_transport(self) -> TransportConfig {
        self.transport(SATCOM_IDLE)
    }

    fn transport(self, idle: Duration) -> TransportConfig {
        let mut transport = TransportConfig::default();
        let window = self.receive_window();
        transport
            .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
            .max_concurrent_uni_streams(VarInt::from_u32(STREAMS_MAX))
            .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
            .receive_window(VarInt::from_u32(window))
            .send_window(2 * u64::from(window))
            .max_idle_timeout(IdleTimeout::try_from(idle).ok())
            .datagram_receive_buffer_size(None)
            .datagram_send_buffer_size(0);
        match self {
            Self::Satcom => transport
                .packet_threshold(1000)
                .time_threshold(2.0)
                .initial_rtt(Duration::from_millis(600))
                .congestion_controller_factory(Arc::new(BbrConfig::default())),
            Self::Terrestrial => {
                let mut cubic = CubicConfig::default();
                // A batch is up to 96 KiB: two leave at once instead of over several round trips.
                cubic.initial_window(u64::from(192 * KIB));
                transport.congestion_controller_factory(Arc::new(cubic))
            }
        };
        transport
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_keep_alives_fit_into_the_idle_timeout_of_either_end() {
        for profile in [Profile::Satcom, Profile::Terrestrial] {
            assert!(profile.keep_alive() * 3 < profile.idle_timeout(), "{profile:?}");
            assert!(profile.idle_timeout() <= SATCOM_IDLE, "{profile:?}");
        }
    }
}
