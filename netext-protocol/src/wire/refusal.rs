//! How the reader refuses a payload: errors name the problem and its place, never a value that may be a
//! secret.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess};
use serde::{Deserialize, Serialize};
use serde_path_to_error::{Path, Segment};

/// Untrusted text in a form that fits a one-line message: quoted, escaped, not too long.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((cut, _)) => format!("{:?}... ({} bytes)", &text[..cut], text.len()),
    }
}

/// The methods of a visitor for the kinds of values that it does not take. serde's own methods would quote
/// the value, and a value in the wrong place may be a secret.
macro_rules! refuse {
    ($de:lifetime, $($kind:ident)*) => { $($crate::wire::refusal::refuse!(@$kind $de);)* };
    (@text $de:lifetime) => {
        fn visit_str<E: ::serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Err($crate::wire::refusal::wrong_kind(&self, "a text"))
        }
    };
    (@number $de:lifetime) => {
        fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Err($crate::wire::refusal::wrong_kind(&self, "a number"))
        }

        fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Err($crate::wire::refusal::wrong_kind(&self, "a number"))
        }

        fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Err($crate::wire::refusal::wrong_kind(&self, "a number"))
        }
    };
    (@flag $de:lifetime) => {
        fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Err($crate::wire::refusal::wrong_kind(&self, "true or false"))
        }
    };
    (@null $de:lifetime) => {
        fn visit_unit<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Err($crate::wire::refusal::wrong_kind(&self, "null"))
        }
    };
    (@list $de:lifetime) => {
        fn visit_seq<A: ::serde::de::SeqAccess<$de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err($crate::wire::refusal::wrong_kind(&self, "a list"))
        }
    };
    (@object $de:lifetime) => {
        fn visit_map<A: ::serde::de::MapAccess<$de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err($crate::wire::refusal::wrong_kind(&self, "an object"))
        }
    };
}
pub(crate) use refuse;

pub(crate) fn wrong_kind<E: de::Error>(expected: &dyn de::Expected, found: &str) -> E {
    struct Shown<'a>(&'a dyn de::Expected);

    impl fmt::Display for Shown<'_> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(formatter)
        }
    }

    E::custom(format_args!("expected {}, found {found}", Shown(expected)))
}

/// The problem of a key that comes twice: readers differ in which of the two they believe.
pub(crate) const GIVEN_TWICE: &str = "given twice";

/// Refuses the entry whose key was read last, so that the error's path ends with that key.
pub(crate) fn refuse_entry<'de, T, A: MapAccess<'de>>(
    entries: &mut A,
    problem: &'static str,
) -> Result<T, A::Error> {
    struct Refusal<T>(&'static str, PhantomData<T>);

    impl<'de, T> DeserializeSeed<'de> for Refusal<T> {
        type Value = T;

        fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<T, D::Error> {
            Err(de::Error::custom(self.0))
        }
    }

    entries.next_value_seed(Refusal(problem, PhantomData))
}

/// One step of the way from the whole file to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum PathStep {
    /// An element of a list.
    Index(usize),
    /// An entry of an object.
    Key(String),
}

impl PathStep {
    pub(crate) fn key(key: &str) -> Self {
        Self::Key(key.to_owned())
    }

    pub(crate) fn all_of(path: &Path) -> Vec<Self> {
        path.iter()
            .filter_map(|segment| match segment {
                Segment::Seq { index } => Some(Self::Index(*index)),
                Segment::Map { key } => Some(Self::key(key)),
                // No type of the protocol is a Rust enum on the wire, and an unknown step leads nowhere.
                Segment::Enum { .. } | Segment::Unknown => None,
            })
            .collect()
    }
}

/// Encloses a path in an error's text. No other message holds this character: untrusted text is escaped.
const MARK: char = '\u{1}';

/// An error at a path inside a text that is parsed on its own. serde's errors are texts, so the path travels
/// as JSON in front of the problem, until [`split_inner`] separates them.
pub(crate) fn inner<E: de::Error>(path: &[PathStep], problem: impl fmt::Display) -> E {
    let path = serde_json::to_string(path).unwrap_or_default();
    E::custom(format_args!("{MARK}{path}{MARK}{problem}"))
}

/// The path inside a text, if there is one, and the problem itself.
pub(crate) fn split_inner(problem: String) -> (Vec<PathStep>, String) {
    let parts = problem.strip_prefix(MARK).and_then(|rest| rest.split_once(MARK));
    match parts.map(|(path, problem)| (serde_json::from_str(path), problem)) {
        Some((Ok(path), problem)) => (path, problem.to_owned()),
        _ => (Vec::new(), problem),
    }
}

/// The message in one line. The position in the file helps with broken JSON only, elsewhere the path says
/// more.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    let message = error.to_string().replace(['\n', '\r'], " ");
    if error.is_data() {
        match message.rfind(" at line ") {
            Some(position) => message[..position].to_owned(),
            None => message,
        }
    } else {
        format!("not JSON: {message}")
    }
}
