//! What packets must do, by the model.

use netext_lab::{Broken, Question};

use crate::model::{
    Model, NETWORKS, NetworkModel, NetworkNumber, PORTS, Purpose, instance_address, is_tier, public, subnet,
};
use crate::world::{CLIENT, VPC_ADDRESS, World};

/// A question, and the answers that are right.
type Due = (Question, Vec<String>);

/// Sends packets from all machines, and returns what they must not do.
pub(crate) fn test(world: &World, model: &Model) -> Vec<Broken> {
    let numbers = 0..NETWORKS;
    let due: Vec<_> = numbers.flat_map(|number| of_network(world, number, &model.networks[number])).collect();
    ask(&due, "packets pass as was acknowledged")
}

/// Sends packets from and to one network after a command on it failed.
pub(crate) fn test_network(world: &World, number: NetworkNumber, model: &NetworkModel) -> Vec<Broken> {
    ask(&of_network(world, number, model), "packets pass as before a command that failed")
}

fn ask(due: &[Due], rule: &'static str) -> Vec<Broken> {
    std::thread::scope(|scope| {
        let asked: Vec<_> =
            due.iter().map(|(question, right)| scope.spawn(|| question.differs_from(right))).collect();
        let differences = asked.into_iter().filter_map(|it| it.join().expect("a question does not panic"));
        differences.map(|seen| (rule, seen)).collect()
    })
}

fn of_network(world: &World, number: NetworkNumber, model: &NetworkModel) -> Vec<Due> {
    let mut due = Vec::new();
    // Without rules, everything is let in or nothing, as the kind of the network has it.
    if model.has_rules || !model.is_implemented {
        from_outside(world, number, model, &mut due);
    }
    for (instance, guest) in world.guests(number) {
        of_guest(number, model, instance, guest, &mut due);
    }
    due
}

fn from_outside(world: &World, number: NetworkNumber, model: &NetworkModel, due: &mut Vec<Due>) {
    let lets_in = |purpose: Purpose| {
        // The access list of a tier is about its subnet.
        let is_open = is_tier(number) && !model.open.is_empty() && model.addresses.contains(&purpose);
        model.lets_in(purpose) || is_open
    };
    let reaches = |instance: u8| vec![format!("{} saw {CLIENT}", instance_address(number, instance))];
    let nothing = || vec![String::new()];
    let connect =
        |purpose, port: u16| Question::connect(&world.client, &format!("{}:{port}", public(number, purpose)));
    for port in PORTS {
        let instance = model.forwards.get(&port).filter(|_| lets_in(Purpose::Forwards));
        due.push((connect(Purpose::Forwards, port), instance.map_or_else(nothing, |it| reaches(*it))));
    }
    let instance = model.static_nat.filter(|_| lets_in(Purpose::StaticNat));
    due.push((connect(Purpose::StaticNat, 22), instance.map_or_else(nothing, reaches)));
    let is_balanced = !model.balancer.is_empty() && lets_in(Purpose::Balancer);
    if is_balanced {
        let seen = format!("{}.1", subnet(number));
        let members = model.balancer.iter().map(|it| format!("{} saw {seen}", instance_address(number, *it)));
        due.push((connect(Purpose::Balancer, 80), members.collect()));
    } else if !is_tier(number) || model.balancer.is_empty() {
        due.push((connect(Purpose::Balancer, 80), nothing()));
    }
}

fn of_guest(
    number: NetworkNumber,
    model: &NetworkModel,
    instance: u8,
    guest: &netext_lab::Node,
    due: &mut Vec<Due>,
) {
    let gateway = format!("{}.1", subnet(number));
    let internet = Question::connect(guest, &format!("{CLIENT}:80"));
    if !model.is_implemented {
        due.push((internet, vec![String::new()]));
        due.push((Question::metadata(guest, &gateway, "user-data"), vec![String::new()]));
        return;
    }
    let own = (model.static_nat == Some(instance)).then(|| public(number, Purpose::StaticNat));
    let of_network = (is_tier(number)).then(|| VPC_ADDRESS.to_owned());
    let shared = || model.addresses.contains(&Purpose::Forwards).then(|| public(number, Purpose::Forwards));
    if let Some(address) = own.or(of_network).or_else(shared).filter(|_| model.has_rules) {
        due.push((internet, vec![format!("{CLIENT} saw {address}")]));
    }
    let Some(told) = model.instances.get(&instance) else { return };
    if told.has_name {
        let name = format!("web-{instance}");
        due.push((Question::resolve(guest, &gateway, &name), vec![instance_address(number, instance)]));
    }
    if let Some(text) = &told.user_data {
        due.push((Question::metadata(guest, &gateway, "user-data"), vec![format!("200 {text}")]));
    }
    if let Some(text) = &told.password {
        due.push((Question::password(guest, &gateway), vec![format!("200 {text}")]));
    }
}
