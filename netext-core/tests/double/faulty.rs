//! An extension that conforms to the protocol except for one planted fault, named by `NETEXT_FAULT`. It does not use
//! the runner, which would prevent most of the faults. Networks are files below `NETEXT_FOLDER`.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "it is faulty on purpose")]

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command as Process, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use netext_core::Description;
use netext_core::protocol::{Capability, Command, Envelope, Output, Request, Service};
use serde_json::{Value, json};

/// Why a command fails: the exit code, and the output on standard error.
type Failure = (u8, String);

pub(crate) struct FaultyExtension {
    fault: String,
    folder: PathBuf,
}

fn main() -> ExitCode {
    let fault = std::env::var("NETEXT_FAULT").unwrap_or_default();
    let folder = std::env::var_os("NETEXT_FOLDER").map(PathBuf::from).unwrap();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match FaultyExtension::new(&fault, folder).run(&arguments) {
        Ok(output) => {
            print!("{output}");
            ExitCode::SUCCESS
        }
        Err((code, error)) => {
            eprint!("{error}");
            ExitCode::from(code)
        }
    }
}

impl FaultyExtension {
    pub(crate) fn new(fault: &str, folder: PathBuf) -> Self {
        Self { fault: fault.to_owned(), folder }
    }

    /// Runs a command. Returns its output, or the exit code and the output on standard error.
    pub(crate) fn run(&self, arguments: &[String]) -> Result<String, Failure> {
        self.respond(arguments).map_err(|(code, error)| match self.fault.as_str() {
            "fails-silently" => (1, String::new()),
            _ => (code, format!("{error}\n")),
        })
    }

    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    /// It does not provide all services, so that some are undeclared.
    fn description(&self) -> Description {
        let services = [Service::SourceNat, Service::Dns, Service::UserData, Service::Firewall];
        let description = Description::new("faulty", "1.0.0").services(services).vpc();
        match self.fault.as_str() {
            "misses-a-capability" => description.without_capability(Capability::FirewallProtocols),
            "misspells-a-capability" => description.capability(Capability::FirewallDirections, "inbound"),
            _ => description,
        }
    }

    fn respond(&self, arguments: &[String]) -> Result<String, Failure> {
        let (name, path, timeout) = match arguments {
            [flag] if flag == "--describe" => return Ok(self.description().to_json().to_string()),
            [] if self.has("succeeds-without-arguments") => return Ok(String::new()),
            [name, path, timeout] => (name, path, timeout),
            _ => return Err((1, "usage: <command> <payload-file> <timeout-seconds>".to_owned())),
        };
        let command: Command = match name.parse() {
            Ok(command) => command,
            Err(_) if self.has("succeeds-with-unknown-commands") => return Ok(String::new()),
            Err(unknown) => return Err((1, format!("{unknown}"))),
        };
        if self.has("reads-its-input") && command == Command::EnsureNetworkDevice {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        }
        let file = match fs::read_to_string(path) {
            Ok(file) => file,
            Err(_) if self.has("succeeds-without-payload") => return Ok(String::new()),
            Err(error) => return Err((1, format!("cannot read {path}: {error}"))),
        };
        if self.has("limits-payloads") && file.len() > 1 << 20 {
            return Err((1, "the payload is too large".to_owned()));
        }
        if self.has("is-slow") && timeout == "1" {
            thread::sleep(Duration::from_secs(6));
        }
        if !self.description().provides(command) {
            let is_action = command == Command::CustomAction;
            return if self.has("refuses-undeclared") || (self.has("refuses-undeclared-actions") && is_action)
            {
                Err((5, format!("{command} is not implemented")))
            } else {
                Ok(String::new())
            };
        }
        self.answer(command, &file)
    }

    fn answer(&self, command: Command, file: &str) -> Result<String, Failure> {
        let document: Value = serde_json::from_str(file).unwrap_or_default();
        if let Some(outcome) = self.misread(command, &document) {
            return outcome;
        }
        let envelope = Envelope::parse(command, file.as_bytes()).map_err(|error| {
            let shown = if self.has("shows-payloads") { file } else { "" };
            (
                1,
                if self.has("shows-stack-traces") {
                    format!("{error}\n  at parse\n  at main")
                } else {
                    format!("{error}{shown}")
                },
            )
        });
        if envelope.is_err() && self.has("forgets-on-refusal") {
            let _ = fs::remove_file(self.network(&document));
        }
        let envelope = envelope?;
        self.refuse(command, &document, &envelope)?;
        self.act(command, &document)?;
        Ok(self.output(command, &document))
    }

    /// Faults of readers that are too lenient: they accept invalid payloads.
    fn misread(&self, command: Command, document: &Value) -> Option<Result<String, Failure>> {
        let payload = &document["payload"];
        let rules = &payload["fw_rules"]["rules"][0];
        let takes = match self.fault.as_str() {
            "takes-anything-for-json" => !document.is_object(),
            "needs-no-id" => {
                command == Command::ImplementNetwork
                    && matches!(payload["network_id"].as_str(), None | Some(""))
                    && payload.is_object()
                    && !payload["network_id"].is_number()
            }
            "takes-malformed-values" => {
                payload["cidr"] == "10.1.1.0/99" && command == Command::ImplementNetwork
            }
            "defaults-rule-words" => rules["protocol"] == "sctp6",
            "takes-texts-for-no-rules" => payload["fw_rules"].as_str().is_some_and(|it| form(it).is_none()),
            _ => false,
        };
        takes.then(|| Ok(String::new()))
    }

    /// Faults of readers that are too strict: they refuse valid payloads.
    fn refuse(
        &self,
        command: Command,
        document: &Value,
        envelope: &Envelope<Request>,
    ) -> Result<(), Failure> {
        let payload = &document["payload"];
        let network = self.network(document);
        let refused = match self.fault.as_str() {
            "refuses-unknown-fields" => document.get("x-netext-conformance").is_some(),
            "refuses-numbers" => payload["network_id"].is_number(),
            "refuses-texts-in-rules" => payload["fw_rules"]["default_egress_allow"].is_string(),
            "refuses-other-spellings" => payload.get("nic_ip6_address").is_some(),
            "refuses-details-as-text" => document["network-extension-details"].is_string(),
            "needs-details" => {
                command == Command::AssignIp
                    && envelope.device_details.get("host").is_none()
                    && document["network-extension-details"].get("left-by").is_none()
            }
            "trusts-details" => document["network-extension-details"].get("left-by").is_some(),
            "repeats-badly" => command == Command::AssignIp && network.with_extension("ip").exists(),
            "deletes-badly" => command == Command::ReleaseNic && !network.exists(),
            "needs-implement-before-rules" => command == Command::ApplyFwRules && !network.exists(),
            "needs-implement-before-nics" => {
                command == Command::PrepareNic && !network.exists() && payload["guest_type"] == "shared"
            }
            "forgets-on-refusal" => {
                command == Command::PrepareNic && !network.exists() && payload["guest_type"] == "isolated"
            }
            "needs-a-nic-id" => {
                command == Command::PrepareNic
                    && payload.get("nic_id").is_none()
                    && !self.nic(document).exists()
            }
            "refuses-json-in-texts" => payload["fw_rules"].as_str().and_then(form) == Some(Form::Json),
            "refuses-base64" => payload["fw_rules"].as_str().and_then(form) == Some(Form::Base64),
            "needs-a-domain" => {
                command == Command::AddDnsEntry
                    && payload.get("domain").is_none()
                    && payload.get("zone_id").is_some()
            }
            "compares-what-is-absent" => {
                command == Command::AssignIp
                    && network.with_extension("ip").exists()
                    && payload.get("zone_id").is_none()
            }
            "forgets-whose-tier-it-is" => {
                command == Command::DestroyNetwork
                    && payload.get("vpc_id").is_none()
                    && network.with_extension("tier").exists()
            }
            "expects-to-be-asked-first" => {
                command == Command::UpdateVpcSourceNatIp && !self.folder.join("asked").exists()
            }
            "refuses-the-readme-s-files" => payload["vm_data"]
                .as_array()
                .is_some_and(|files| files.iter().any(|it| it["dir"] == "meta-data")),
            "needs-a-vlan" => command == Command::ImplementNetwork && payload["vlan"] == "",
            "comes-back-badly" => {
                command == Command::ImplementNetwork && network.with_extension("down").exists()
            }
            "needs-a-vpc-address" => {
                command == Command::ImplementVpc
                    && payload.get("public_ip").is_none()
                    && payload.get("cidr").is_none()
            }
            "refuses-vpc-spellings" => command == Command::ImplementVpc && payload.get("cidr").is_some(),
            "shuts-vpcs-down-badly" => {
                command == Command::ShutdownVpc
                    && !self
                        .folder
                        .join(format!("vpc-{}", payload["vpc_id"].as_str().unwrap_or_default()))
                        .exists()
            }
            "loses-other-tiers" => {
                command == Command::DestroyNetwork
                    && payload.get("vpc_id").is_some()
                    && payload["gateway"] == "10.2.2.1"
            }
            _ => false,
        };
        if refused { Err((3, format!("refused by the fault {}", self.fault))) } else { Ok(()) }
    }

    fn network(&self, document: &Value) -> PathBuf {
        let id = document["payload"].get("network_id").cloned().unwrap_or_default();
        self.folder.join(format!("network-{}", id.as_str().map_or_else(|| id.to_string(), str::to_owned)))
    }

    fn nic(&self, document: &Value) -> PathBuf {
        self.network(document).with_extension("nic")
    }

    fn act(&self, command: Command, document: &Value) -> Result<(), Failure> {
        let network = self.network(document);
        let vpc =
            self.folder.join(format!("vpc-{}", document["payload"]["vpc_id"].as_str().unwrap_or_default()));
        fs::create_dir_all(&self.folder).unwrap();
        if self.has("does-not-wait-for-locks") && command.output() == Output::Nothing {
            let lock = network.with_extension("lock");
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&lock)
                .map_err(|_| (3, "the network is busy".to_owned()))?;
            thread::sleep(Duration::from_millis(50));
            fs::remove_file(lock).unwrap();
        }
        // Only the next command has ensure-network-device right before it.
        let asked = self.folder.join("asked");
        if self.has("expects-to-be-asked-first") && command == Command::EnsureNetworkDevice {
            drop(File::create(&asked).unwrap());
        } else if self.has("expects-to-be-asked-first") {
            let _ = fs::remove_file(&asked);
        }
        match command {
            Command::ImplementNetwork if document["payload"].get("vpc_id").is_some() => {
                drop(File::create(network.with_extension("tier")).unwrap());
                drop(File::create(network).unwrap());
            }
            Command::ImplementNetwork => drop(File::create(network).unwrap()),
            Command::PrepareNic => {
                drop(File::create(self.nic(document)).unwrap());
                drop(File::create(network).unwrap());
            }
            Command::AssignIp => drop(File::create(network.with_extension("ip")).unwrap()),
            Command::ShutdownNetwork => {
                drop(File::create(network.with_extension("down")).unwrap());
                let _ = fs::remove_file(network.with_extension("ip"));
            }
            Command::ReleaseIp => drop(fs::remove_file(network.with_extension("ip"))),
            Command::DestroyNetwork => {
                for extension in ["", "ip", "down", "nic", "tier"] {
                    let _ = fs::remove_file(network.with_extension(extension));
                }
            }
            Command::ImplementVpc => drop(File::create(vpc).unwrap()),
            Command::ShutdownVpc => drop(fs::remove_file(vpc)),
            _ => {}
        }
        Ok(())
    }

    fn output(&self, command: Command, document: &Value) -> String {
        if command == Command::PrepareNic {
            match self.fault.as_str() {
                "prints-progress" => return "prepared\n".to_owned(),
                "warns" => eprintln!("warning: the disk is nearly full"),
                "holds-the-streams" => {
                    let sleeper = Process::new("sleep").arg("2").stdin(Stdio::null()).spawn();
                    drop(sleeper.unwrap());
                }
                _ => {}
            }
        }
        match (command.output(), self.fault.as_str()) {
            (Output::DeviceDetails, "prints-details-as-prose") => "host=192.0.2.10\n".to_owned(),
            (Output::DeviceDetails, "changes-its-mind") => {
                let asked = self.folder.join("asked");
                fs::create_dir_all(&self.folder).unwrap();
                let times = fs::read_to_string(&asked).map_or(0, |text| text.len());
                fs::write(asked, "x".repeat(times + 1)).unwrap();
                json!({ "host": format!("192.0.2.{}", times % 200) }).to_string()
            }
            (Output::DeviceDetails, "reports-a-status")
                if document["payload"]["guest_type"] == "isolated" =>
            {
                json!({ "host": "192.0.2.10", "status": "ready" }).to_string()
            }
            (Output::DeviceDetails, "keeps-credentials-in-details") => {
                let password = &document["physical-network-extension-details"]["password"];
                json!({ "host": "192.0.2.10", "password": password }).to_string()
            }
            (Output::DeviceDetails, _) => json!({ "host": "192.0.2.10" }).to_string(),
            (Output::NetworkUpdate, "prints-half-an-update") => {
                json!({ "network.broadcast_uri": "vlan://1910" }).to_string()
            }
            _ => String::new(),
        }
    }
}

/// How a text holds rules.
#[derive(PartialEq)]
enum Form {
    Json,
    Base64,
}

/// The form of a text that holds rules.
fn form(text: &str) -> Option<Form> {
    let read = |text: &str| {
        let payload = json!({ "network_id": "1", "fw_rules": text });
        Envelope::parse(Command::ApplyFwRules, json!({ "payload": payload }).to_string().as_bytes()).is_ok()
    };
    match text.starts_with('{') {
        _ if !read(text) => None,
        true => Some(Form::Json),
        false => Some(Form::Base64),
    }
}
