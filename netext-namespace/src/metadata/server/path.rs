//! What a path asks for.

use crate::metadata::{FileName, Instance};
use netext_protocol::SecretBytes;

/// What a guest can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `/`: which versions there are.
    Versions,
    /// `/latest/`: what there is.
    Version,
    /// `/latest/user-data`.
    UserData,
    /// `/latest/meta-data/`: which files there are.
    Files,
    /// `/latest/meta-data/<file>`, or in short `/latest/<file>`.
    File(FileName),
    /// `/latest/meta-data/public-keys`, as CloudStack's guests ask, and the file below it, as those of EC2 do.
    PublicKeys,
    /// `/latest/meta-data/public-keys/`: which keys there are.
    KeyNumbers,
    /// `/latest/meta-data/public-keys/0/`: in which formats.
    KeyFormats,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A listing: a name per line.
    Listing(String),
    /// What the instance was given.
    Content(SecretBytes),
}

/// EC2 has dated versions, and clients that ask for the oldest one that will do. There is but one content.
fn is_version(segment: &str) -> bool {
    let is_date = || {
        segment.len() == 10
            && segment.bytes().enumerate().all(|(index, byte)| match index {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    segment == "latest" || segment == "1.0" || is_date()
}

impl Question {
    /// What a path asks for, if it is one that guests know. Nothing is decoded and nothing is resolved: a path
    /// with an escape, a doubled slash or a dot segment asks for nothing.
    pub fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let (path, slash) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        if path.is_empty() {
            return (!slash).then_some(Self::Versions);
        }
        let mut segments = path.split('/');
        if !segments.next().is_some_and(is_version) {
            return None;
        }
        let segments: Vec<&str> = segments.take(5).collect();
        match segments[..] {
            [] => Some(Self::Version),
            ["user-data"] => Some(Self::UserData),
            ["meta-data"] => Some(Self::Files),
            ["meta-data", ref below @ ..] | ref below => Self::below(below, slash),
        }
    }

    fn below(segments: &[&str], slash: bool) -> Option<Self> {
        match segments {
            ["public-keys"] if slash => Some(Self::KeyNumbers),
            ["public-keys", "0"] => Some(Self::KeyFormats),
            ["public-keys"] | ["public-keys", "0", "openssh-key"] => Some(Self::PublicKeys),
            [file] => file.parse().ok().map(Self::File),
            _ => None,
        }
    }

    /// What an instance is answered; nothing if it was not given that.
    pub fn answer(&self, instance: &Instance) -> Option<Answer> {
        let keys = instance.public_keys.as_ref();
        // An instance without a key is given an empty file. It must not look like a key.
        let has_keys = keys.is_some_and(|keys| !keys.expose().is_empty());
        match self {
            Self::Versions => Some(Answer::Listing("latest/".to_owned())),
            Self::Version => Some(listing(
                ["meta-data/"].into_iter().chain(instance.user_data.as_ref().map(|_| "user-data")),
            )),
            Self::UserData => instance.user_data.clone().map(Answer::Content),
            Self::Files => Some(listing(
                instance.metadata.keys().map(AsRef::as_ref).chain(has_keys.then_some("public-keys/")),
            )),
            Self::File(name) => instance.metadata.get(name).cloned().map(Answer::Content),
            Self::PublicKeys => keys.cloned().map(Answer::Content),
            Self::KeyNumbers => has_keys.then(|| listing(["0=public-key"])),
            Self::KeyFormats => has_keys.then(|| listing(["openssh-key"])),
        }
    }
}

fn listing<'a>(names: impl IntoIterator<Item = &'a str>) -> Answer {
    Answer::Listing(names.into_iter().collect::<Vec<_>>().join("\n"))
}
