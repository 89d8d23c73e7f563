//! The payload file.

use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

use crate::DeviceError;

/// The largest payload that is read: 256 MiB.
pub const MAX_PAYLOAD_BYTES: u64 = 256 << 20;

/// Opens what the payload argument names.
pub(super) type Open = Box<dyn FnOnce(&Path) -> io::Result<Box<dyn Read>> + Send>;

/// Reads the payload, once: the file holds credentials, and the server deletes it afterwards.
pub(super) fn read(open: Open, path: &Path) -> Result<Vec<u8>, DeviceError> {
    let unreadable = |error: io::Error| {
        DeviceError::invalid(format!("cannot read the payload file {}", path.display())).with_source(error)
    };
    // Most payloads come in with one read.
    let mut payload = Vec::with_capacity(16 * 1024);
    let mut limited = open(path).map_err(unreadable)?.take(MAX_PAYLOAD_BYTES + 1);
    limited.read_to_end(&mut payload).map_err(unreadable)?;
    if payload.len() as u64 > MAX_PAYLOAD_BYTES {
        return Err(DeviceError::invalid(format!(
            "the payload file {} is larger than {} MiB",
            path.display(),
            MAX_PAYLOAD_BYTES >> 20
        )));
    }
    if let Err(error) = std::str::from_utf8(&payload) {
        return Err(DeviceError::invalid(format!(
            "the payload file {} is not UTF-8 at byte {}",
            path.display(),
            error.valid_up_to()
        )));
    }
    Ok(payload)
}

/// What a payload is about, for the log: numbers only, so that no foreign text gets there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) network: Option<u64>,
    pub(super) vpc: Option<u64>,
}

impl Subject {
    /// Looks for the ids only. The payload may be malformed; saying so is the handler's affair.
    pub(super) fn of(payload: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Ids<'a> {
            #[serde(borrow)]
            network_id: Option<Id<'a>>,
            #[serde(borrow)]
            vpc_id: Option<Id<'a>>,
        }

        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Id<'a> {
            Number(u64),
            Text(&'a str),
        }

        impl Id<'_> {
            fn number(&self) -> Option<u64> {
                match self {
                    Self::Number(number) => Some(*number),
                    Self::Text(text) => text.parse().ok(),
                }
            }
        }

        #[derive(Deserialize)]
        struct Payload<'a> {
            #[serde(borrow)]
            payload: Option<Ids<'a>>,
            #[serde(borrow, flatten)]
            flat: Ids<'a>,
        }

        let Ok(Payload { payload, flat }) = serde_json::from_slice(payload) else { return Self::default() };
        let ids = payload.unwrap_or(flat);
        Self {
            network: ids.network_id.as_ref().and_then(Id::number),
            vpc: ids.vpc_id.as_ref().and_then(Id::number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from<R: Read + Send + 'static>(source: io::Result<R>) -> Result<Vec<u8>, String> {
        let open: Open = Box::new(|_| Ok(Box::new(source?)));
        read(open, Path::new("/tmp/payload.json")).map_err(|error| {
            assert_eq!(error.exit_code(), 1);
            error.report()
        })
    }

    #[test]
    fn a_payload_that_cannot_be_read_is_refused_by_name() {
        let missing: io::Result<&[u8]> = Err(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(
            read_from(missing).unwrap_err(),
            "cannot read the payload file /tmp/payload.json: entity not found"
        );
        assert_eq!(
            read_from(Ok(&b"{\"a\":\"\xff\"}"[..])).unwrap_err(),
            "the payload file /tmp/payload.json is not UTF-8 at byte 6"
        );
    }

    #[test]
    fn a_payload_is_read_up_to_the_limit_and_no_further() {
        assert_eq!(
            read_from(Ok(io::repeat(b' '))).unwrap_err(),
            "the payload file /tmp/payload.json is larger than 256 MiB"
        );
        let largest = read_from(Ok(io::repeat(b' ').take(MAX_PAYLOAD_BYTES))).unwrap();
        assert_eq!(largest.len() as u64, MAX_PAYLOAD_BYTES);
    }

    #[test]
    fn the_ids_are_found_in_every_form_of_payload() {
        let subject = |network, vpc| Subject { network, vpc };
        for (payload, expected) in [
            (
                r#"{"payload":{"network_id":"209","vpc_id":7,"rules":[{"x":1}]},"a":{}}"#,
                subject(Some(209), Some(7)),
            ),
            (r#"{"network_id":209,"action":"dump","action-params":{}}"#, subject(Some(209), None)),
            (r#"{"vpc_id":"7","action":"dump"}"#, subject(None, Some(7))),
            (r#"{"payload":{"network_id":"hunter2"}}"#, subject(None, None)),
            ("not JSON", subject(None, None)),
        ] {
            assert_eq!(Subject::of(payload.as_bytes()), expected, "{payload}");
        }
    }
}
