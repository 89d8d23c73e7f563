//! A VPC with two tiers, each on its own VLAN.

use netext_lab::{AccessList, Forward, Lab, Listener, Network, Node, Rule, SourceNat, Vpc};

pub(crate) const WEB_VLAN: u16 = 2001;
pub(crate) const DATABASE_VLAN: u16 = 2002;
const SOURCE_NAT: &str = "198.51.100.20";
const SECOND: &str = "198.51.100.21";

pub(crate) struct Tiers<'lab> {
    lab: &'lab Lab,
    vpc: Vpc<'lab>,
    networks: [Network<'lab>; 2],
    web: Node,
    database: Node,
    denied: Listener,
    _allowed: [Listener; 3],
}

impl<'lab> Tiers<'lab> {
    pub(crate) fn deployed(lab: &'lab Lab) -> Self {
        let vpc = lab.vpc(7);
        vpc.implement_with(SOURCE_NAT);
        let tiers = [vpc.tier(1), vpc.tier(2)];
        for tier in &tiers {
            tier.implement();
        }
        let [web_tier, database_tier] = &tiers;
        web_tier.assign_ip(SECOND, SourceNat::No);
        web_tier.add_port_forward(&Forward::tcp(&format!("{SECOND}:443"), "10.2.1.10:443"));
        database_tier.apply_access_list(
            &AccessList::new()
                .with(Rule::allow_in(1).tcp(5432).from("10.2.1.0/24"))
                .with(Rule::deny_in(2))
                .with(Rule::allow_out(3)),
        );
        let (web, database) = (web_tier.guest("10.2.1.10"), database_tier.guest("10.2.2.10"));
        let allowed = [web.listen_tcp(443), web.listen_tcp(8443), database.listen_tcp(5432)];
        let denied = database.listen_tcp(22);
        Self { lab, vpc, networks: tiers, web, database, denied, _allowed: allowed }
    }

    /// Port 80 at 203.0.113.5 is served elsewhere in the test.
    pub(crate) fn work(&self) {
        self.web.connects_to("10.2.2.10:5432").seen_as("10.2.1.10");
        self.web.cannot_connect_to("10.2.2.10:22");
        self.database.connects_to("10.2.1.10:8443").seen_as("10.2.2.10");
        self.web.connects_to("203.0.113.5:80").seen_as(SOURCE_NAT);
        self.database.connects_to("203.0.113.5:80").seen_as(SOURCE_NAT);
        let client = self.lab.client("203.0.113.5");
        client.connects_to(&format!("{SECOND}:443")).seen_as("203.0.113.5").answered_by("10.2.1.10");
        self.denied.saw_no_client();
    }

    pub(crate) fn end(&self) {
        let [web, database] = &self.networks;
        web.destroy();
        self.database.connects_to("203.0.113.5:80").seen_as(SOURCE_NAT);
        database.destroy();
        self.vpc.shutdown();
    }
}
