//! Values of DHCP options that cannot be read as anything else.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::{DomainName, HostName};
use serde::{Deserialize, Serialize};

/// The value of a DHCP option, as dnsmasq's file of options has it: digits, dots, colons and commas, or words of a small
/// alphabet where dnsmasq needs text.
///
/// ```
/// use netext_namespace::model::OptionValue;
///
/// assert_eq!(OptionValue::parse(26, "1400")?.to_string(), "05:78");
/// assert_eq!(OptionValue::parse(42, "10.1.1.2, 10.1.1.3")?.to_string(), "10.1.1.2,10.1.1.3");
/// assert_eq!(OptionValue::parse(121, "10.9.0.0/16,10.1.1.9")?.to_string(), "10:0a:09:0a:01:01:09");
/// assert!(OptionValue::parse(15, "example.com\ndhcp-script=/tmp/x").is_err());
/// # Ok::<(), netext_namespace::model::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OptionValue(String);

/// An option that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOption {
    /// It is a part of the DHCP protocol itself.
    #[error("DHCP option {number} cannot be set: client and server negotiate it")]
    Reserved {
        /// The option.
        number: u8,
    },
    /// Its value is not valid for the option.
    #[error("DHCP option {number} cannot be {value:?}: expected {expected}")]
    Value {
        /// The option.
        number: u8,
        /// The value, shortened.
        value: String,
        /// The values that it accepts.
        expected: &'static str,
    },
    /// A stored value is not valid.
    #[error("{0:?} is not the stored value of a DHCP option")]
    Stored(String),
}

/// How much of a wrong value an error quotes.
const QUOTE: usize = 60;
/// An option's length is one byte.
const LONGEST: usize = 255;

pub(crate) fn joined<T: ToString>(items: &[T], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// The kind of value that an option has, by RFC 2132 and its successors.
#[derive(Clone, Copy)]
enum OptionKind {
    Addresses,
    /// Text that dnsmasq accepts as it is.
    Text,
    /// Text that dnsmasq also accepts as bytes.
    FreeText,
    Domains,
    Flag,
    Number(usize),
    Routes,
    Bytes,
}

impl OptionKind {
    /// `None` for options that only the server sets.
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            // Padding and end, netmask, overload, message type, server, lease times, rapid commit, relay; and options
            // that only clients send: classes, id, architecture.
            0 | 1 | 50..=61 | 77 | 80..=82 | 93 | 94 | 97 | 255 => return None,
            3..=11 | 16 | 28 | 32 | 41 | 42 | 44 | 45 | 48 | 49 | 65 | 68..=76 | 150 => Self::Addresses,
            12 | 15 | 17 | 18 | 40 | 64 | 66 | 67 | 100 | 101 => Self::Text,
            14 | 47 | 62 | 114 | 209 | 210 | 252 => Self::FreeText,
            19 | 20 | 27 | 29 | 30 | 31 | 34 | 36 | 39 | 116 => Self::Flag,
            23 | 37 | 46 => Self::Number(1),
            13 | 22 | 26 => Self::Number(2),
            2 | 24 | 35 | 38 | 108 | 211 => Self::Number(4),
            119 => Self::Domains,
            121 | 249 => Self::Routes,
            _ => Self::Bytes,
        })
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Addresses => "IPv4 addresses separated by commas",
            Self::Text => "text of letters, digits and any of -_.:/@+=~, at most 255 characters",
            Self::FreeText => "printable ASCII text, at most 255 characters",
            Self::Domains => "domain names separated by commas",
            Self::Flag => "true or false",
            Self::Number(1) => "a number from 0 to 255",
            Self::Number(2) => "a number from 0 to 65535",
            Self::Number(_) => "a number from 0 to 4294967295",
            Self::Routes => "pairs of a network and its router, such as 10.9.0.0/16,10.1.1.9",
            Self::Bytes => "bytes in hexadecimal, such as 01:0a:ff",
        }
    }

    /// The value as dnsmasq reads it.
    fn encode(self, value: &str) -> Option<String> {
        match self {
            Self::Addresses => {
                let addresses = list(value, |item| item.parse().ok())?;
                // dnsmasq replaces 0.0.0.0 by its own address.
                let sound = |address: &Ipv4Addr| !address.is_unspecified();
                let fits = addresses.len() <= LONGEST / 4 && addresses.iter().all(sound);
                fits.then(|| joined(&addresses, ","))
            }
            Self::Text => is_plain_text(value).then(|| value.to_owned()),
            Self::FreeText => {
                let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                hexadecimal(value.as_bytes()).filter(|_| printable)
            }
            Self::Domains => {
                let names = list(value, |item| item.parse::<DomainName>().ok())?;
                let names = joined(&names, ",");
                (names.len() <= LONGEST).then_some(names)
            }
            Self::Flag => match value.to_ascii_lowercase().as_str() {
                "true" | "1" => Some("1".to_owned()),
                "false" | "0" => Some("0".to_owned()),
                _ => None,
            },
            Self::Number(width) => {
                let number = value.parse::<u32>().ok()?.to_be_bytes();
                let (above, within) = number.split_at(number.len() - width);
                hexadecimal(within).filter(|_| above.iter().all(|byte| *byte == 0))
            }
            Self::Routes => routes(value),
            Self::Bytes => {
                let byte = |pair: &str| {
                    let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
                    u8::from_str_radix(pair, 16).ok().filter(|_| digits)
                };
                hexadecimal(&value.split(':').map(byte).collect::<Option<Vec<_>>>()?)
            }
        }
    }
}

impl OptionValue {
    /// Parses the value of an option by its number. Options of an unknown kind accept bytes in hexadecimal.
    pub fn parse(number: u8, value: &str) -> Result<Self, InvalidOption> {
        let kind = OptionKind::of(number).ok_or(InvalidOption::Reserved { number })?;
        let encoded = kind.encode(value.trim_matches(' '));
        encoded.map(Self).ok_or_else(|| InvalidOption::Value {
            number,
            value: value.chars().take(QUOTE).collect(),
            expected: kind.expected(),
        })
    }

    /// The value of option 12.
    pub(crate) fn host_name(name: &HostName) -> Self {
        Self(name.to_string())
    }
}

impl fmt::Display for OptionValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for OptionValue {
    type Error = InvalidOption;

    /// A value that [`OptionValue::parse`] wrote before.
    fn try_from(stored: String) -> Result<Self, InvalidOption> {
        let is_ours = !stored.is_empty() && stored.bytes().all(|byte| byte == b',' || is_plain(byte));
        if is_ours { Ok(Self(stored)) } else { Err(InvalidOption::Stored(stored)) }
    }
}

impl From<OptionValue> for String {
    fn from(value: OptionValue) -> Self {
        value.0
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/@+=~".contains(&byte)
}

fn is_plain_text(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain)
}

fn list<T>(value: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split(',').map(|text| item(text.trim_matches(' '))).collect()
}

/// A single byte is written as a number: dnsmasq recognises bytes by their colons.
fn hexadecimal(bytes: &[u8]) -> Option<String> {
    match bytes {
        [] => None,
        [byte] => Some(byte.to_string()),
        _ if bytes.len() > LONGEST => None,
        _ => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")),
    }
}

/// RFC 3442: the length of the prefix, its significant bytes, the router.
fn routes(value: &str) -> Option<String> {
    let words = list(value, |item| Some(item.to_owned()))?;
    let mut bytes = Vec::new();
    for pair in words.chunks(2) {
        let [network, router] = pair else { return None };
        let (network, router): (Ipv4Net, Ipv4Addr) = (network.parse().ok()?, router.parse().ok()?);
        let significant = usize::from(network.prefix_len().div_ceil(8));
        bytes.push(network.prefix_len());
        bytes.extend(network.network().octets().iter().take(significant));
        bytes.extend(router.octets());
    }
    hexadecimal(&bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_accepts_its_values() {
        for (number, value, encoded) in [
            (3, "10.1.1.254", "10.1.1.254"),
            (6, "10.1.1.1,8.8.8.8", "10.1.1.1,8.8.8.8"),
            (12, "web-1", "web-1"),
            (19, "true", "1"),
            (23, "64", "64"),
            (24, "300", "00:00:01:2c"),
            (26, "9000", "23:28"),
            (62, "a, \"b\"", "61:2c:20:22:62:22"),
            (67, "pxe/boot.0", "pxe/boot.0"),
            (119, "a.example, b.example", "a.example,b.example"),
            (121, "0.0.0.0/0,10.1.1.1", "00:0a:01:01:01"),
            (224, "ff", "255"),
            (225, "de:AD:be:ef", "de:ad:be:ef"),
        ] {
            assert_eq!(OptionValue::parse(number, value).unwrap().to_string(), encoded, "option {number}");
        }
    }

    #[test]
    fn invalid_values_are_refused_with_the_number_of_the_option() {
        for (number, value) in [
            (3, "10.1.1.1;reboot"),
            (3, "0.0.0.0"),
            (12, "a,b"),
            (12, ""),
            (15, "x\nport=0"),
            (15, "x#y"),
            (17, "\"quoted\""),
            (26, "65536"),
            (26, "-1"),
            (23, "0x40"),
            (66, "a b"),
            (67, "back\\slash"),
            (62, "bell\u{7}"),
            (119, "a..b"),
            (121, "10.0.0.0/8"),
            (121, "10.0.0.0/33,10.1.1.1"),
            (224, "text"),
            (224, "+f:00"),
        ] {
            let refused = OptionValue::parse(number, value).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("DHCP option {number} cannot be ")), "{refused}");
        }
        let refused = OptionValue::parse(53, "1").unwrap_err().to_string();
        assert!(refused.contains("option 53") && refused.contains("negotiate"), "{refused}");
        assert!(OptionValue::try_from("a\nb".to_owned()).is_err());
    }

    proptest! {
        #[test]
        fn accepted_values_stay_in_their_line(number in 0u8.., value in "\\PC{0,40}|[ -~\n\r\0]{0,300}") {
            if let Ok(taken) = OptionValue::parse(number, &value) {
                let line = taken.to_string();
                prop_assert!(line.bytes().all(|byte| byte == b',' || is_plain(byte)), "{:?}", line);
                prop_assert!(line.len() < 1000);
                prop_assert_eq!(OptionValue::try_from(line).unwrap(), taken);
            }
        }
    }
}
