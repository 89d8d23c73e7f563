//! The health of a router: status, repair, and a restart.

use std::time::Instant;

use netext_protocol::ActionResult;
use serde_json::{Map, Value};

use super::{ActionCall, ActionOutcome, row};
use crate::drift::{Difference, Pass};
use crate::host::health::{HealthField, health};
use crate::host::reconcile::reconcile;

/// A row per healthy field, and one per difference.
pub(super) async fn status(call: ActionCall<'_>) -> ActionOutcome {
    let health = health(call.store, call.router, call.context.deadline()).await?;
    let health = health.ok_or_else(|| call.no_router())?;
    let mut rows = Vec::new();
    for field in HealthField::ALL {
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

/// A row per repaired difference, or a text if nothing differed.
pub(super) async fn repair(call: ActionCall<'_>) -> ActionOutcome {
    let repaired = reconcile(call.store, call.router, call.context.deadline(), Pass::repair()).await?;
    let repaired = repaired.ok_or_else(|| call.no_router())?;
    if let Some(obstacle) = repaired.obstacle {
        return Err(obstacle);
    }
    if repaired.differences.is_empty() {
        return Ok(ActionResult::message(format!("{} matches its desired state", call.router)));
    }
    Ok(ActionResult::rows(repaired.differences.iter().map(difference).collect()))
}

fn difference(difference: &Difference) -> Map<String, Value> {
    row([
        ("part", HealthField::of(difference.part).name().into()),
        ("state", "differs".into()),
        ("change", difference.change.to_string().into()),
        ("what", difference.what.as_str().into()),
    ])
}

/// Takes a router down and builds it again from its state.
pub(super) async fn reboot(call: ActionCall<'_>) -> ActionOutcome {
    let begun = Instant::now();
    call.transaction().try_change(|router| call.check_exists(router)).with_restart().commit().await?;
    let milliseconds = begun.elapsed().as_millis();
    Ok(ActionResult::message(format!("{} was taken down and built again in {milliseconds} ms", call.router)))
}
