//! Reading routes and rules as people write them for `ip route` and `ip rule`, word by word.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Longer lines are not written by hand.
const LONGEST: usize = 400;

/// Why a route or a rule was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// It is not a line of words.
    #[error("expected some words in one line of at most {LONGEST} bytes")]
    NoLine,
    /// A word that is not understood here.
    #[error("the word {word:?} is not understood here; known are {known}")]
    Unknown {
        /// The word.
        word: String,
        /// The words that would be.
        known: &'static str,
    },
    /// A word has no value.
    #[error("{word} needs {expected} after it")]
    NoValue {
        /// The word.
        word: &'static str,
        /// The values that it accepts.
        expected: &'static str,
    },
    /// A word has a value that it cannot have.
    #[error("{word} {value:?}: expected {expected}")]
    Value {
        /// The word.
        word: &'static str,
        /// Its value.
        value: String,
        /// The values that it accepts.
        expected: &'static str,
    },
    /// A prefix with bits beyond its length.
    #[error("{given} has bits beyond its prefix length; its network is {network}")]
    HostBits {
        /// As it was given.
        given: IpNet,
        /// The network.
        network: IpNet,
    },
    /// A word is given twice.
    #[error("{word} is given twice")]
    Twice {
        /// The word.
        word: &'static str,
    },
    /// IPv4 and IPv6 in one.
    #[error("IPv4 and IPv6 cannot be mixed")]
    MixedFamilies,
    /// A route that leads nowhere.
    #[error("a route to {0} needs a gateway (via) or an interface (dev)")]
    NoWay(IpNet),
    /// A word that has no meaning where packets are dropped.
    #[error("{word} has no meaning in a route that leads nowhere")]
    Meaningless {
        /// The word.
        word: &'static str,
    },
}

/// A line of words that is read from left to right.
pub(super) struct WordReader<'t>(std::iter::Peekable<std::str::SplitAsciiWhitespace<'t>>);

impl<'t> WordReader<'t> {
    pub(super) fn of(text: &'t str) -> Result<Self, WordError> {
        if text.len() > LONGEST || text.chars().any(char::is_control) || text.trim().is_empty() {
            return Err(WordError::NoLine);
        }
        Ok(Self(text.split_ascii_whitespace().peekable()))
    }

    pub(super) fn next(&mut self) -> Option<&'t str> {
        self.0.next()
    }

    pub(super) fn peek(&mut self) -> Option<&'t str> {
        self.0.peek().copied()
    }

    /// The value after `word`, as `read` understands it.
    pub(super) fn value<T>(
        &mut self,
        word: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, WordError> {
        let value = self.next().ok_or(WordError::NoValue { word, expected })?;
        read(value).ok_or_else(|| WordError::Value { word, value: excerpt(value), expected })
    }

    /// Sets a field to the value after `word`, which must not be given twice.
    pub(super) fn set<T>(
        &mut self,
        field: &mut Option<T>,
        word: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<(), WordError> {
        once(field, word, self.value(word, expected, read)?)
    }
}

/// Sets a field that is not set yet.
pub(super) fn once<T>(field: &mut Option<T>, word: &'static str, value: T) -> Result<(), WordError> {
    if field.replace(value).is_some() {
        return Err(WordError::Twice { word });
    }
    Ok(())
}

/// A network, or the network of a single address.
fn network(text: &str) -> Option<IpNet> {
    IpNet::from_str(text).ok().or_else(|| Some(IpNet::from(IpAddr::from_str(text).ok()?)))
}

/// Where packets come from or go.
pub(super) enum AnyOrNetwork {
    Anywhere,
    In(IpNet),
}

impl AnyOrNetwork {
    /// `default`, `all` and `any` mean the same.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "default" | "all" | "any" => Some(Self::Anywhere),
            text => network(text).map(Self::In),
        }
    }

    pub(super) fn network(self) -> Option<IpNet> {
        match self {
            Self::Anywhere => None,
            Self::In(network) => Some(network),
        }
    }
}

/// The network, if it has no bits beyond its prefix length.
pub(super) fn without_host_bits(given: IpNet) -> Result<IpNet, WordError> {
    let network = given.trunc();
    if network == given { Ok(given) } else { Err(WordError::HostBits { given, network }) }
}

/// A number, in decimal or with `0x` before it.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        // Rust takes a sign, too.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// Untrusted text, short enough for a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Whether these addresses are of IPv6, if any is given. They must be of one family.
pub(super) fn family(is_ipv6: impl IntoIterator<Item = Option<bool>>) -> Result<Option<bool>, WordError> {
    let mut families = is_ipv6.into_iter().flatten();
    let Some(first) = families.next() else { return Ok(None) };
    if families.all(|family| family == first) { Ok(Some(first)) } else { Err(WordError::MixedFamilies) }
}
