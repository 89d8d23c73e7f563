//! The property of payload files. The fuzz target calls it with random input, a test with the committed inputs.

use netext_protocol::{Command, Envelope};

/// Every payload file is either refused in one line, or read into a request that survives being written.
///
/// The first byte selects the command; the rest is the file.
pub(crate) fn payload_file(input: &[u8]) {
    let Some((&selector, file)) = input.split_first() else { return };
    let command = Command::ALL[usize::from(selector) % Command::ALL.len()];
    match Envelope::parse(command, file) {
        Ok(envelope) => {
            assert_eq!(envelope.request.command(), command);
            let written = envelope.to_json();
            let again = Envelope::parse(command, written.as_bytes());
            assert_eq!(again, Ok(envelope), "{written}");
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.chars().any(char::is_control), "{message:?}");
            assert!(message.starts_with(command.name()) && message.len() < 2000, "{message}");
        }
    }
}
