//! Where stations stand, how spacecraft fly, and when the ones hear the others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET /api/v1/places`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Places {
    /// The server's time.
    pub at: String,
    /// Sites of the nodes one may know of, by name; for who may know of all missions also sites without a node.
    pub sites: Vec<Site>,
}

/// A site, and where on the Earth it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Site {
    /// Its name, as nodes have it.
    pub site: String,
    /// Nodes that stand there, by name.
    pub nodes: Vec<String>,
    /// Where it is; absent while nobody has said so.
    pub place: Option<SitePlace>,
    /// When that was said.
    pub set_at: Option<String>,
    /// Who said so.
    pub set_by: Option<String>,
}

/// A place on the Earth, and how much of its sky is free.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SitePlace {
    /// Geodetic latitude (WGS 84), degrees, north positive: -90 to 90.
    pub latitude_deg: f64,
    /// Longitude, degrees, east positive: -180 to 180.
    pub longitude_deg: f64,
    /// Height above the ellipsoid, metres: -500 to 9,000.
    pub height_m: f64,
    /// Elevation below which the station hears nothing, degrees: 0 to 89.
    pub mask_deg: f64,
}

/// How elements were written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ElementsFormat {
    /// An orbit mean-elements message (CCSDS 502.0-B), as JSON.
    Omm,
    /// A two-line element set.
    Tle,
}

/// Answer of `GET` and `PUT /api/v1/missions/{mission}/elements`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct OrbitElements {
    /// The server's time, at which ages are told.
    pub at: String,
    /// Of each spacecraft the elements that count now, by name.
    pub spacecraft: Vec<SpacecraftElements>,
}

/// The elements of a spacecraft that count now: those with the newest epoch before it, or else the first after it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SpacecraftElements {
    /// Its name in this mission.
    pub spacecraft: String,
    /// Its number in the catalogue that the elements name.
    pub catalog_number: u64,
    /// Its international designator, as `1998-067A`.
    pub designator: Option<String>,
    /// The moment at which the elements hold best.
    pub epoch: String,
    /// How long ago that is, seconds; negative before it.
    pub age_s: f64,
    /// Why what is computed from them is not to be relied on: older than 7 days, or not to be propagated to now.
    pub warning: Option<String>,
    /// How they were written.
    pub format: ElementsFormat,
    /// As imported.
    pub text: String,
    /// When.
    pub imported_at: String,
    /// By whom.
    pub imported_by: String,
    /// How many versions of its elements are kept.
    pub versions: u64,
}

/// Body of `PUT /api/v1/missions/{mission}/elements`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrbitElements {
    /// Two-line elements, with or without a line of a name before them, or OMM as JSON: one object or a list. At most 64 KiB.
    pub text: String,
    /// Name of the spacecraft in this mission; the text then holds the elements of one. Absent: as the text names them, or else by their
    /// catalogue number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spacecraft: Option<String>,
}

/// Answer of `GET /api/v1/missions/{mission}/passes`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Passes {
    /// The server's time, at which phases are told.
    pub at: String,
    /// Beginning of the span.
    pub from: String,
    /// Its end, excluded.
    pub to: String,
    /// Passes of which some lies in the span, by culmination.
    pub passes: Vec<Pass>,
    /// What to ask with to have more.
    pub next: Option<String>,
    /// Stations and spacecraft of which no passes can be told, and why.
    pub left_out: Vec<NoPasses>,
}

/// Of whom no passes can be told.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NoPasses {
    /// The node; absent when it is about a spacecraft.
    pub station: Option<String>,
    /// The spacecraft; absent when it is about a station.
    pub spacecraft: Option<String>,
    /// Why.
    pub reason: String,
}

/// Where a moment lies to a pass.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PassPhase {
    /// It is over.
    Past,
    /// The spacecraft has not risen yet.
    ToCome,
    /// The spacecraft stands above the mask.
    UnderWay,
}

/// A time in which a station can hear a spacecraft, as computed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Pass {
    /// Names it in paths, also after newer elements moved it by some seconds.
    pub id: String,
    /// The spacecraft.
    pub spacecraft: String,
    /// The station's node.
    pub station: String,
    /// Where that stands.
    pub site: String,
    /// Acquisition of signal: it rises above the mask. Absent when it stands above it for longer than is looked back, 2 days.
    pub aos: Option<PassMoment>,
    /// It stands highest.
    pub culmination: PassMoment,
    /// Loss of signal: it sinks below the mask. Absent when it stands above it for longer than is looked ahead, 2 days.
    pub los: Option<PassMoment>,
    /// Elevation at culmination, degrees.
    pub elevation_max_deg: f64,
    /// Elevation from which the station hears, degrees.
    pub mask_deg: f64,
    /// From acquisition to loss, seconds; absent when one of them is.
    pub duration_s: Option<f64>,
    /// Whether it is over, at the answer's `at`.
    pub phase: PassPhase,
    /// Epoch of the elements it was computed from.
    pub elements_epoch: String,
    /// How far from that epoch culmination is, seconds: less certain the further.
    pub elements_age_s: f64,
    /// What came of it; absent while it is to come.
    pub received: Option<PassReceived>,
}

/// A moment of a pass.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PassMoment {
    /// When.
    pub at: String,
    /// Where the spacecraft stands, degrees from north over east.
    pub azimuth_deg: f64,
    /// Above the horizon, degrees.
    pub elevation_deg: f64,
}

/// What a station's node received within a pass and this server has: batches of the mission's packets and samples whose last
/// record was received between acquisition and loss, up to now. Where one of them is absent, up to the end of the span asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PassReceived {
    /// Packets and samples.
    pub records: u64,
    /// Bytes of their batches as sealed: packed.
    pub bytes: u64,
}

/// Answer of `GET /api/v1/missions/{mission}/passes/{pass}/track`: the way of the spacecraft over a station's sky.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PassTrack {
    /// The pass, by the elements that count now.
    pub pass: Pass,
    /// 181 moments from acquisition to loss in equal steps; where one of them is absent, from or to 12 hours beside culmination.
    pub samples: Vec<PassSample>,
}

/// How the spacecraft is seen from a station at a moment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PassSample {
    /// When.
    pub at: String,
    /// Degrees from north over east.
    pub azimuth_deg: f64,
    /// Degrees above the horizon.
    pub elevation_deg: f64,
    /// Distance, kilometres.
    pub range_km: f64,
    /// How fast that grows, kilometres a second; negative while it comes nearer.
    pub range_rate_km_s: f64,
    /// Whether the Sun shines on the spacecraft.
    pub sunlit: bool,
}

/// Answer of `GET /api/v1/missions/{mission}/track`: where the mission's spacecraft are over the Earth.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GroundTracks {
    /// The server's time.
    pub at: String,
    /// Moment of the first points.
    pub from: String,
    /// No point lies behind it.
    pub to: String,
    /// Seconds between two points.
    pub step_s: f64,
    /// The Sun at the moments of the points.
    pub sun: Vec<SunPoint>,
    /// Each spacecraft of which elements are known, by name.
    pub spacecraft: Vec<SpacecraftTrack>,
}

/// Where the Sun stands at the zenith: night is where that is more than 90 degrees away.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SunPoint {
    /// When.
    pub at: String,
    /// Degrees, north positive; the same geocentric and geodetic within 0.2 degrees.
    pub latitude_deg: f64,
    /// Degrees, east positive.
    pub longitude_deg: f64,
    /// Greenwich mean sidereal time as an angle, degrees: turns inertial directions into Earth-fixed ones.
    pub sidereal_deg: f64,
}

/// Where a spacecraft is over the Earth.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SpacecraftTrack {
    /// Its name.
    pub spacecraft: String,
    /// Epoch of the elements that count at the first point.
    pub epoch: String,
    /// How long before the first point that is, seconds.
    pub age_s: f64,
    /// Why the points are not to be relied on, or end early.
    pub warning: Option<String>,
    /// Where it is, moment by moment.
    pub points: Vec<TrackPoint>,
}

/// Where a spacecraft is at a moment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TrackPoint {
    /// When.
    pub at: String,
    /// Geodetic latitude of the point below (WGS 84), degrees.
    pub latitude_deg: f64,
    /// Longitude, degrees, east positive.
    pub longitude_deg: f64,
    /// Height above the ellipsoid, kilometres.
    pub height_km: f64,
    /// Position in the frame that turns with the Earth: x to latitude 0 and longitude 0, z north, kilometres.
    pub position_km: [f64; 3],
    /// Whether the Sun shines on it.
    pub sunlit: bool,
}
