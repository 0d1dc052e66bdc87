use proptest::prelude::*;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect(text)
}

#[test]
fn only_addresses_of_the_public_internet_are_global() {
    let check = |texts: &[&str], expected| {
        for text in texts {
            assert_eq!(is_global(address(text)), expected, "{text}");
        }
    };
    check(
        &[
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ],
        false,
    );
    check(
        &[
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
        ],
        true,
    );
    check(
        &[
            "::",
            "::1",
            "::10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.1.2.3",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "1fff::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ],
        false,
    );
    check(
        &[
            "2000::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ],
        true,
    );
}

#[test]
fn a_network_that_is_allowed_may_be_gone_to_and_no_other() {
    let allowed =
        ["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap(), "192.168.7.9".parse().unwrap()];
    let check = |text, expected| assert_eq!(may_go_to(address(text), &allowed), expected, "{text}");
    check("10.1.255.255", true);
    check("::ffff:10.1.2.3", true);
    check("10.2.0.0", false);
    check("fd12::1", true);
    check("fd13::1", false);
    check("192.168.7.9", true);
    check("192.168.7.8", false);
    check("8.8.8.8", true);
    assert!(may_go_to(address("127.0.0.1"), &["0.0.0.0/0".parse().unwrap()]));
    assert!(!may_go_to(address("::1"), &["0.0.0.0/0".parse().unwrap()]));
    assert!(may_go_to(address("::1"), &["::/0".parse().unwrap()]));
}

#[test]
fn what_is_no_network_is_refused() {
    for text in [
        "",
        "10.1.0.0/33",
        "10.1.2.3/16",
        "10.1/16",
        "::/129",
        "fd12::1/16",
        "a/8",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "::ffff:10.0.0.0/104",
    ] {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn an_address_mapped_into_ipv6_is_judged_as_what_it_is(bits: u32, network: u32, width in 0_u32..=32) {
        let plain = Ipv4Addr::from_bits(bits);
        let mapped = IpAddr::V6(plain.to_ipv6_mapped());
        prop_assert_eq!(is_global(mapped), is_global(IpAddr::V4(plain)));
        let first = network & u32::MAX.checked_shl(32 - width).unwrap_or(0);
        let network: Network = format!("{}/{width}", Ipv4Addr::from_bits(first)).parse().expect("a network");
        prop_assert_eq!(network.contains(mapped), network.contains(IpAddr::V4(plain)));
        prop_assert!(network.contains(IpAddr::V4(Ipv4Addr::from_bits(first))));
    }

    #[test]
    fn outside_global_unicast_no_ipv6_address_is_global(bits: u128) {
        let address = Ipv6Addr::from_bits(bits);
        let unicast = bits >> 125 == 1;
        prop_assert!(unicast || address.to_ipv4_mapped().is_some() || !is_global(IpAddr::V6(address)));
    }
}
