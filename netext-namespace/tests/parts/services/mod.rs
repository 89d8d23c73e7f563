//! The daemons that serve guests, and their replies.

mod compile;
mod daemons;
mod guests;
mod health;
mod served;
