//! Scenarios: the commands that the server sends for events in a cloud.

mod file;
mod play;

pub use file::{Scenario, ScenarioError};
pub use play::{Progress, SentCommand};
