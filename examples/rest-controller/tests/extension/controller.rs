//! A controller: a real HTTPS server with the failures of real controllers.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

pub(crate) const TOKEN: &str = "t0ken-of-today";

/// The failure of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is accepted and closed.
    ClosesAtOnce,
    /// The connection ends before the request is done.
    LosesTheRequest,
    /// The connection ends after the request is done, without an answer.
    LosesTheAnswer,
    /// The connection stays open without an answer.
    NeverAnswers,
    /// A status, and the value of Retry-After.
    Answers(u16, Option<&'static str>),
    /// A redirect to another server.
    Redirects(&'static str),
}

/// A controller on its own port; it ends with the test.
pub(crate) struct Controller {
    url: &'static str,
    ca: String,
    world: Arc<World>,
    _runtime: Runtime,
}

#[derive(Default)]
struct World {
    troubles: Mutex<VecDeque<Trouble>>,
    things: Mutex<BTreeMap<String, Value>>,
    requests: Mutex<u32>,
}

impl Controller {
    pub(crate) fn new() -> Self {
        let (ca, tls) = identity();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        // The few URLs of a test may leak.
        let url = format!("https://127.0.0.1:{}/v1", listener.local_addr().unwrap().port()).leak();
        let world = Arc::new(World::default());
        runtime.spawn(serve(listener, tls, Arc::clone(&world)));
        Self { url, ca, world, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> &'static str {
        self.url
    }

    /// Its certificate authority, in PEM.
    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }

    /// Lets the next requests fail, one by each trouble; later ones succeed.
    pub(crate) fn meets_with(&self, troubles: impl IntoIterator<Item = Trouble>) {
        *held(&self.world.troubles) = troubles.into_iter().collect();
    }

    /// The object at a path.
    pub(crate) fn at(&self, path: &str) -> Option<Value> {
        held(&self.world.things).get(path).cloned()
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> u32 {
        *held(&self.world.requests)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// A certificate for 127.0.0.1 by its own authority.
fn identity() -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);

    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (ca, TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, world: Arc<World>) {
    while let Ok((connection, _)) = listener.accept().await {
        let closes = {
            let mut troubles = held(&world.troubles);
            let closes = troubles.front() == Some(&Trouble::ClosesAtOnce);
            if closes {
                troubles.pop_front();
            }
            closes
        };
        if !closes {
            tokio::spawn(talk(connection, tls.clone(), Arc::clone(&world)));
        }
    }
}

async fn talk(connection: TcpStream, tls: TlsAcceptor, world: Arc<World>) {
    let Ok(connection) = tls.accept(connection).await else { return };
    let service = service_fn(|request| answer(request, &world));
    // The client notices a broken connection.
    let _ =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

/// An error ends the connection without an answer.
async fn answer(request: Request<Incoming>, world: &World) -> Result<Response<Full<Bytes>>, &'static str> {
    *held(&world.requests) += 1;
    let trouble = held(&world.troubles).pop_front();
    match trouble {
        Some(Trouble::LosesTheRequest) => Err("lost"),
        Some(Trouble::NeverAnswers) => std::future::pending::<Result<_, Infallible>>().await.map_err(|_| ""),
        Some(Trouble::Answers(status, when)) => {
            let mut answer = Response::new("no room for networks".into());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            if let Some(when) = when {
                answer.headers_mut().insert(RETRY_AFTER, when.parse().unwrap());
            }
            Ok(answer)
        }
        Some(Trouble::Redirects(url)) => {
            Ok(Response::builder().status(307).header(LOCATION, url).body(Full::default()).unwrap())
        }
        Some(Trouble::LosesTheAnswer) => {
            act(request, world).await;
            Err("lost")
        }
        Some(Trouble::ClosesAtOnce) | None => Ok(act(request, world).await),
    }
}

async fn act(request: Request<Incoming>, world: &World) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let answered = |status, text: String| Response::builder().status(status).body(text.into()).unwrap();
    let authorization = head.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if authorization != format!("Bearer {TOKEN}") {
        return answered(401, format!("who is {authorization}?"));
    }
    let body = body.collect().await.unwrap().to_bytes();
    let mut things = held(&world.things);
    match head.method {
        Method::PUT => match serde_json::from_slice(&body) {
            Ok(thing) => {
                let earlier = things.insert(path, thing);
                answered(if earlier.is_some() { 200 } else { 201 }, String::new())
            }
            Err(error) => answered(400, error.to_string()),
        },
        Method::DELETE => {
            let condition = head.uri.query().and_then(|query| query.split_once('='));
            let holds = |thing: &Value| condition.is_none_or(|(name, value)| thing[name] == value);
            if !things.get(&path).is_some_and(holds) {
                return answered(404, String::new());
            }
            let below = format!("{path}/");
            things.retain(|it, _| *it != path && !it.starts_with(&below));
            answered(204, String::new())
        }
        _ => answered(405, String::new()),
    }
}
