//! The story: the commands of the management server, and their effect on every machine around the router.

use netext_lab::Expectation::{Answered, Refused};
use netext_lab::{Conversation, Expectation, Firewall, Forward, Listener, Node, ProbeReply, Rule, SourceNat};
use serde_json::json;

use crate::birth;
use crate::picture::{CLIENT, DB, NEIGHBOUR, SOURCE_NAT, STATIC_NAT, WEB};
use crate::stage::{Observation, Stage, all, reached, refused};

/// The machines beside the router, and their servers.
struct Cast {
    web: Node,
    db: Node,
    client: Node,
    neighbour: Node,
    guests_servers: [Listener; 4],
    _internet: [Listener; 2],
}

/// Plays the story from the first instance to the end of the network.
pub(crate) fn play(stage: &mut Stage<'_>) {
    let cast = the_first_instances_are_deployed(stage);
    a_port_is_forwarded(stage, &cast);
    an_instance_gets_its_own_address(stage, &cast);
    a_neighbour_tries_to_get_in(stage, &cast);
    the_tenant_blocks_outgoing_mail(stage, &cast);
    a_rule_is_malformed(stage, &cast);
    the_network_is_restarted_with_cleanup(stage, &cast);
    a_live_connection_is_cut(stage, &cast);
    drop(cast);
    birth::a_real_instance_boots(stage);
    the_network_is_destroyed(stage);
}

fn the_first_instances_are_deployed(stage: &mut Stage<'_>) -> Cast {
    stage.act("The first instances are deployed");
    stage.ensure_device();
    stage.command("implement-network", "10.1.1.1/24 on VLAN 1910", &stage.network.extension_field());
    assign(stage, SOURCE_NAT, SourceNat::Yes);
    firewall(stage, "no rules; guests may leave", &Firewall::egress_allowed());
    for guest in [WEB, DB] {
        stage.command("prepare-nic", guest, &stage.network.nic_fields(guest));
    }

    let (web, db) = (stage.network.guest(WEB), stage.network.guest(DB));
    let (client, neighbour) = (stage.lab.client(CLIENT), stage.lab.neighbour(NEIGHBOUR));
    neighbour.routes("default", netext_lab::PUBLIC_GATEWAY);
    let guests_servers = [web.listen_tcp(22), web.listen_udp(5353), db.listen_tcp(22), db.listen_udp(5353)];
    let internet = [client.listen_tcp(80), client.listen_tcp(25)];
    let cast = Cast { web, db, client, neighbour, guests_servers, _internet: internet };

    let pinged = cast.web.tries_ping("10.1.1.1", Answered);
    stage.claim("Instances reach their gateway", pinged.map(|()| "ping is answered".to_owned()));
    stage.claim("They leave with the source NAT address", leaves_as(&cast.web, SOURCE_NAT));
    stage.claim(
        "No connection comes in",
        refused(cast.client.tries_tcp(&format!("{SOURCE_NAT}:22"), Refused)),
    );
    cast
}

fn a_port_is_forwarded(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("A port is forwarded, then the firewall opens it");
    forward(stage, "add-port-forward");
    stage.claim("Without a rule that allows it, the port stays closed", refused(by_forward(cast, Refused)));
    let few = Firewall::egress_allowed().with(Rule::ingress(SOURCE_NAT).tcp(2222).from("203.0.113.0/24"));
    firewall(stage, "203.0.113.0/24 to tcp 2222", &few);
    stage.claim("With the rule, it reaches web, which sees the client's own address", web_by_forward(cast));
    let others = cast.neighbour.tries_tcp(&format!("{SOURCE_NAT}:2222"), Refused);
    stage.claim("The rule does not open it to other sources", refused(others));
    firewall(stage, "no rules again", &Firewall::egress_allowed());
    stage.claim("Without the rule, it is closed again", refused(by_forward(cast, Refused)));
    let datagrams = Forward::udp(&format!("{SOURCE_NAT}:5350-5359"), &format!("{WEB}:5350-5359"));
    let about = "udp 5350-5359 to the same of web";
    stage.command("add-port-forward", about, &stage.network.forward_fields(&datagrams));
    firewall(stage, "all ports of this demo", &open());
    let udp = cast.client.tries_udp(&format!("{SOURCE_NAT}:5353"), Answered);
    stage.claim("A range of UDP ports forwards each port to the same port", reached(udp, WEB, CLIENT));
}

fn an_instance_gets_its_own_address(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("An instance gets its own public address");
    assign(stage, STATIC_NAT, SourceNat::No);
    static_nat(stage);
    stage.claim("The outside reaches db by static NAT", db_by_static_nat(cast));
    stage.claim("db leaves with its own address", leaves_as(&cast.db, STATIC_NAT));
    stage.claim("web still leaves with the source NAT address", leaves_as(&cast.web, SOURCE_NAT));
    let hairpin = cast.web.tries_tcp(&format!("{STATIC_NAT}:22"), Answered);
    stage.claim("web reaches db through the public address (hairpin)", reached(hairpin, DB, "10.1.1.1"));
    let itself = cast.web.tries_tcp(&format!("{SOURCE_NAT}:2222"), Answered);
    stage.claim("web reaches itself through the public address", reached(itself, WEB, "10.1.1.1"));
}

fn a_neighbour_tries_to_get_in(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("A neighbour on the public segment routes the guest subnet to the router");
    cast.neighbour.routes("10.1.1.0/24", SOURCE_NAT);
    let before: usize = cast.guests_servers.iter().map(|server| server.seen().len()).sum();
    let tcp = [WEB, DB].map(|guest| refused(cast.neighbour.tries_tcp(&format!("{guest}:22"), Refused)));
    stage.claim("It cannot connect to an instance", all(tcp));
    let ping = match cast.neighbour.tries_ping("10.1.1.1", Refused) {
        Ok(()) => Err("the gateway answered".to_owned()),
        Err(why) => Ok(why),
    };
    stage.claim("It cannot ping the gateway", ping);
    let udp = refused(cast.neighbour.tries_udp(&format!("{DB}:5353"), Refused));
    let arrived = cast.guests_servers.iter().map(|server| server.seen().len()).sum::<usize>() - before;
    let nothing =
        if arrived == 0 { Ok("0 datagrams arrived".to_owned()) } else { Err(format!("{arrived} did")) };
    stage.claim("No datagram of its arrives", all([udp, nothing]));
}

fn the_tenant_blocks_outgoing_mail(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("The tenant blocks outgoing mail");
    firewall(stage, "and no egress to tcp 25", &open().with(Rule::egress().tcp(25)));
    stage.claim("Port 25 is blocked", refused(cast.web.tries_tcp(&format!("{CLIENT}:25"), Refused)));
    stage.claim("Other traffic continues", leaves_as(&cast.web, SOURCE_NAT));
    firewall(stage, "as before", &open());
    stage.claim("Allowed again, port 25 works", reached_mail(cast));
}

fn a_rule_is_malformed(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("A rule is malformed");
    let nonsense = open().with(Rule::ingress(STATIC_NAT).protocol("quic"));
    let fields = stage.network.firewall_fields(&nonsense);
    let refusal =
        stage.refused_command("apply-fw-rules", "one rule of several has the protocol \"quic\"", &fields);
    stage.claim("All rules are refused, and the error names the bad one", refusal);
    stage.claim("The rules in force stay in force", all([web_by_forward(cast), db_by_static_nat(cast)]));
}

fn the_network_is_restarted_with_cleanup(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("The network is restarted with cleanup");
    let mac = cast.web.mac_of("10.1.1.1");
    stage.command("shutdown-network", "", &json!({"network_state": "shutdown"}));
    stage.network.forget_details();
    stage.claim("Meanwhile nothing answers", refused(by_forward(cast, Refused)));
    stage.command("implement-network", "", &stage.network.extension_field());
    assign(stage, SOURCE_NAT, SourceNat::Yes);
    assign(stage, STATIC_NAT, SourceNat::No);
    static_nat(stage);
    forward(stage, "add-port-forward");
    firewall(stage, "all ports of this demo", &open());
    stage
        .claim("Port forward and static NAT work again", all([web_by_forward(cast), db_by_static_nat(cast)]));
    let out = [leaves_as(&cast.web, SOURCE_NAT), leaves_as(&cast.db, STATIC_NAT)];
    stage.claim("Both instances leave with the same addresses as before", all(out));
    let now = cast.web.mac_of("10.1.1.1");
    let same = if now == mac { Ok(now) } else { Err(format!("it was {mac} and is {now}")) };
    stage.claim("The gateway keeps its MAC address: ARP caches stay valid", same);
}

fn a_live_connection_is_cut(stage: &mut Stage<'_>, cast: &Cast) {
    stage.act("A port forward is deleted while it is in use");
    let address = |ip| format!("{ip}:{}", if ip == SOURCE_NAT { 2222 } else { 22 });
    let talk = |ip| cast.client.tries_to_talk(&address(ip), Answered);
    let (mut first, mut second) = (talk(SOURCE_NAT), talk(STATIC_NAT));
    let both = [goes_on(&mut first), goes_on(&mut second)];
    stage.claim("Two connections are open, one each by forward and static NAT", all(both));
    forward(stage, "delete-port-forward");
    stage.claim("The one through the forward is cut", is_cut(&mut first));
    stage.claim("The other one continues", goes_on(&mut second));
    stage.claim("The forward no longer works", refused(by_forward(cast, Refused)));
}

fn the_network_is_destroyed(stage: &mut Stage<'_>) {
    stage.act("The network is destroyed");
    stage.command("shutdown-network", "", &json!({"network_state": "shutdown"}));
    stage.command("destroy-network", "", &json!({"network_state": "destroy"}));
    stage.network.forget_details();
    let is_empty = |found: Vec<String>, words: &str| {
        if found.is_empty() { Ok(words.to_owned()) } else { Err(found.join(", ")) }
    };
    let namespace = stage.lab.has_namespace("cs-net-209").then(|| "cs-net-209".to_owned());
    let links = stage.lab.interfaces().into_iter().filter(|name| name != "lo" && !name.starts_with("br"));
    let left = namespace.into_iter().chain(links).collect();
    stage.claim("Namespace and links are gone; bridges stay", is_empty(left, "no namespace, no veth"));
    let processes = stage.lab.processes().into_iter().map(|(_, name)| name).collect();
    stage.claim("No process is left", is_empty(processes, "none"));
    let files = stage.lab.files().into_iter().map(|(path, ..)| path.to_string_lossy().into_owned());
    let kept = files.filter(|path| path.contains("/network-209/")).collect();
    stage.claim("No state is left", is_empty(kept, "none"));
}

fn open() -> Firewall {
    Firewall::egress_allowed()
        .with(Rule::ingress(SOURCE_NAT).tcp(2222))
        .with(Rule::ingress(SOURCE_NAT).udp(5353))
        .with(Rule::ingress(STATIC_NAT).tcp(22))
}

fn assign(stage: &mut Stage<'_>, address: &str, source_nat: SourceNat) {
    let about = if source_nat == SourceNat::Yes { "source NAT " } else { "" };
    let fields = stage.network.public_fields(address, source_nat);
    stage.command("assign-ip", &format!("{about}{address}"), &fields);
}

fn firewall(stage: &mut Stage<'_>, about: &str, firewall: &Firewall) {
    stage.command("apply-fw-rules", about, &stage.network.firewall_fields(firewall));
}

fn forward(stage: &mut Stage<'_>, command: &str) {
    let forward = Forward::tcp(&format!("{SOURCE_NAT}:2222"), &format!("{WEB}:22"));
    let about = format!("tcp {SOURCE_NAT}:2222 to {WEB}:22");
    stage.command(command, &about, &stage.network.forward_fields(&forward));
}

fn static_nat(stage: &mut Stage<'_>) {
    let fields = stage.network.static_nat_fields(STATIC_NAT, DB);
    stage.command("add-static-nat", &format!("{STATIC_NAT} is {DB}"), &fields);
}

fn by_forward(cast: &Cast, expected: Expectation) -> Result<ProbeReply, String> {
    cast.client.tries_tcp(&format!("{SOURCE_NAT}:2222"), expected)
}

fn web_by_forward(cast: &Cast) -> Observation {
    reached(by_forward(cast, Answered), WEB, CLIENT)
}

fn db_by_static_nat(cast: &Cast) -> Observation {
    reached(cast.client.tries_tcp(&format!("{STATIC_NAT}:22"), Answered), DB, CLIENT)
}

fn leaves_as(guest: &Node, address: &str) -> Observation {
    reached(guest.tries_tcp(&format!("{CLIENT}:80"), Answered), CLIENT, address)
}

fn reached_mail(cast: &Cast) -> Observation {
    reached(cast.web.tries_tcp(&format!("{CLIENT}:25"), Answered), CLIENT, SOURCE_NAT)
}

fn goes_on(conversation: &mut Result<Conversation, String>) -> Observation {
    let conversation = conversation.as_mut().map_err(|error| error.clone())?;
    conversation.tries_to_go_on(Answered).map(|()| "data flow both ways".to_owned())
}

fn is_cut(conversation: &mut Result<Conversation, String>) -> Observation {
    let conversation = conversation.as_mut().map_err(|error| error.clone())?;
    match conversation.tries_to_go_on(Refused) {
        Ok(()) => Err("data still flow both ways".to_owned()),
        Err(_) => Ok("no answer any more".to_owned()),
    }
}
