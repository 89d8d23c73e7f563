//! The failures that are known.

use std::collections::BTreeSet;

use super::Check;

/// The checks that an extension is known to fail: a baseline that is strict both ways. A failure that is not
/// listed fails the run, and so does a check that is listed and holds.
///
/// ```
/// use netext_core::testing::conformance::Expected;
///
/// let expected: Expected = "absent-deletes\nrepeated-commands  # until the controller's next release".parse()?;
/// assert_eq!(expected.iter().collect::<Vec<_>>(), ["absent-deletes", "repeated-commands"]);
/// # Ok::<(), netext_core::testing::conformance::UnknownCheck>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected(BTreeSet<&'static str>);

/// A word in the list that is no check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {word:?} is not the id of a check")]
pub struct UnknownCheck {
    line: usize,
    word: String,
}

impl Expected {
    /// The ids of the checks that are expected to fail.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    pub(super) fn contains(&self, check: &Check) -> bool {
        self.0.contains(check.id)
    }
}

impl std::str::FromStr for Expected {
    type Err = UnknownCheck;

    /// Reads a list: an id in a line, comments behind `#`.
    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        let mut expected = BTreeSet::new();
        for (written, line) in text.lines().zip(1..) {
            let word = written.split('#').next().unwrap_or_default().trim();
            if word.is_empty() {
                continue;
            }
            let check = Check::all().find(|check| check.id == word);
            expected.insert(check.ok_or_else(|| UnknownCheck { line, word: word.to_owned() })?.id);
        }
        Ok(Self(expected))
    }
}
