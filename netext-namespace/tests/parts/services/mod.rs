//! The daemons that serve guests, and what guests get from them.

mod compile;
mod daemons;
mod guests;
mod served;
