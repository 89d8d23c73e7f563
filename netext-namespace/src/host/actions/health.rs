//! How a router does, and making it well.

use netext_core::DeviceError;
use netext_protocol::ActionResult;
use serde_json::{Map, Value};

use super::{Call, Outcome, row};
use crate::drift::{Difference, Pass};
use crate::host::health::{Field, health};
use crate::host::reconcile::reconcile;

/// A row per field that is well, and one per thing that is not as it shall be.
pub(super) async fn status(call: Call<'_>) -> Outcome {
    let health = health(call.store, call.router, call.context.deadline()).await?;
    let health = health.ok_or_else(|| nobody(&call))?;
    let mut rows = Vec::new();
    for field in Field::ALL {
        let differences: Vec<_> = health.differences_in(field).map(difference).collect();
        if differences.is_empty() {
            let state = if health.obstacle.is_some() { "unknown" } else { "ok" };
            rows.push(row([("part", field.name().into()), ("state", state.into())]));
        }
        rows.extend(differences);
    }
    for (part, words) in health
        .troubles
        .iter()
        .map(|words| ("host", words))
        .chain(health.obstacle.iter().map(|words| ("router", words)))
    {
        rows.push(row([("part", part.into()), ("state", "trouble".into()), ("what", words.as_str().into())]));
    }
    Ok(ActionResult::rows(rows))
}

/// What was done, a row each; a text if nothing had to be.
pub(super) async fn repair(call: Call<'_>) -> Outcome {
    let repaired = reconcile(call.store, call.router, call.context.deadline(), Pass::repair()).await?;
    let repaired = repaired.ok_or_else(|| nobody(&call))?;
    if let Some(obstacle) = repaired.obstacle {
        return Err(obstacle);
    }
    if repaired.differences.is_empty() {
        return Ok(ActionResult::message(format!("{} is as it shall be", call.router)));
    }
    Ok(ActionResult::rows(repaired.differences.iter().map(difference).collect()))
}

fn difference(difference: &Difference) -> Map<String, Value> {
    row([
        ("part", Field::of(difference.part).name().into()),
        ("state", "differs".into()),
        ("change", difference.change.to_string().into()),
        ("what", difference.what.as_str().into()),
    ])
}

fn nobody(call: &Call<'_>) -> DeviceError {
    DeviceError::device(format!("this host has no router of {}; implement it first", call.router))
}
