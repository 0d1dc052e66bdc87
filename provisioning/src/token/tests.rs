use proptest::prelude::*;

use super::*;

fn new_token() -> NewToken {
    NewToken {
        hub_addresses: vec![
            "hub.example.org:7443".into(),
            "192.0.2.7:7443".into(),
            "[2001:db8::7]:7443".into(),
        ],
        node_name: "svalbard-2".into(),
        site: "Ny-Ålesund".into(),
        expires_unix: 1_795_252_440,
        missions: None,
    }
}

fn issue() -> (Token, TokenRecord) {
    Token::issue(new_token(), [9; 32]).unwrap()
}

#[test]
fn a_token_survives_the_way_however_it_is_wrapped() {
    let (token, record) = issue();
    let text = token.to_text();
    let wrapped: String = text
        .to_lowercase()
        .as_bytes()
        .chunks(40)
        .map(|line| format!(" {}\r\n", String::from_utf8_lossy(line)))
        .collect();
    for text in [text.as_str(), &wrapped] {
        let parsed: Token = text.parse().unwrap();
        assert_eq!(parsed.hub_addresses, token.hub_addresses);
        assert_eq!(parsed.authority_spki_sha256, [9; 32]);
        assert_eq!(
            (parsed.id, parsed.node_name.as_str(), parsed.site.as_str()),
            (record.id, "svalbard-2", "Ny-Ålesund")
        );
        assert_eq!(parsed.expires_unix, record.expires_unix);
        assert!(record.secret_matches(&parsed.secret.sha256()));
    }
}

#[test]
fn tokens_and_secrets_are_never_the_same_twice() {
    let ((first, _), (second, second_record)) = (issue(), issue());
    assert_ne!(first.id, second.id);
    assert!(!second_record.secret_matches(&first.secret.sha256()));
}

#[test]
fn any_single_mistyped_or_missing_character_is_called_a_typo() {
    let text = issue().0.to_text();
    for at in PREFIX.len()..text.len() {
        let mut mistyped = text.clone().into_bytes();
        mistyped[at] = if mistyped[at] == b'A' { b'B' } else { b'A' };
        let mistyped = String::from_utf8(mistyped).unwrap();
        assert_eq!(Token::parse(&mistyped).unwrap_err(), TokenError::Typo, "{mistyped}");
        let missing = format!("{}{}", &text[..at], &text[at + 1..]);
        assert_eq!(Token::parse(&missing).unwrap_err(), TokenError::Typo, "{missing}");
    }
    for confused in ['0', '1', '8', '9', '-', 'é'] {
        assert_eq!(Token::parse(&format!("{text}{confused}")).unwrap_err(), TokenError::Typo);
    }
}

#[test]
fn what_is_no_token_is_called_so() {
    let text = issue().0.to_text();
    for other in
        [String::new(), "hello".into(), text[1..].into(), format!("{PREFIX}{}", "A".repeat(TEXT_MAX))]
    {
        assert_eq!(Token::parse(&other).unwrap_err(), TokenError::NotAToken, "{other}");
    }
    assert_eq!(Token::parse(PREFIX).unwrap_err(), TokenError::Typo);
}

fn sealed(mut body: Vec<u8>) -> String {
    body.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    format!("{PREFIX}{}", BASE32_NOPAD.encode(&body))
}

#[test]
fn a_newer_version_is_named() {
    assert_eq!(Token::parse(&sealed(vec![7, 1, 2, 3])).unwrap_err(), TokenError::Version { version: 7 });
}

#[test]
fn contents_that_cannot_be_right_are_refused_in_both_directions() {
    type Change = fn(&mut NewToken);
    let cases: [(&str, Change); 9] = [
        ("hub addresses", |new| new.hub_addresses.clear()),
        ("hub addresses", |new| new.hub_addresses.push("hub:1".into())),
        ("hub addresses", |new| new.hub_addresses[0] = "hub.example.org".into()),
        ("hub addresses", |new| new.hub_addresses[0] = "hub.example.org:0".into()),
        ("hub addresses", |new| new.hub_addresses[0] = "2001:db8::7:1".into()),
        ("hub addresses", |new| new.hub_addresses[0] = format!("{}:1", "a".repeat(300))),
        ("node name", |new| new.node_name = " ".into()),
        ("node name", |new| new.node_name = "a\u{1b}b".into()),
        ("site", |new| new.site = "x".repeat(65)),
    ];
    for (field, change) in cases {
        let mut new = new_token();
        change(&mut new);
        assert_eq!(Token::issue(new.clone(), [0; 32]).unwrap_err(), TokenError::Content { field });
        let mut forged = issue().0;
        (forged.hub_addresses, forged.node_name, forged.site) = (new.hub_addresses, new.node_name, new.site);
        assert_eq!(Token::parse(&forged.to_text()).unwrap_err(), TokenError::Content { field });
    }
}

#[test]
fn the_secret_is_never_printed() {
    let (token, _) = issue();
    let printed = format!("{token:?}");
    assert!(printed.contains("secret: ***"), "{printed}");
    assert!(!printed.contains(&format!("{:?}", token.secret.0)));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,80}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Token::parse(&text);
        let _ = Token::parse(&format!("{PREFIX}{text}"));
        let mut body = body;
        body.insert(0, VERSION);
        let _ = Token::parse(&sealed(body));
    }
}
