//! Lines of the relay, details that operators register, and the words of routes and rules.

use netext_protocol::PhysicalDetails;

use crate::model::{Route, RuleWords};
use crate::proxy::fleet::Fleet;
use crate::proxy::remote::HostAddress;
use crate::relay::{self, PROTOCOL, RelayLineError, RelayReply, RelayRequest};

/// Asserts that an error can be shown to people: one line of a bounded length.
fn assert_is_one_line(message: &str, longest: usize) {
    assert!(!message.chars().any(char::is_control), "an error has control characters: {message:?}");
    assert!(message.len() < longest, "an error is too long: {message}");
}

/// A line of the relay is read as it would be written again, and names its executable.
pub fn relay_line(line: &[u8]) {
    match relay::from_line::<RelayRequest>(line) {
        Ok(request) => {
            let written = relay::to_line(&request);
            assert_eq!(relay::from_line::<RelayRequest>(written.as_bytes()).ok(), Some(request), "{written}");
            assert!(relay::is_reply(written.as_bytes()) && written.lines().count() == 1, "{written}");
        }
        Err(RelayLineError::Incompatible { protocol, .. }) => assert_ne!(protocol, PROTOCOL),
        Err(error @ RelayLineError::Malformed(_)) => assert!(error.to_string().len() < 1000, "{error}"),
    }
    if let Ok(reply) = relay::from_line::<RelayReply>(line) {
        let written = relay::to_line(&reply);
        let again = relay::from_line::<RelayReply>(written.as_bytes()).expect("what was written can be read");
        assert_eq!(relay::to_line(&again), written);
        assert_eq!(relay::identity(line).map(|identity| identity.protocol), Some(PROTOCOL));
    }
}

/// Registered details are refused in one line, or name hosts that neither ssh nor a shell can misread.
pub fn registered_details(json: &[u8]) {
    let Ok(details) = serde_json::from_slice::<PhysicalDetails>(json) else { return };
    match Fleet::registered(&details, "acme", None) {
        Ok(fleet) => {
            let hosts = fleet.hosts.iter().map(HostAddress::as_str);
            for word in hosts.chain([fleet.login.user.as_str(), fleet.path.as_str()]) {
                let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._-:/@%+~".contains(sign);
                assert!(!word.starts_with('-') && word.chars().all(is_plain), "{word:?}");
            }
        }
        Err(error) => assert_is_one_line(&error.to_string(), 1000),
    }
}

/// The words of a route or a rule are refused in one line, or mean the same when they are written again.
pub fn routing_words(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match text.parse::<Route>() {
        Ok(route) => assert_eq!(route.to_string().parse::<Route>().ok(), Some(route), "{text:?}"),
        Err(error) => assert_is_one_line(&error.to_string(), 1000),
    }
    match text.parse::<RuleWords>() {
        Ok(RuleWords { rule, .. }) => {
            let again = rule.to_string().parse::<RuleWords>().map(|words| words.rule);
            assert_eq!(again.ok(), Some(rule), "{text:?}");
        }
        Err(error) => assert_is_one_line(&error.to_string(), 1000),
    }
}
