//! The controller: idempotent calls, retried until one succeeds.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::time::{Duration, SystemTime};

use netext_core::{Context, Deadline, DeviceError, ErrorKind};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::Serialize;

use crate::backoff::Backoff;
use crate::registration::Registration;

/// How long the controller may take to accept the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The controller, for one command.
pub(crate) struct Controller<'a> {
    registration: Registration,
    client: Client,
    deadline: &'a Deadline,
}

/// Why an attempt failed.
struct Failure {
    kind: ErrorKind,
    message: String,
    retry: Retry,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// Another attempt would fail as well.
    Never,
    Soon,
    /// After the time that the controller asked for.
    After(Duration),
}

impl<'a> Controller<'a> {
    pub(crate) fn of(context: &'a Context) -> Result<Self, DeviceError> {
        let registration = Registration::of(context)?;
        // The token must go nowhere else: no redirect, and no proxy from the server's environment.
        let mut builder = Client::builder()
            .https_only(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("netext/", env!("CARGO_PKG_VERSION")))
            .tls_built_in_root_certs(registration.authorities.is_empty());
        for authority in &registration.authorities {
            builder = builder.add_root_certificate(authority.clone());
        }
        let client = builder.build().map_err(|error| {
            DeviceError::invalid("cannot use the registered `ca` or the system's authorities")
                .with_source(error)
        })?;
        Ok(Self { registration, client, deadline: context.deadline() })
    }

    /// Creates or replaces an object.
    pub(crate) async fn put(&self, path: &str, body: &impl Serialize) -> Result<(), DeviceError> {
        let url = self.url(path);
        self.call(Method::PUT, &url, |request| request.json(body)).await
    }

    /// Deletes an object. Deleting one that does not exist succeeds.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), DeviceError> {
        self.call(Method::DELETE, &self.url(path), |request| request).await
    }

    /// Deletes an object if a field still has this value: deletes may come late.
    pub(crate) async fn delete_if(
        &self,
        path: &str,
        name: &str,
        value: impl ToString,
    ) -> Result<(), DeviceError> {
        let mut url = self.url(path);
        url.query_pairs_mut().append_pair(name, &value.to_string());
        self.call(Method::DELETE, &url, |request| request).await
    }

    /// A URL below the registered one. Paths consist of ids and addresses, which need no escaping.
    fn url(&self, path: &str) -> Url {
        let mut url = self.registration.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    /// Retries until an attempt succeeds, no further attempt can succeed, or the time is over.
    async fn call(
        &self,
        method: Method,
        url: &Url,
        complete: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<(), DeviceError> {
        let what = format!("{method} {url}");
        let mut backoff = Backoff::new(self.deadline);
        while let Some(limit) = backoff.attempt() {
            let request = self.client.request(method.clone(), url.clone()).timeout(limit);
            let request = complete(request).bearer_auth(self.registration.token.expose());
            let failure = tokio::select! {
                answer = request.send() => match self.judge(&method, answer).await {
                    Ok(()) => return Ok(()),
                    Err(failure) => failure,
                },
                () = self.deadline.cancelled() => break,
            };
            let pause = match failure.retry {
                Retry::Never => None,
                Retry::Soon => backoff.pause(None),
                Retry::After(time) => backoff.pause(Some(time)),
            };
            let Some(pause) = pause else {
                let tried =
                    if backoff.attempts > 1 { format!(" {} times", backoff.attempts) } else { String::new() };
                return Err(DeviceError::new(
                    failure.kind,
                    format!("{what} failed{tried}: {}", failure.message),
                )
                .retryable(failure.retry != Retry::Never));
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.deadline.cancelled() => break,
            }
        }
        Err(DeviceError::timed_out(format!("{what}: called off after {} attempts", backoff.attempts)))
    }

    async fn judge(&self, method: &Method, answer: Result<Response, reqwest::Error>) -> Result<(), Failure> {
        let answer = answer.map_err(|error| unanswered(&error))?;
        let status = answer.status();
        let (kind, advice, retry) = match status {
            _ if status.is_success() => return Ok(()),
            StatusCode::NOT_FOUND | StatusCode::GONE if *method == Method::DELETE => return Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                (ErrorKind::Connection, "; is the token registered as `password` still valid?", Retry::Never)
            }
            StatusCode::NOT_IMPLEMENTED => (ErrorKind::Device, "", Retry::Never),
            StatusCode::TOO_MANY_REQUESTS => (ErrorKind::Device, "", retry_after(&answer)),
            _ if status.is_server_error() => (ErrorKind::Device, "", retry_after(&answer)),
            _ => (ErrorKind::Device, "", Retry::Never),
        };
        let mut message = format!("the controller answered {status}");
        if let Some(reason) = self.reason(answer).await {
            // Writing to a string cannot fail.
            let _ = write!(message, ": {reason}");
        }
        if let Retry::After(time) = retry {
            let _ = write!(message, " (retry after {} s)", time.as_secs());
        }
        Err(Failure { kind, message: message + advice, retry })
    }

    /// The beginning of the controller's own message about a failure, with the token removed.
    async fn reason(&self, mut answer: Response) -> Option<String> {
        const LONGEST: usize = 300;
        let begin = answer.chunk().await.ok()??;
        let text = String::from_utf8_lossy(&begin).replace(self.registration.token.expose(), "[redacted]");
        let reason: String = text.trim().chars().take(LONGEST).collect();
        (!reason.is_empty()).then_some(reason)
    }
}

fn retry_after(answer: &Response) -> Retry {
    let asked_for =
        answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| {
            let date = || httpdate::parse_http_date(text).ok();
            let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
            text.parse().map(Duration::from_secs).ok().or_else(|| date().map(until))
        });
    asked_for.map_or(Retry::Soon, Retry::After)
}

/// No answer came. The controller may have done its work; the call is idempotent, so that does not matter.
fn unanswered(error: &reqwest::Error) -> Failure {
    let cause = causes(error).last().map_or_else(|| "no answer".to_owned(), ToString::to_string);
    // The connection is up, but the other end did not prove to be the controller.
    if is_invalid(error) {
        let advice = "register its certificate authority as `ca`, or correct `url`";
        let message = format!("the controller's identity cannot be verified: {cause}; {advice}");
        return Failure { kind: ErrorKind::Connection, message, retry: Retry::Never };
    }
    let message = if error.is_timeout() { "no answer in time".to_owned() } else { cause };
    Failure { kind: ErrorKind::Connection, message, retry: Retry::Soon }
}

/// Whether a cause is invalid data: rustls reports a certificate that it does not accept in this way.
fn is_invalid(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        // An I/O error can wrap another error that is not its source.
        .flat_map(|cause| {
            std::iter::successors(Some(cause), |error| error.get_ref()?.downcast_ref::<io::Error>())
        })
        .any(|cause| cause.kind() == io::ErrorKind::InvalidData)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}
