//! The responses to the guests of one guest network: metadata by path, and the password protocol.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use netext_core::error_chain;
use netext_protocol::{Secret, SecretBytes};

use crate::files::failed;
use crate::metadata::{InstanceMetadata, Instances, MetadataError, MetadataFileName};

/// How long a guest that acknowledges its password waits for a command that changes the network's metadata.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request for metadata, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataQuery {
    /// `/`: the versions.
    Versions,
    /// `/latest/`: the parts of a version.
    Version,
    /// `/latest/user-data`.
    UserData,
    /// `/latest/meta-data/`: the files.
    Files,
    /// `/latest/meta-data/<file>`, or in short `/latest/<file>`.
    File(MetadataFileName),
    /// `/latest/meta-data/public-keys`, which CloudStack's clients request, and the file below it, which those of EC2
    /// do.
    PublicKeys,
    /// `/latest/meta-data/public-keys/`: the keys.
    KeyNumbers,
    /// `/latest/meta-data/public-keys/0/`: the formats of a key.
    KeyFormats,
}

/// The response to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataResponse {
    /// A listing: a name per line.
    Listing(String),
    /// A content of the instance's metadata.
    Content(SecretBytes),
}

/// EC2 has dated versions, and clients request the oldest one that they can use. Here all versions are the same.
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

impl MetadataQuery {
    /// Parses a path. Nothing is decoded or resolved: a path with an escape, a doubled slash or a dot segment is no
    /// query.
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

    /// The response to an instance; `None` if its metadata lacks that.
    pub fn answer(&self, instance: &InstanceMetadata) -> Option<MetadataResponse> {
        let keys = instance.public_keys.as_ref();
        // The server sends an empty file for an instance without a key. It must not look like a key.
        let has_keys = keys.is_some_and(|keys| !keys.expose().is_empty());
        match self {
            Self::Versions => Some(MetadataResponse::Listing("latest/".to_owned())),
            Self::Version => Some(listing(
                ["meta-data/"].into_iter().chain(instance.user_data.as_ref().map(|_| "user-data")),
            )),
            Self::UserData => instance.user_data.clone().map(MetadataResponse::Content),
            Self::Files => Some(listing(
                instance.metadata.keys().map(AsRef::as_ref).chain(has_keys.then_some("public-keys/")),
            )),
            Self::File(name) => instance.metadata.get(name).cloned().map(MetadataResponse::Content),
            Self::PublicKeys => keys.cloned().map(MetadataResponse::Content),
            Self::KeyNumbers => has_keys.then(|| listing(["0=public-key"])),
            Self::KeyFormats => has_keys.then(|| listing(["openssh-key"])),
        }
    }
}

fn listing<'a>(names: impl IntoIterator<Item = &'a str>) -> MetadataResponse {
    MetadataResponse::Listing(names.into_iter().collect::<Vec<_>>().join("\n"))
}

/// A port of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServicePort {
    /// Metadata and user data.
    Metadata,
    /// The password protocol.
    Password,
}

impl ServicePort {
    pub(super) const ALL: [Self; 2] = [Self::Metadata, Self::Password];

    pub(super) fn number(self) -> u16 {
        match self {
            Self::Metadata => 80,
            Self::Password => 8080,
        }
    }
}

/// Answers the guests of one network.
#[derive(Debug)]
pub(super) struct TierResponder {
    instances: Instances,
    handed_out: HandedOutPasswords,
}

impl TierResponder {
    pub(super) fn new(instances: Instances) -> Arc<Self> {
        Arc::new(Self { instances, handed_out: HandedOutPasswords::default() })
    }

    /// Answers a guest. It is identified by its address only, not by its request.
    pub(super) async fn respond<B>(
        &self,
        port: ServicePort,
        guest: Ipv4Addr,
        request: Request<B>,
    ) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = response(StatusCode::METHOD_NOT_ALLOWED, Bytes::new());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let answer = match port {
            ServicePort::Metadata => self.metadata(guest, request.uri().path()),
            ServicePort::Password => self.password(guest, request.headers()).await.map(Some),
        };
        match answer {
            Ok(Some(content)) => response(StatusCode::OK, content),
            Ok(None) => response(StatusCode::NOT_FOUND, Bytes::from_static(b"not found\n")),
            Err(error) => {
                tracing::error!(%guest, error = %error_chain(&error), "cannot answer");
                response(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())
            }
        }
    }

    fn metadata(&self, guest: Ipv4Addr, path: &str) -> Result<Option<Bytes>, MetadataError> {
        let Some(query) = MetadataQuery::of(path) else { return Ok(None) };
        let instance = self.instances.read(guest)?;
        Ok(instance.and_then(|instance| query.answer(&instance)).map(|response| match response {
            MetadataResponse::Listing(names) => names.into(),
            MetadataResponse::Content(content) => wiped(content),
        }))
    }

    /// The password protocol: a password is handed out until the guest acknowledges it.
    async fn password(&self, guest: Ipv4Addr, headers: &HeaderMap) -> Result<Bytes, MetadataError> {
        const SAVED: Bytes = Bytes::from_static(b"saved_password");
        match headers.get("DomU_Request").map(HeaderValue::as_bytes) {
            Some(b"send_my_password") => {
                let Some(password) = self.unread(guest)? else { return Ok(SAVED) };
                if self.handed_out.remember(guest, &password) {
                    tracing::info!(%guest, "password handed out");
                }
                Ok(wiped(password.into()))
            }
            Some(b"saved_password") => {
                if self.unread(guest)?.is_some() {
                    self.forget_password(guest).await?;
                    tracing::info!(%guest, "password acknowledged");
                }
                Ok(SAVED)
            }
            _ => Ok(Bytes::from_static(b"bad_request")),
        }
    }

    fn unread(&self, guest: Ipv4Addr) -> Result<Option<Secret>, MetadataError> {
        let instance = self.instances.read(guest)?;
        Ok(instance.and_then(|instance| instance.password).map(|password| password.text))
    }

    /// Waits on another thread for the disk, and for commands that change the network's metadata.
    async fn forget_password(&self, guest: Ipv4Addr) -> Result<(), MetadataError> {
        let instances = self.instances.clone();
        let is_another = self.handed_out.forget(guest);
        let wiped = tokio::task::spawn_blocking(move || {
            let mut change = instances.change(Instant::now() + PATIENCE)?;
            change.forget_password(guest, is_another)?;
            change.commit()
        })
        .await;
        wiped.unwrap_or_else(|error| {
            let wiping = failed("remove a password in", self.instances.folder());
            Err(wiping(std::io::Error::other(error)).into())
        })
    }
}

/// The passwords that guests have read: digests under a key of this process, not the passwords.
#[derive(Debug, Default)]
struct HandedOutPasswords {
    key: RandomState,
    digests: Mutex<HashMap<Ipv4Addr, u64>>,
}

impl HandedOutPasswords {
    fn digests(&self) -> MutexGuard<'_, HashMap<Ipv4Addr, u64>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a password; true if it is not the last one.
    fn remember(&self, guest: Ipv4Addr, password: &Secret) -> bool {
        let digest = self.key.hash_one(password.expose());
        self.digests().insert(guest, digest) != Some(digest)
    }

    /// Forgets the guest's password, and returns a test whether a password is another one. If this process handed out
    /// none, the guest read it before this process started.
    fn forget(&self, guest: Ipv4Addr) -> impl FnOnce(&Secret) -> bool + use<> {
        let (key, handed_out) = (self.key.clone(), self.digests().remove(&guest));
        move |now| handed_out.is_some_and(|digest| digest != key.hash_one(now.expose()))
    }
}

fn response(status: StatusCode, content: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The bytes of a secret, which are wiped when the response was sent.
fn wiped(secret: SecretBytes) -> Bytes {
    struct Exposed(SecretBytes);

    impl AsRef<[u8]> for Exposed {
        fn as_ref(&self) -> &[u8] {
            self.0.expose()
        }
    }

    Bytes::from_owner(Exposed(secret))
}
