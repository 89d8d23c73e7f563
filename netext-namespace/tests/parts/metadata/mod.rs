//! Instance metadata, and the server that serves it.

mod cloud_init;
mod guests;
mod instances;
mod limits;
mod names;
mod passwords;
mod paths;
mod server;
