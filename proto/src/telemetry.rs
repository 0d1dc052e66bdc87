//! Bounds of the messages that programs read telemetry with. Requests are a few names long, and the server says how many
//! bytes it takes; answers come from a server that the client chose.

use crate::codec::{IngestBody, MalformedBody};
use crate::v1::{
    ActOnAlarmRequest, ActOnAlarmResponse, AlarmsUpdate, GetAlarmRequest, GetAlarmResponse, GetLatestRequest,
    GetLatestResponse, GetSamplesRequest, ListAlarmsRequest, ListAlarmsResponse, ListMissionsRequest,
    ListMissionsResponse, ListParametersRequest, ListParametersResponse, LiveUpdate, SamplesPage,
    SubscribeRequest, WatchAlarmsRequest,
};

macro_rules! decoded_as_they_come {
    ($($message:ty),* $(,)?) => {
        $(impl IngestBody for $message {
            fn check(_: &[u8]) -> Result<(), MalformedBody> {
                Ok(())
            }
        })*
    };
}

decoded_as_they_come!(
    ActOnAlarmRequest,
    ActOnAlarmResponse,
    AlarmsUpdate,
    GetAlarmRequest,
    GetAlarmResponse,
    GetLatestRequest,
    GetLatestResponse,
    GetSamplesRequest,
    ListAlarmsRequest,
    ListAlarmsResponse,
    ListMissionsRequest,
    ListMissionsResponse,
    ListParametersRequest,
    ListParametersResponse,
    LiveUpdate,
    SamplesPage,
    SubscribeRequest,
    WatchAlarmsRequest,
);
