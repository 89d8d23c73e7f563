//! A command is in force as a whole, or it has changed nothing: with a full disk, a call that fails, a kill, and a cut of
//! the power.

mod balancers;
mod documents;
mod first_command;
mod power_cut;
mod rules;
mod sync;
mod trial;
mod unreadable;
