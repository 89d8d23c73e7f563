//! Stories that the server plays.

mod file;
mod play;
mod shipped;

pub use file::{Scenario, ScenarioError};
pub use play::{Sent, Told};
