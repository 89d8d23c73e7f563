//! What instances are told, and the server that tells them.

mod cloud_init;
mod guests;
mod instances;
mod limits;
mod names;
mod passwords;
mod paths;
mod server;
