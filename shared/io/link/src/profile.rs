//! How QUIC is tuned for a kind of link. Quinn's own defaults leave windows open and assume a fast, ordered network.

use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::{BbrConfig, ControllerFactory, CubicConfig};
use quinn::{IdleTimeout, TransportConfig, VarInt};
use serde::Deserialize;

use crate::fixed_rate::FixedRateConfig;

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;
/// Control, three lanes and what a later version adds; each costs the receiver up to a stream window.
const STREAMS_MAX: u32 = 8;
const SATCOM_IDLE: Duration = Duration::from_secs(120);

/// The kind of link between node and hub, which decides windows, timeouts and congestion control.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
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

    /// How long an address of the hub is tried alone before the next is tried beside it: longer than a round trip,
    /// or every connection over a satellite would be opened twice.
    pub fn head_start(self) -> Duration {
        match self {
            Self::Satcom => Duration::from_secs(1),
            Self::Terrestrial => Duration::from_millis(250),
        }
    }

    fn receive_window(self) -> u32 {
        match self {
            Self::Satcom => 2 * MIB,
            Self::Terrestrial => MIB,
        }
    }

    /// Before the first measurement.
    fn initial_round_trip(self) -> Duration {
        match self {
            Self::Satcom => Duration::from_millis(600),
            // What RFC 9002 assumes of a path nobody knows.
            Self::Terrestrial => Duration::from_millis(333),
        }
    }
}

/// How a link is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkOptions {
    /// The kind of link.
    pub profile: Profile,
    /// The bits a second that a contract or a licence gives each connection, in place of looking for the rate by
    /// losing packets. It counts UDP payload; the headers below add 28 to 48 bytes to each packet, 4 % when they are
    /// full. At least two packets are under way, which at 600 ms is 38 kbit/s: a slower link needs a cap on top.
    pub contracted_bits_per_s: Option<u64>,
    /// Whether the kernel or the network card may cut packets out of larger pieces: much less work, but some cards
    /// fail at it, and the bursts overflow shallow queues.
    pub segmentation_offload: bool,
}

impl From<Profile> for LinkOptions {
    /// Nothing contracted, and offload on.
    fn from(profile: Profile) -> Self {
        Self { profile, contracted_bits_per_s: None, segmentation_offload: true }
    }
}

impl LinkOptions {
    pub(crate) fn node_transport(self) -> TransportConfig {
        let mut transport = self.transport(self.profile.idle_timeout());
        transport.keep_alive_interval(Some(self.profile.keep_alive()));
        transport
    }

    /// The smaller idle timeout of both ends counts, so the hub offers the longest and the node's profile decides.
    /// The node keeps the link alive, so a thousand silent nodes cost the hub no timers.
    pub(crate) fn hub_transport(self) -> TransportConfig {
        self.transport(SATCOM_IDLE)
    }

    fn transport(self, idle: Duration) -> TransportConfig {
        let mut transport = TransportConfig::default();
        let window = self.profile.receive_window();
        transport
            .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
            .max_concurrent_uni_streams(VarInt::from_u32(STREAMS_MAX))
            // One lane's hole in the stream must not take all the room from the others.
            .stream_receive_window(VarInt::from_u32(window / 2))
            .receive_window(VarInt::from_u32(window))
            .send_window(2 * u64::from(window))
            .max_idle_timeout(IdleTimeout::try_from(idle).ok())
            .initial_rtt(self.profile.initial_round_trip())
            .enable_segmentation_offload(self.segmentation_offload)
            .datagram_receive_buffer_size(None)
            .datagram_send_buffer_size(0)
            .congestion_controller_factory(self.congestion_control());
        if self.profile == Profile::Satcom {
            // What comes later than a quarter of a round trip behind its successors is sent again: at 2 % loss a stream
            // then carries 36 to 49 % more than with a whole round trip (simulated, 580 ms, 10 Mbit/s).
            transport.packet_threshold(1000).time_threshold(1.25);
        }
        transport
    }

    fn congestion_control(self) -> Arc<dyn ControllerFactory + Send + Sync> {
        match (self.contracted_bits_per_s, self.profile) {
            (Some(bits_per_s), profile) => {
                Arc::new(FixedRateConfig { bits_per_s, initial_round_trip: profile.initial_round_trip() })
            }
            (None, Profile::Satcom) => Arc::new(BbrConfig::default()),
            (None, Profile::Terrestrial) => {
                let mut cubic = CubicConfig::default();
                // A batch is up to 96 KiB: two leave at once instead of over several round trips.
                cubic.initial_window(u64::from(192 * KIB));
                Arc::new(cubic)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segmentation_offload_can_be_switched_off() {
        for segmentation_offload in [true, false] {
            let options = LinkOptions { segmentation_offload, ..Profile::Terrestrial.into() };
            let setting = format!("enable_segmentation_offload: {segmentation_offload}");
            for transport in [options.node_transport(), options.hub_transport()] {
                assert!(format!("{transport:?}").contains(&setting), "{transport:?}");
            }
        }
    }

    #[test]
    fn several_keep_alives_fit_into_the_idle_timeout_of_either_end() {
        for profile in [Profile::Satcom, Profile::Terrestrial] {
            assert!(profile.keep_alive() * 3 < profile.idle_timeout(), "{profile:?}");
            assert!(profile.idle_timeout() <= SATCOM_IDLE, "{profile:?}");
        }
    }
}
