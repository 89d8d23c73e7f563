//! `fleet`: commands for many hosts at once.
//!
//! They reach hosts as the proxy does, several at a time. A host that cannot be asked is a row with the reason, and does
//! not keep the others from being shown.

mod deploy;
mod doctor;
mod host;
mod selection;
mod status;

use super::arguments::FleetCommand;
use super::error::{OperatorError, OperatorExit};
use super::screen::Screen;
use crate::places::ExtensionPlaces;
use crate::wait::block_on_io;

pub(super) fn run(
    places: &ExtensionPlaces,
    command: &FleetCommand,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    block_on_io(async {
        match command {
            FleetCommand::Status(arguments) => status::run(places, arguments, screen).await,
            FleetCommand::Doctor(arguments) => doctor::run(places, arguments, screen).await,
            FleetCommand::Deploy(arguments) => deploy::run(places, arguments, screen).await,
        }
    })
}
