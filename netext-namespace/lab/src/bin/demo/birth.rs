//! A real machine, with its own kernel, boots and configures itself from the network.

use netext_lab::Expectation::Answered;
use netext_lab::{Forward, Instance, joined};
use serde_json::{Value, json};

use crate::picture::{CLIENT, SOURCE_NAT};
use crate::stage::{Observation, Stage, reached};

const ADDRESS: &str = "10.1.1.20";
const NAME: &str = "web-20";
const MAC: &str = "02:01:00:d1:00:14";
const USER_DATA: &str = "#cloud-config\nhello: world\n";
const PASSWORD: &str = "kE3=p&x9'<>";

/// Deploys an instance as the server does, boots it, and uses the router's services from inside it.
pub(crate) fn a_real_instance_boots(stage: &mut Stage<'_>) {
    stage.act("A real instance boots: Debian's kernel under qemu, its NIC on the guest bridge");
    deploy(stage);
    let instance = stage.network.instance("image", MAC);
    stage.claim("DHCP gives it the address reserved for its NIC", lease(&instance));
    let name = format!("nslookup -type=a {NAME}.cs1.internal 10.1.1.1 | grep -q {ADDRESS} && echo {ADDRESS}");
    stage.claim("DNS resolves its name", says(&instance, &name, &format!("{ADDRESS}\n")));
    let user_data = "wget -qO- http://10.1.1.1/latest/user-data";
    stage.claim("It reads its user data, byte for byte", says(&instance, user_data, USER_DATA));
    let host_name = "wget -qO- http://10.1.1.1/latest/meta-data/local-hostname";
    stage.claim("It reads its metadata", says(&instance, host_name, NAME));
    let password = |words: &str| format!("wget -qO- --header 'DomU_Request: {words}' http://10.1.1.1:8080/");
    let handed_out = says(&instance, &password("send_my_password"), PASSWORD);
    stage.claim("It gets its password", handed_out.map(|_| "the password".to_owned()));
    let forgotten = says(&instance, &password("saved_password"), "saved_password")
        .and_then(|_| says(&instance, &password("send_my_password"), "saved_password"));
    stage.claim("The password is deleted after its first read", forgotten);
    instance.listens_tcp(22);
    let client = stage.lab.client(CLIENT);
    let outside = client.tries_tcp(&format!("{SOURCE_NAT}:2222"), Answered);
    stage.claim("The outside reaches it through the port forward", reached(outside, NAME, CLIENT));
}

fn deploy(stage: &mut Stage<'_>) {
    let forward = Forward::tcp(&format!("{SOURCE_NAT}:2222"), &format!("{ADDRESS}:22"));
    let about = format!("tcp {SOURCE_NAT}:2222 to {ADDRESS}:22");
    stage.command("add-port-forward", &about, &stage.network.forward_fields(&forward));
    let nic = stage.network.nic_fields(ADDRESS);
    let mut say = |command: &str, about: &str, fields: &Value| {
        stage.command(command, about, &joined(&nic, fields));
    };
    say("prepare-nic", ADDRESS, &json!({}));
    let subnet = json!({"dns": "198.51.100.53", "domain": "cs1.internal"});
    say("config-dhcp-subnet", "cs1.internal", &subnet);
    say("add-dhcp-entry", &format!("{MAC} is {ADDRESS}"), &subnet);
    say("config-dns-subnet", "cs1.internal", &subnet);
    say("add-dns-entry", &format!("{NAME} is {ADDRESS}"), &subnet);
    let file = |dir: &str, file: &str, content: &str| json!({"dir": dir, "file": file, "content": content});
    let vm_data = [file("userdata", "user_data", USER_DATA), file("metadata", "local-hostname", NAME)];
    say("save-vm-data", "user data, host name", &json!({"vm_data": vm_data}));
    say("save-password", "", &json!({"password": PASSWORD}));
}

fn lease(instance: &Instance) -> Observation {
    let lease = instance.tries_lease()?;
    let option = |name: &str| lease.option(name).unwrap_or("none").to_owned();
    let seen = format!("{}, {}, router {}", option("ip"), option("hostname"), option("router"));
    if option("ip") == ADDRESS { Ok(seen) } else { Err(seen) }
}

/// The output of a script, which must be `expected`, byte for byte.
fn says(instance: &Instance, script: &str, expected: &str) -> Observation {
    let ran = instance.tries(script);
    let printed = String::from_utf8_lossy(&ran.output);
    if ran.code == 0 && printed == expected {
        Ok(format!("{:?}", printed.trim_end()))
    } else {
        Err(format!("{ran:?}"))
    }
}
