//! Bundles and receipts, as somebody brings them on a stick; and what is in a chunk whose node is hostile.
#![no_main]

use delivery::{
    BundleHeader, BundleId, BundleLog, BundleReader, BundleWriter, CHUNK_BYTES, ChainHash, Cipher,
    CryptoRefused, Lane, NodeId, Signer, StoreId, TAG_BYTES, UncheckedReceipt, Verifier,
};
use libfuzzer_sys::fuzz_target;
use space_packet::TaiTime;

/// Refuses nothing, so that everything behind the cryptography is reached.
struct Credulous;

impl Cipher for Credulous {
    fn seal(&self, _: u32, _: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused> {
        bytes.resize(bytes.len() + TAG_BYTES, 0);
        Ok(())
    }

    fn open(&self, _: u32, _: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused> {
        let length = bytes.len().checked_sub(TAG_BYTES).ok_or(CryptoRefused)?;
        bytes.truncate(length);
        Ok(())
    }
}

impl Signer for Credulous {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, CryptoRefused> {
        Ok(Vec::new())
    }
}

impl Verifier for Credulous {
    fn verifies(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

fn read(file: &[u8]) {
    let Ok(reader) = BundleReader::open(file) else { return };
    let Ok(bundle) = reader.verify(&Credulous) else { return };
    for number in 0..bundle.chunks() {
        match bundle.chunk(number, &Credulous) {
            Ok(batches) => {
                assert!(batches.iter().all(|found| usize::from(found.log) < bundle.header().logs.len()));
            }
            Err(bad) => assert!(bad.bytes.end <= file.len() as u64),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let _ = UncheckedReceipt::parse(bytes).and_then(|receipt| receipt.verify(&Credulous));
    let none = ChainHash([0; 16]);
    let log =
        BundleLog { store: StoreId([0; 16]), lane: Lane::Telemetry, first: 1, last: 1, previous: none, hash: none };
    let header = BundleHeader {
        version: BundleHeader::VERSION,
        bundle: BundleId([0; 16]),
        part: 1,
        authority: [0; 32],
        hub_key: [0; 32],
        file_key: [0; 32],
        node: NodeId([0; 16]),
        certificates: vec![Vec::new()],
        logs: vec![log],
        previous: None,
        created: TaiTime(0),
    };
    let (_, mut file) = BundleWriter::begin(&header, Credulous, &Credulous).expect("nothing is refused");
    let chunks = file.len();
    file.extend_from_slice(&bytes[..bytes.len().min(CHUNK_BYTES)]);
    file.resize(chunks + CHUNK_BYTES, 0);
    read(&file);
});
