//! The crate's parts, each by itself: what they make of a host to throw away.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what sets a test up may fail only with it")]

mod balancers;
mod compile;
mod failover;
mod kernel;
mod metadata;
mod packaging;
mod services;
mod throwaway;
mod words;
