//! Bounds of the messages that programs read telemetry with. Requests are a few names long, and the server says how many
//! bytes it takes; answers come from a server that the client chose.

use crate::codec::{IngestBody, MalformedBody};
use crate::v1::{
    GetLatestRequest, GetLatestResponse, GetSamplesRequest, ListMissionsRequest, ListMissionsResponse,
    ListParametersRequest, ListParametersResponse, LiveUpdate, SamplesPage, SubscribeRequest,
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
    GetLatestRequest,
    GetLatestResponse,
    GetSamplesRequest,
    ListMissionsRequest,
    ListMissionsResponse,
    ListParametersRequest,
    ListParametersResponse,
    LiveUpdate,
    SamplesPage,
    SubscribeRequest,
);
