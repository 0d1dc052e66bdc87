//! The body of a webhook, version 1, and its signature (`docs/notifications.md`).

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use processing::alarm::{AlarmId, AlarmSeverity, State, StepId};
use serde::Serialize;

use crate::notification::{Notification, name};

/// Version of the body. A key that is added does not change it; one that changes its meaning or goes does.
pub const BODY_VERSION: u32 = 1;
/// Header with the message's id.
pub const ID_HEADER: &str = "sto-notification-id";
/// Header with time, key and signature.
pub const SIGNATURE_HEADER: &str = "sto-signature";

#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    id: StepId,
    test: bool,
    subject: String,
    text: String,
    mission: &'a str,
    alarm: AlarmId,
    severity: AlarmSeverity,
    state: State,
    detector: &'a str,
    parameter: &'a str,
    unit: Option<&'a str>,
    seen: Option<f64>,
    expected: Option<f64>,
    threshold: Option<f64>,
    model: Option<&'a str>,
    first_generation_time: String,
    group: Option<GroupBody>,
    ladder: Option<LadderBody<'a>>,
    link: Option<&'a str>,
}

#[derive(Serialize)]
struct GroupBody {
    alarms: u32,
    first_out: AlarmId,
    first_out_parameter: String,
}

#[derive(Serialize)]
struct LadderBody<'a> {
    name: &'a str,
    step: u32,
    round: u32,
}

/// The body. The same notification gives the same bytes, whenever it is sent.
pub(crate) fn body(notification: &Notification, link: Option<&str>) -> String {
    let cause = notification.cause.clone().finite();
    let body = Body {
        version: BODY_VERSION,
        id: notification.id,
        test: notification.is_test,
        subject: notification.subject(),
        text: notification.text(link),
        mission: &notification.mission,
        alarm: notification.alarm,
        severity: notification.severity,
        state: notification.state,
        detector: &notification.detector,
        parameter: &notification.parameter,
        unit: notification.unit.as_deref(),
        seen: cause.seen,
        expected: cause.expected,
        threshold: cause.threshold,
        model: cause.model.as_deref(),
        first_generation_time: notification.first_generation.0.to_string(),
        group: notification.group.as_ref().map(|group| GroupBody {
            alarms: group.alarms,
            first_out: group.first_out,
            first_out_parameter: name(&group.first_out_parameter),
        }),
        ladder: notification.rung.as_ref().map(|rung| LadderBody {
            name: &rung.ladder,
            step: rung.step,
            round: rung.round,
        }),
        link,
    };
    serde_json::to_string(&body).expect("texts and numbers have a JSON form")
}

/// The value of [`SIGNATURE_HEADER`]: `t=…,key=…,v1=…`, with HMAC-SHA256 over the time in decimal digits, a dot and the
/// body. `unix_time_s` is the attempt's, so that a receiver can refuse what somebody kept and sends again.
pub fn signature(secret: &[u8], key_id: &str, unix_time_s: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = [unix_time_s.to_string().as_bytes(), b".", body].concat();
    let tag = hmac::sign(&key, &signed);
    format!("t={unix_time_s},key={key_id},v1={}", HEXLOWER.encode(tag.as_ref()))
}
