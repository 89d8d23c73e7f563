//! What operators do to networks and VPCs by actions.

mod refusals;
mod routing;
