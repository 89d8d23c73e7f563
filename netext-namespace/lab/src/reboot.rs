//! A host that loses its power, and comes back with its disk.

use std::fs;
use std::path::Path;

use crate::lab::Lab;
use crate::processes;

/// Which of the lab's machines were plugged in where.
#[derive(Debug)]
#[must_use = "the lab's machines are unplugged until they are plugged in again"]
pub struct Unplugged<'lab> {
    lab: &'lab Lab,
    ports: Vec<(String, String)>,
}

impl Lab {
    /// Takes from the host whatever it does not have on disk: routers' namespaces with all processes in them, and
    /// every interface but the wires to the lab's other machines, which hang loose until they are
    /// [plugged in again](Unplugged::plug_in).
    #[track_caller]
    pub fn reboot(&self) -> Unplugged<'_> {
        let names = self.namespaces();
        let routers: Vec<_> = names.iter().filter_map(|name| self.host().named_namespace(name)).collect();
        processes::end_network_of(&routers);
        let interfaces = self.interfaces();
        let ports = self.host().run(|| {
            let entries = fs::read_dir("/sys/class/net").expect("the host's interfaces").flatten();
            let ports = entries.filter_map(|entry| {
                let bridge = fs::read_link(entry.path().join("master")).ok()?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let bridge = Path::new(&bridge).file_name()?.to_string_lossy().into_owned();
                name.starts_with("lab").then_some((name, bridge))
            });
            ports.collect()
        });
        for name in &names {
            self.host().ip(&format!("netns delete {name}\n"));
        }
        drop(routers);
        // Ends of pairs go with their namespaces, some time or other.
        for interface in interfaces.iter().filter(|name| *name != "lo") {
            let _ = self.host().try_ip(&format!("link delete {interface}\n"));
        }
        for interface in interfaces.iter().filter(|name| *name != "lo") {
            self.await_end_of_interface(interface);
        }
        Unplugged { lab: self, ports }
    }
}

impl Unplugged<'_> {
    /// Plugs the machines into the bridges that they were in, which must be there again.
    #[track_caller]
    pub fn plug_in(self) {
        for (port, bridge) in self.ports {
            self.lab.host().ip(&format!("link set {port} master {bridge} up\n"));
        }
    }
}
