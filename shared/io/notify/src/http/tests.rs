use super::*;

#[test]
fn of_several_addresses_only_those_that_may_be_gone_to_are_left() {
    let found = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
    let check = |texts: &[&str], networks: &[&str], expected: Result<&[&str], &str>| {
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let expected = expected.map(found).map_err(|refused| refused.parse::<IpAddr>().unwrap());
        assert_eq!(allowed(&found(texts), &networks), expected, "{texts:?}");
    };
    check(&["127.0.0.1:443", "8.8.8.8:443"], &[], Ok(&["8.8.8.8:443"]));
    check(&["8.8.8.8:443", "[::ffff:10.0.0.1]:443"], &[], Ok(&["8.8.8.8:443"]));
    check(&["169.254.169.254:80", "10.0.0.1:80"], &[], Err("169.254.169.254"));
    check(&["169.254.169.254:80", "10.0.0.1:80"], &["10.0.0.0/8"], Ok(&["10.0.0.1:80"]));
    check(&[], &[], Ok(&[]));
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date_and_bounded() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let check = |text: &'static str, expected: Option<u64>| {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(text))]);
        assert_eq!(retry_after(&headers, now).map(|wait| wait.as_secs()), expected, "{text:?}");
    };
    check("120", Some(120));
    check("0", Some(0));
    check("86400", Some(3_600));
    check("18446744073709551615", Some(3_600));
    check("-1", None);
    check("soon", None);
    check("Sun, 06 Nov 1994 08:50:37 GMT", Some(60));
    check("Sun, 06 Nov 1994 07:00:00 GMT", Some(0));
    check("Sat, 06 Nov 2094 08:50:37 GMT", Some(3_600));
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}

#[test]
fn a_url_that_cannot_be_posted_to_is_refused_without_being_repeated() {
    let check = |url: &str, allow_http: bool, expected: &str| {
        let options =
            TargetOptions { allow_http, allow: &[], authorities: Some(""), timeout: Duration::from_secs(1) };
        let refused = Target::new(url, &options).err().unwrap_or_default();
        assert!(refused.contains(expected) && !refused.contains("hunter2"), "{url}: {refused}");
    };
    check("http://hook.example/hunter2", false, "allow_http = true");
    check("ftp://hook.example/hunter2", true, "begins with https://");
    check("hook.example/hunter2", true, "cannot be read");
    check("/hunter2", true, "begins with https://");
    check("", true, "cannot be read");
    check("https://hook.example/hun ter2", true, "cannot be read");
    check("https://user:hunter2@hook.example/", true, "user or password");
    check("https://hook.example/hunter2", false, "no certificate of an authority");
}
