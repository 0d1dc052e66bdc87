//! What encryption at rest promises.

use std::os::unix::fs::PermissionsExt;

use delivery::{BatchBuilder, Lane, Position};
use space_packet::{ReceptionTime, TaiTime};

use super::*;

const STORE: StoreId = StoreId([5; 16]);

fn batch() -> Vec<u8> {
    let mut builder = BatchBuilder::new("demo", "antenna");
    builder.push(ReceptionTime(TaiTime(7)), b"a packet of the spacecraft");
    let body = builder.pack().expect("one record");
    body.seal(Lane::Telemetry, &Position::start(STORE, Lane::Telemetry)).into_bytes()
}

fn key(byte: u8) -> JournalKey {
    JournalKey::new(&[byte; 32])
}

#[test]
fn what_is_encrypted_shows_nothing_and_opens_with_its_key_in_its_place_only() {
    let (batch, key) = (batch(), key(1));
    let sealed = seal(Some(&key), STORE, 1, &batch).expect("encrypts").into_owned();
    assert!(!sealed.windows(8).any(|part| batch[..].windows(8).any(|plain| plain == part)));
    assert_ne!(sealed, seal(Some(&key), STORE, 1, &batch).expect("encrypts").into_owned());
    assert_eq!(open(Some(&key), STORE, 1, sealed.clone()).expect("opens"), Ok(batch));
    assert!(open(Some(&key), StoreId([6; 16]), 1, sealed.clone()).expect("looks").is_err());
    assert!(open(Some(&key), STORE, 2, sealed).expect("looks").is_err());
}

#[test]
fn what_is_plain_is_read_with_or_without_a_key() {
    let batch = batch();
    assert_eq!(*seal(None, STORE, 1, &batch).expect("stays"), batch[..]);
    for key in [None, Some(key(1))] {
        assert_eq!(open(key.as_ref(), STORE, 1, batch.clone()).expect("opens"), Ok(batch.clone()));
    }
}

#[test]
fn a_wrong_key_is_told_from_damage() {
    let sealed = seal(Some(&key(1)), STORE, 1, &batch()).expect("encrypts").into_owned();
    for wrong in [None, Some(key(2))] {
        let opened = open(wrong.as_ref(), STORE, 1, sealed.clone());
        assert!(matches!(opened, Err(JournalError::WrongKey { sequence: 1 })));
    }
    for place in 4..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[place] ^= 1;
        assert!(
            open(Some(&key(2)), STORE, 1, damaged).expect("is damage, not a wrong key").is_err(),
            "{place}"
        );
    }
}

#[test]
fn a_key_is_hexadecimal_digits_or_bytes_and_prints_as_stars() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal.key");
    let check = |content: &[u8], mode: u32| {
        std::fs::write(&path, content).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        JournalKey::from_file(&path)
    };
    let expected = key(0xab).id();
    let digits = "aB".repeat(32);
    for content in [&[0xab; 32][..], digits.as_bytes(), format!("{digits}\n").as_bytes()] {
        assert_eq!(check(content, 0o600).expect("is a key").id(), expected);
    }
    for content in [&b""[..], &[1; 33], "zz".repeat(32).as_bytes(), "ab".repeat(33).as_bytes()] {
        assert!(matches!(check(content, 0o600), Err(KeyError::Shape { .. })));
    }
    let open = check(digits.as_bytes(), 0o640).expect_err("others may read it");
    assert!(open.to_string().contains("chmod 600"), "{open}");
    assert_eq!(format!("{:?}", key(1)), "JournalKey { key: ***, id: *** }");
    assert!(matches!(JournalKey::from_credential(None, "journal"), Err(KeyError::NoCredentials { .. })));
    check(digits.as_bytes(), 0o400).expect("is a key");
    assert!(JournalKey::from_credential(Some(folder.path()), "journal.key").is_ok());
}
