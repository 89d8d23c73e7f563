//! Why instance data could not be read or changed.

use std::io;
use std::path::{Path, PathBuf};

use super::InvalidEntry;
use super::instance::{FORMAT, Unreadable};

/// Why instance data could not be read or changed. It never shows a content.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A payload's entry does not fit; nothing was changed.
    #[error(transparent)]
    Refused(#[from] InvalidEntry),
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A document cannot be understood.
    #[error(
        "{} is damaged at line {line}, column {column}; restart the network with cleanup to have the instance's data \
         sent again",
        path.display()
    )]
    Damaged {
        /// The document.
        path: PathBuf,
        /// The line of the first defect, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// A document was written by a later version of this program.
    #[error(
        "{} was written by a newer version (format {found}, this one knows {FORMAT}); install that version again",
        path.display()
    )]
    Newer {
        /// The document.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl MetadataError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(super) fn unreadable(path: &Path) -> impl FnOnce(Unreadable) -> Self {
        let path = path.to_owned();
        move |why| match why {
            Unreadable::Damaged { line, column } => Self::Damaged { path, line, column },
            Unreadable::Newer { format } => Self::Newer { path, found: format },
        }
    }
}
