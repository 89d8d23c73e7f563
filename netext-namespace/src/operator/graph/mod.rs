//! `graph`: a picture of a router's surroundings: public segments, the router, tiers, instances.

mod dot;
mod mermaid;
mod svg;
mod topology;

use super::Verdict;
use super::arguments::{Format, Graph};
use super::failure::Failure;
use super::screen::Screen;
use super::sweep::routers;
use crate::store::Store;
use topology::Topology;

pub(super) fn run(store: &Store, arguments: &Graph, screen: &mut Screen) -> Result<Verdict, Failure> {
    routers(store, Some(arguments.router))?;
    let topology = Topology::of(&store.read(arguments.router)?.router);
    screen.text(match arguments.format {
        Format::Mermaid => mermaid::render(&topology),
        Format::Dot => dot::render(&topology),
        Format::Svg => svg::render(&topology),
    });
    Ok(Verdict::Well)
}
