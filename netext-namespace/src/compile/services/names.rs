//! The names that DNS answers.

use std::net::IpAddr;

use netext_protocol::DomainName;

use super::{ConfigLines, GuestServices};

/// The name of the router's own address, by which instances find their data.
const DATA_SERVER: &str = "data-server";
/// The longest name that DNS has room for, in bytes.
const LONGEST: usize = 253;

/// The file of names. The first name of a line is the one that its address is known by in reverse.
pub(super) fn hosts(guest: &GuestServices) -> String {
    let mut lines = ConfigLines::with_room_for(guest.records.len());
    if !guest.dns {
        return lines.0;
    }
    let domain = guest.domain.as_ref().map(DomainName::as_str);
    let own: Vec<_> = guest.own_addresses().collect();
    for address in guest.own_ipv4() {
        add(&mut lines, address.into(), &DnsNames::of(DATA_SERVER, domain));
    }
    for (address, name) in &guest.records {
        let names = DnsNames::of(name.as_str(), domain);
        let taken = names.short().is_some_and(is_taken);
        if !taken && !own.contains(address) {
            add(&mut lines, *address, &names);
        }
    }
    lines.0
}

fn add(lines: &mut ConfigLines, address: IpAddr, names: &DnsNames<'_>) {
    match (names.full(), names.short()) {
        (Some((name, domain)), Some(short)) => {
            lines.add(format_args!("{address} {name}.{domain} {short}"));
        }
        (Some((name, domain)), None) => lines.add(format_args!("{address} {name}.{domain}")),
        (None, Some(short)) => lines.add(format_args!("{address} {short}")),
        (None, None) => {}
    }
}

/// Whether a name is not an instance's to have.
fn is_taken(name: &str) -> bool {
    [DATA_SERVER, "localhost"].iter().any(|taken| name.eq_ignore_ascii_case(taken))
}

/// The names of what is called by a name. One of several labels answers below the network's domain only: an
/// instance called `www.example.com` must not be taken for that by its neighbours.
struct DnsNames<'a> {
    name: &'a str,
    domain: Option<&'a str>,
}

impl<'a> DnsNames<'a> {
    fn of(name: &'a str, domain: Option<&'a str>) -> Self {
        Self { name: domain.and_then(|domain| below(name, domain)).unwrap_or(name), domain }
    }

    /// The name and the domain that it is below, where DNS has room for both.
    fn full(&self) -> Option<(&'a str, &'a str)> {
        let domain = self.domain?;
        (self.name.len() + 1 + domain.len() <= LONGEST).then_some((self.name, domain))
    }

    fn short(&self) -> Option<&'a str> {
        (!self.name.contains('.')).then_some(self.name)
    }
}

/// What stands before the domain in a name that ends with it.
fn below<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    let (before, end) = name.split_at_checked(name.len().checked_sub(domain.len())?)?;
    before.strip_suffix('.').filter(|_| end.eq_ignore_ascii_case(domain))
}
