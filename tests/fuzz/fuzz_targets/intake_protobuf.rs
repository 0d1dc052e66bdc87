//! Messages of the gRPC contract, and the records they become.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use proto::v1::ingest_request::Content;
use proto::v1::{IngestReply, IngestRequest};
use proto::{IngestBody, SAMPLES_MAX, from_record, to_record};

fuzz_target!(|bytes: &[u8]| {
    let _ = IngestReply::read(Bytes::copy_from_slice(bytes));
    let Ok(request) = IngestRequest::read(Bytes::copy_from_slice(bytes)) else { return };
    let Some(Content::Samples(list)) = request.content else { return };
    assert!(list.samples.len() <= SAMPLES_MAX);
    for sample in list.samples {
        if let Ok(record) = to_record(sample) {
            // By their bytes: what is not a number is not equal to itself.
            let again = to_record(from_record(record.clone())).expect("it was one");
            assert_eq!(again.encode(), record.encode());
        }
    }
});
