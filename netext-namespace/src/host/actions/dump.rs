//! What is desired of a router, and what it compiles to, for people.

use netext_core::DeviceError;
use netext_protocol::ActionResult;
use serde::Serialize;

use super::{Call, Outcome, row};
use crate::compile::{links, packets};
use crate::host::services;

/// A row per document: its name, and its whole content. What instances are told is no part of it: user data and
/// passwords are theirs.
pub(super) async fn configuration(call: Call<'_>) -> Outcome {
    let router = call.read()?;
    let mut documents = vec![
        ("state.json".to_owned(), json(&router)?),
        ("links.json".to_owned(), json(&links(&router))?),
        ("rules.nft".to_owned(), packets(&router).create()),
    ];
    for plan in services::plans(call.store, &router) {
        let folder =
            plan.daemon.folder.strip_prefix(call.store.root()).unwrap_or(&plan.daemon.folder).to_owned();
        documents.extend(
            plan.files.into_iter().map(|file| (folder.join(file.name).display().to_string(), file.content)),
        );
    }
    let rows = documents
        .into_iter()
        .map(|(name, content)| row([("name", name.into()), ("content", content.into())]));
    Ok(ActionResult::rows(rows.collect()))
}

fn json(document: &impl Serialize) -> Result<String, DeviceError> {
    serde_json::to_string(document)
        .map_err(|error| DeviceError::internal("a document has no JSON form").with_source(error))
}
