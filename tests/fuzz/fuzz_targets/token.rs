//! Tokens, as people paste them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provisioning::Token;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(token) = Token::parse(text) {
        assert_eq!(Token::parse(&token.to_text()).expect("its own text parses").node_name, token.node_name);
    }
});
