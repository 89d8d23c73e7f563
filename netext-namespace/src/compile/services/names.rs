//! The names that DNS answers.

use netext_protocol::DomainName;

use super::{GuestServices, Lines};

/// The name of the router's own address, by which instances find their data.
const DATA_SERVER: &str = "data-server";

/// The file of names. The first name of a line is the one that its address is known by in reverse.
pub(super) fn hosts(guest: &GuestServices) -> String {
    let mut lines = Lines::default();
    if !guest.dns {
        return lines.0;
    }
    let domain = guest.domain.as_ref().map(DomainName::as_str);
    let own = Names::of(DATA_SERVER, domain);
    lines.add(format!("{} {}", guest.address, own.written()));
    for (address, name) in &guest.records {
        let names = Names::of(name.as_str(), domain);
        let taken = names.short.as_deref().is_some_and(is_taken);
        if !taken && !names.is_empty() && !guest.own_addresses().any(|own| own == *address) {
            lines.add(format!("{address} {}", names.written()));
        }
    }
    lines.0
}

/// Whether a name is not an instance's to have.
fn is_taken(name: &str) -> bool {
    [DATA_SERVER, "localhost"].iter().any(|taken| name.eq_ignore_ascii_case(taken))
}

struct Names {
    full: Option<String>,
    short: Option<String>,
}

impl Names {
    /// The names of what is called `name`. One of several labels answers below the network's domain only: an
    /// instance called `www.example.com` must not be taken for that by its neighbours.
    fn of(name: &str, domain: Option<&str>) -> Self {
        let name = domain.and_then(|domain| below(name, domain)).unwrap_or(name);
        let full = domain.map(|domain| format!("{name}.{domain}"));
        let short = (!name.contains('.')).then(|| name.to_owned());
        Self { full: full.filter(|full| full.len() <= 253), short }
    }

    fn is_empty(&self) -> bool {
        self.full.is_none() && self.short.is_none()
    }

    fn written(&self) -> String {
        self.full.iter().chain(&self.short).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// What stands before the domain in a name that ends with it.
fn below<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    let (before, end) = name.split_at_checked(name.len().checked_sub(domain.len())?)?;
    before.strip_suffix('.').filter(|_| end.eq_ignore_ascii_case(domain))
}
