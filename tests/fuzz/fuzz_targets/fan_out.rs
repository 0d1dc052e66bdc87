//! What another hub hands over by Redis, and latest values kept there. Tags would stop nearly everything: what is behind
//! them is looked for, too.
#![no_main]

use cloud_hub::archive::{HandedOver, Seal, read_value, write_value};
use libfuzzer_sys::fuzz_target;
use mission_database::ParameterIndex;

const OF: (&str, i32) = ("demo", 1);

fuzz_target!(|bytes: &[u8]| {
    let seal = Seal::new(&[0; 32], [0; 8]);
    assert!(HandedOver::read(&seal, bytes).is_none(), "nobody sealed it");
    assert!(read_value(&seal, OF, ParameterIndex(0), bytes).is_none(), "nobody sealed it");
    let message = seal.close("committed batch 1", bytes.to_vec());
    if let Some(read) = HandedOver::read(&seal, &message) {
        assert_eq!(read.write(&seal), message);
    }
    let value = seal.close("latest value 1 1 demo", bytes.to_vec());
    if let Some((ledger_id, source, sample)) = read_value(&seal, OF, ParameterIndex(0), &value) {
        let again = write_value(&seal, OF, (ledger_id, &source), &sample).expect("no longer than it was");
        assert!(read_value(&seal, OF, ParameterIndex(0), &again).is_some());
    }
});
