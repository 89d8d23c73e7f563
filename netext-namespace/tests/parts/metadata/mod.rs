//! Instance metadata, and the server that serves it.

mod cloud_init;
mod guests;
mod instances;
mod limits;
mod names;
mod passwords;
mod paths;
mod server;

use std::time::{Duration, Instant};

use netext_namespace::metadata::{InstanceChange, Instances, MetadataError};

/// Makes a change of instances' metadata at once.
pub(crate) fn change(
    instances: &Instances,
    change: impl FnOnce(&mut InstanceChange) -> Result<(), MetadataError>,
) -> Result<(), MetadataError> {
    let mut staged = instances.change(Instant::now() + Duration::from_secs(60))?;
    change(&mut staged)?;
    staged.commit()
}
