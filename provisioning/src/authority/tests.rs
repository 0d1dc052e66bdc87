use std::fs;
use std::os::unix::fs::PermissionsExt;

use x509_parser::parse_x509_certificate;

use super::*;

const NOW: u64 = 1_795_000_000;

fn authority() -> (tempfile::TempDir, Authority) {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_create(&home.path().join("authority"), NOW).unwrap();
    (home, authority)
}

fn csr(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    change(&mut params);
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn an_authority_stays_the_same_over_restarts_and_is_for_its_owner_only() {
    let (home, first) = authority();
    let directory = home.path().join("authority");
    let again = Authority::open_or_create(&directory, NOW + DAY).unwrap();
    assert_eq!(again.spki_sha256(), first.spki_sha256());
    assert_eq!(again.authority_id(), first.authority_id());
    assert_eq!(again.restart_secret(), first.restart_secret());
    assert_eq!(again.fan_out_secret(), first.fan_out_secret());
    assert_ne!(first.fan_out_secret(), first.restart_secret());
    assert_eq!(first.authority_id().len(), "sto-".len() + 32);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join(KEY_FILE)), 0o600);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "no half-made authority is left");
}

#[test]
fn hubs_starting_at_once_share_one_authority() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("authority");
    let ids: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Authority::open_or_create(&directory, NOW).unwrap().spki_sha256()))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| id == &ids[0]));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_authority_is_reported_and_never_replaced() {
    for (file, content) in
        [(KEY_FILE, None), (CERTIFICATE_FILE, None), (KEY_FILE, Some("x")), (CERTIFICATE_FILE, Some("x"))]
    {
        let (home, _) = authority();
        let directory = home.path().join("authority");
        match content {
            None => fs::remove_file(directory.join(file)).unwrap(),
            Some(content) => fs::write(directory.join(file), content).unwrap(),
        }
        let before = fs::read_dir(&directory).unwrap().count();
        let error = Authority::open_or_create(&directory, NOW).unwrap_err();
        assert!(matches!(error, AuthorityError::Damaged { .. }), "{file}: {error}");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), before);
    }
    let (home, _) = authority();
    let (other_home, _) = authority();
    let key = |home: &tempfile::TempDir| home.path().join("authority").join(KEY_FILE);
    fs::copy(key(&other_home), key(&home)).unwrap();
    let error = Authority::open_or_create(&home.path().join("authority"), NOW).unwrap_err();
    assert!(matches!(
        error,
        AuthorityError::Damaged { reason: "key and certificate do not belong together", .. }
    ));
}

#[test]
fn a_hostile_request_gets_nothing_it_asks_for() {
    let (_home, authority) = authority();
    let node_id = Uuid::new_v4();
    let other = format!("spiffe://{}/node/{}", authority.authority_id(), Uuid::new_v4());
    let requests = [
        csr(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        csr(|params| params.subject_alt_names = vec![SanType::DnsName(HUB_NAME.try_into().unwrap())]),
        csr(|params| params.subject_alt_names = vec![SanType::URI(other.try_into().unwrap())]),
        csr(|params| {
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }),
        csr(|params| params.distinguished_name.push(DnType::CommonName, HUB_NAME)),
    ];
    for request in requests {
        let request = CertificateRequest::from_der(&request).unwrap();
        let issued = authority.issue_node(&request, node_id, NOW).unwrap();
        assert_eq!(issued.chain.len(), 1);
        // The link's parser accepts one URI, client authentication alone, and no authority.
        let read = NodeCertificate::from_der(&issued.chain[0]).unwrap();
        assert_eq!((read.node_id, read.authority_id.as_str()), (node_id, authority.authority_id()));
        let (_, certificate) = parse_x509_certificate(&issued.chain[0]).unwrap();
        assert!(!certificate.is_ca());
        assert_eq!(certificate.subject().iter().count(), 0);
        assert_eq!(certificate.key_usage().unwrap().unwrap().value.flags, 1, "digital signature alone");
        certificate
            .verify_signature(Some(
                parse_x509_certificate(authority.certificate_der()).unwrap().1.public_key(),
            ))
            .unwrap();
    }
}

#[test]
fn a_certificate_is_valid_for_ninety_days_from_shortly_before_and_has_its_own_serial() {
    let (_home, authority) = authority();
    let request = CertificateRequest::from_der(&csr(|_| {})).unwrap();
    let first = authority.issue_node(&request, Uuid::new_v4(), NOW).unwrap();
    let second = authority.issue_node(&request, Uuid::new_v4(), NOW).unwrap();
    assert_eq!((first.not_before, first.not_after), (NOW - 600, NOW + 90 * DAY));
    assert_ne!(first.serial, second.serial);
    assert!(first.serial.len() >= 12, "128 random bits rarely start with that many zeros");
}

#[test]
fn requests_that_are_not_signed_by_their_own_p256_key_are_refused() {
    let good = csr(|_| {});
    let mut tampered = good.clone();
    *tampered.last_mut().unwrap() ^= 1;
    let mut other_key = good.clone();
    // Swaps the key inside for another one, as somebody would who wants another machine's key certified.
    let (point, foreign) = {
        let find = |der: &[u8]| {
            let marker = [0x03, 0x42, 0x00, 0x04];
            der.windows(4).position(|window| window == marker).unwrap() + 3
        };
        let another = csr(|_| {});
        let at = find(&another);
        (find(&good), another[at..at + 65].to_vec())
    };
    other_key[point..point + 65].copy_from_slice(&foreign);
    for bytes in
        [tampered, other_key, Vec::new(), vec![0x30; 100], vec![0; 5000], good[..good.len() - 1].to_vec()]
    {
        assert!(matches!(CertificateRequest::from_der(&bytes), Err(IssueError::Request)));
    }
    let mut too_long = good.clone();
    too_long.resize(5000, 0);
    assert!(matches!(CertificateRequest::from_der(&too_long), Err(IssueError::Request)));

    for algorithm in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        assert!(matches!(CertificateRequest::from_der(request.der()), Err(IssueError::Key)));
    }
}

#[test]
fn a_hubs_certificate_is_for_servers_alone_and_believed_by_clocks_as_old_as_the_authority() {
    let (_home, authority) = authority();
    let hub = authority.issue_hub(NOW + 100 * DAY).unwrap();
    assert_eq!(hub.certificate_chain[1], authority.certificate_der());
    let (_, certificate) = parse_x509_certificate(&hub.certificate_chain[0]).unwrap();
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
    assert!(!certificate.is_ca());
    let validity = certificate.validity();
    assert!(validity.not_before.timestamp() <= NOW as i64);
    assert_eq!(validity.not_after.timestamp(), (NOW + 465 * DAY) as i64);
}
