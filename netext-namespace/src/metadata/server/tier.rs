//! One guest network, and what its guests are answered.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use netext_protocol::{Secret, SecretBytes};

use super::path::{Answer, Question};
use crate::metadata::{Instances, MetadataError};

/// What is asked for on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// Metadata and user data.
    Metadata,
    /// The password protocol.
    Password,
}

impl Port {
    pub(super) const ALL: [Self; 2] = [Self::Metadata, Self::Password];

    pub(super) fn number(self) -> u16 {
        match self {
            Self::Metadata => 80,
            Self::Password => 8080,
        }
    }
}

/// One guest network.
#[derive(Debug)]
pub(super) struct Tier {
    instances: Instances,
    handed_out: HandedOut,
}

impl Tier {
    pub(super) fn new(instances: Instances) -> Arc<Self> {
        Arc::new(Self { instances, handed_out: HandedOut::default() })
    }

    /// Answers a guest, who is known by its address and by nothing that it says.
    pub(super) async fn respond<B>(
        &self,
        port: Port,
        guest: Ipv4Addr,
        request: Request<B>,
    ) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = response(StatusCode::METHOD_NOT_ALLOWED, Bytes::new());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let answer = match port {
            Port::Metadata => self.metadata(guest, request.uri().path()),
            Port::Password => self.password(guest, request.headers()).await.map(Some),
        };
        match answer {
            Ok(Some(content)) => response(StatusCode::OK, content),
            Ok(None) => response(StatusCode::NOT_FOUND, Bytes::from_static(b"not found\n")),
            Err(error) => {
                tracing::error!(%guest, %error, "cannot answer");
                response(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())
            }
        }
    }

    fn metadata(&self, guest: Ipv4Addr, path: &str) -> Result<Option<Bytes>, MetadataError> {
        let Some(question) = Question::of(path) else { return Ok(None) };
        let instance = self.instances.read(guest)?;
        Ok(instance.and_then(|instance| question.answer(&instance)).map(|answer| match answer {
            Answer::Listing(names) => names.into(),
            Answer::Content(content) => wiped(content),
        }))
    }

    /// The password protocol: a password is handed out until the guest says that it has saved it.
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

    /// Waits for the disk, and for commands that change the guest network's data, on another thread.
    async fn forget_password(&self, guest: Ipv4Addr) -> Result<(), MetadataError> {
        let instances = self.instances.clone();
        let is_another = self.handed_out.forget(guest);
        let wiped = tokio::task::spawn_blocking(move || instances.forget_password(guest, is_another)).await;
        wiped.unwrap_or_else(|error| {
            let wait = MetadataError::io("wipe a password in", self.instances.folder());
            Err(wait(std::io::Error::other(error)))
        })
    }
}

/// Which passwords guests have seen: digests under a key of this process, not the passwords.
#[derive(Debug, Default)]
struct HandedOut {
    key: RandomState,
    digests: Mutex<HashMap<Ipv4Addr, u64>>,
}

impl HandedOut {
    fn digests(&self) -> MutexGuard<'_, HashMap<Ipv4Addr, u64>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a password; true if it is not the last one.
    fn remember(&self, guest: Ipv4Addr, password: &Secret) -> bool {
        let digest = self.key.hash_one(password.expose());
        self.digests().insert(guest, digest) != Some(digest)
    }

    /// Forgets the guest's password, and tells whether one is another than that. If none was handed out, as far
    /// as this process knows, it was handed out before this process started.
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

/// The bytes of a secret, which are wiped when the response is through.
fn wiped(secret: SecretBytes) -> Bytes {
    struct Exposed(SecretBytes);

    impl AsRef<[u8]> for Exposed {
        fn as_ref(&self) -> &[u8] {
            self.0.expose()
        }
    }

    Bytes::from_owner(Exposed(secret))
}
