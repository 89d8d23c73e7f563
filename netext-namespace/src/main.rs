//! One executable, two roles: on the management server it carries commands to the hosts, on a KVM host it does
//! what they say. Beside them are modes: the far end of a proxy's connection, the answer to ssh when it wants a
//! password, the server that tells a router's guests about themselves; and the commands of the people who run hosts.

use std::process::ExitCode;

use netext_core::{DeviceError, Runner};
use netext_namespace::host::HostDevice;
use netext_namespace::metadata::server;
use netext_namespace::operator;
use netext_namespace::places::Places;
use netext_namespace::proxy::Proxy;
use netext_namespace::proxy::ssh::askpass;
use netext_namespace::relay;
use netext_namespace::role::Role;
use netext_namespace::store::Store;

fn main() -> ExitCode {
    if let Some(secret) = askpass::asked_for() {
        return askpass::run(secret);
    }
    if relay::asked_for(std::env::args_os()) {
        return relay::serve(Places::of_this_process());
    }
    if let Some(configuration) = server::asked_for(std::env::args_os()) {
        return server::run(&configuration);
    }
    if let Some(start) = server::Start::asked_for(std::env::args_os()) {
        return start.run();
    }
    if operator::is_asked_for(std::env::args_os()) {
        return operator::run(std::env::args_os());
    }
    extension()
}

fn extension() -> ExitCode {
    netext_core::main_with(|| {
        let called = std::env::args_os().next().unwrap_or_default();
        let role = Role::choose(std::env::var_os("NETEXT_ROLE").as_deref(), &called)
            .map_err(|error| DeviceError::invalid(error.to_string()))?;
        let places = Places::of_this_process();
        let host = HostDevice::new(Store::new(places.state.clone()));
        let log = places.log.clone();
        let runner = match role {
            Role::Host => Runner::new(host),
            Role::Proxy => Runner::new(Proxy::new(host, places, remote_path())),
        };
        Ok(runner.log_file(log))
    })
}

/// Where the executable lies on the hosts, if the environment says so. What is no such path is refused where it is
/// needed.
fn remote_path() -> Option<String> {
    let path = std::env::var_os("NETEXT_REMOTE_PATH").filter(|path| !path.is_empty())?;
    Some(path.to_string_lossy().into_owned())
}
