//! `graph`: a picture of a router and its surroundings: public segments, tiers and instances.

mod svg;
mod text;
mod topology;

use super::arguments::{GraphArguments, GraphFormat};
use super::error::{OperatorError, OperatorExit};
use super::screen::Screen;
use super::sweep::routers;
use crate::store::Store;
use topology::Topology;

pub(super) fn run(
    store: &Store,
    arguments: &GraphArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    routers(store, Some(arguments.router))?;
    let topology = Topology::of(&store.read(arguments.router)?.router);
    screen.text(match arguments.format {
        GraphFormat::Mermaid => text::mermaid(&topology),
        GraphFormat::Dot => text::dot(&topology),
        GraphFormat::Svg => svg::render(&topology),
    });
    Ok(OperatorExit::Healthy)
}
