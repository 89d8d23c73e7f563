//! What the protocol asks of every extension, asked of this one.

use netext_core::Handler;
use netext_core::testing::conformance::{Bench, Provided};
use netext_core::testing::{Executable, Scenario, Server, Told};
use netext_lab::{Lab, lab};
use netext_namespace::host::HostDevice;
use netext_namespace::store::Store;

/// A server of the test kit that runs the extension on the lab's host, as it is registered there.
fn server(lab: &Lab) -> Server<Executable> {
    let (program, variables) = lab.program_and_variables();
    let executable = Executable::new(program).expect("the lab has installed it");
    let executable = variables.into_iter().fold(executable, |it, (name, value)| it.variable(name, value));
    lab.registered().into_iter().fold(Server::new(executable), |server, (name, value)| {
        server.registering(name, value.as_str().expect("registered details are texts"))
    })
}

#[test]
fn the_reference_backend_conforms_to_the_protocol() {
    let lab = lab!();
    let description = HostDevice::new(Store::new("/nonexistent")).description();
    lab.host().run(|| Bench::new(&server(&lab), Provided::of(&description)).assert_conforms());
}

#[test]
fn the_reference_backend_plays_every_story_to_its_end() {
    let description = HostDevice::new(Store::new("/nonexistent")).description();
    let services = Provided::of(&description).services;
    for name in Scenario::names() {
        let lab = lab!();
        let mut problems = Vec::new();
        lab.host().run(|| {
            let scenario = Scenario::named(name).expect("it is one of the names");
            scenario.play(&mut server(&lab), &services, true, &mut |told| {
                if let Told::Sent(sent) = told {
                    problems.extend(sent.problem());
                }
            })
        });
        assert_eq!(problems, Vec::<String>::new(), "{name}");
    }
}
