//! The details of the controller that the operator registered.

use netext_core::protocol::{PhysicalDetails, Secret};
use netext_core::{Context, DeviceError};
use reqwest::{Certificate, Url};

/// The address of the controller, and the credentials of both sides.
pub(crate) struct Registration {
    /// `url`: the base URL of the API, such as `https://controller.example:8443/v1`.
    pub(crate) url: Url,
    /// `password`: the token for every request. A detail of another name would be readable in the API.
    pub(crate) token: Secret,
    /// `ca`: the certificate authority of the controller, in PEM; default: the system's authorities.
    pub(crate) authorities: Vec<Certificate>,
}

impl Registration {
    pub(crate) fn of(context: &Context) -> Result<Self, DeviceError> {
        let details = context.physical_details();
        Ok(Self { url: url(details)?, token: token(details)?, authorities: authorities(details)? })
    }
}

fn required<'a>(details: &'a PhysicalDetails, name: &str) -> Result<&'a str, DeviceError> {
    let absent =
        || DeviceError::invalid(format!("register `{name}` of the controller on the physical network"));
    details.get(name).map(str::trim).ok_or_else(absent)
}

/// HTTPS only, because others on the network could read the token otherwise. The URL appears in errors, so it must not
/// hold credentials, and is not shown before that is checked.
fn url(details: &PhysicalDetails) -> Result<Url, DeviceError> {
    let wrong = |why: &str| DeviceError::invalid(format!("the registered `url` {why}"));
    let url: Url = required(details, "url")?.parse().map_err(|_| wrong("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds credentials; register the token as `password`"));
    }
    if url.scheme() != "https" || url.cannot_be_a_base() {
        return Err(wrong("does not begin with https://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or fragment, but requests add to its path"));
    }
    Ok(url)
}

fn token(details: &PhysicalDetails) -> Result<Secret, DeviceError> {
    let absent =
        || DeviceError::invalid("register the token of the controller as `password` on the physical network");
    let token = details.password().ok_or_else(absent)?.expose().trim();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(DeviceError::invalid(
            "the registered `password` holds characters that an HTTP header cannot carry",
        ));
    }
    Ok(token.into())
}

fn authorities(details: &PhysicalDetails) -> Result<Vec<Certificate>, DeviceError> {
    let Some(pem) = details.get("ca") else { return Ok(Vec::new()) };
    // The line breaks of a registered detail may have been sent as `\n`.
    match Certificate::from_pem_bundle(pem.replace("\\n", "\n").as_bytes()) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        _ => Err(DeviceError::invalid("the registered `ca` is not a certificate in PEM")),
    }
}
