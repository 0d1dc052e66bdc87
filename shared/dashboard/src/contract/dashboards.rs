//! Dashboards that people keep: pages of widgets on a grid of 24 columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET /api/v1/missions/{mission}/dashboards`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Dashboards {
    /// Those that the asker may see, by title.
    pub dashboards: Vec<DashboardSummary>,
}

/// A dashboard without its widgets.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DashboardSummary {
    /// Its name for ever in its mission.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Who made it.
    pub author: String,
    /// Who may see it.
    pub audience: DashboardAudience,
    /// When it was changed last.
    pub changed_at: String,
    /// Who changed it last.
    pub changed_by: String,
    /// How many widgets it has.
    pub widgets: usize,
    /// How many of them have more than one copy, because people changed them without knowing of each other.
    pub conflicts: usize,
}

/// Who may see a dashboard. Of these, operators may change it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DashboardAudience {
    /// Who made it.
    #[default]
    Author,
    /// The mission's operators.
    Operators,
    /// Whoever may see the mission.
    Everyone,
}

/// Answer of `GET /api/v1/missions/{mission}/dashboards/{id}`, and of whatever changes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Dashboard {
    /// Its name for ever in its mission.
    pub id: String,
    /// What of its history this answer knows: send it as `base` with a change. It has no meaning beyond that.
    pub heads: String,
    /// What people call it.
    pub title: String,
    /// Who made it.
    pub author: String,
    /// Who may see it.
    pub audience: DashboardAudience,
    /// When it was changed last.
    pub changed_at: String,
    /// Who changed it last.
    pub changed_by: String,
    /// Its widgets, by id.
    pub widgets: Vec<DashboardWidget>,
}

/// One widget of a dashboard.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DashboardWidget {
    /// The widget's id.
    pub id: String,
    /// One copy; or a conflict: several, newest first, that people put without knowing of each other. Whoever puts the
    /// widget next, with `heads` of an answer that has them all, settles it.
    pub copies: Vec<WidgetCopy>,
}

/// A widget as somebody put it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct WidgetCopy {
    /// The widget.
    pub widget: Widget,
    /// Who put it.
    pub author: String,
    /// When.
    pub at: String,
}

/// Something on a dashboard: what it is, where it lies, and what it shows. As JSON it has at most 16 KiB.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Widget {
    /// Its name in its dashboard: 1 to 64 letters, digits, `-` and `_`.
    pub id: String,
    /// What it is, in a word of the web app: 1 to 64 lower-case letters, digits and `-`.
    pub kind: String,
    /// Its first column, 0 to 23.
    pub x: u32,
    /// Its first row, 0 to 9,999.
    pub y: u32,
    /// How many columns it has: 1 to 24, of which none lies behind the last.
    pub w: u32,
    /// How many rows it has, 1 to 100.
    pub h: u32,
    /// What it shows and how. The server keeps it and knows nothing of it.
    pub opts: BTreeMap<String, serde_json::Value>,
}

/// Body of `POST /api/v1/missions/{mission}/dashboards`: a file of somebody's dashboard does, with an id and an audience.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDashboard {
    /// Its name for ever in its mission, made by the asker so that nobody else makes the same (a ULID, a UUID): 16 to 64
    /// letters, digits, `-` and `_`. The same dashboard sent again is one dashboard.
    pub id: String,
    /// Who may see it; the author alone when absent.
    #[serde(default)]
    pub audience: DashboardAudience,
    /// `sto-dashboard`, if given.
    #[serde(default)]
    pub format: Option<String>,
    /// 1, if given.
    #[serde(default)]
    pub version: Option<u32>,
    /// What people call it: 1 to 200 characters.
    pub title: String,
    /// Its widgets, at most 200, all together of at most 1 MiB.
    pub widgets: Vec<Widget>,
}

/// Body of `POST /api/v1/missions/{mission}/dashboards/{id}/changes`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DashboardChange {
    /// The change's own id, 32 hexadecimal digits that nobody else uses: sent again, it is one change.
    pub id: String,
    /// `heads` of the dashboard that was changed. What others changed since is kept beside it.
    pub base: String,
    /// Widgets that are new or other than they were, each whole.
    #[serde(default)]
    pub put: Vec<Widget>,
    /// Widgets that are gone. One that somebody else put since stays.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Another title.
    #[serde(default)]
    pub title: Option<String>,
    /// Another audience. Only the author, and an operator of all missions, may give it one.
    #[serde(default)]
    pub audience: Option<DashboardAudience>,
}

/// Answer of `GET /api/v1/missions/{mission}/dashboards/{id}/export`: a dashboard as a file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DashboardFile {
    /// `sto-dashboard`.
    pub format: String,
    /// 1.
    pub version: u32,
    /// What people call it.
    pub title: String,
    /// Its widgets; of one in conflict the newest copy.
    pub widgets: Vec<Widget>,
}
