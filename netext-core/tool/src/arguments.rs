//! The arguments that subcommands share: the extension with its registration, commands, services, and payload files.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use netext_core::testing::{Executable, Extension, ExtensionProfile, Server};
use netext_protocol::{Command, Service};

/// The extension, and its registration.
#[derive(clap::Args)]
pub(crate) struct ExtensionArguments {
    /// The extension: an executable in any language.
    #[arg(long, value_name = "PATH")]
    exec: PathBuf,
    /// A registered detail of the physical network, such as hosts=192.0.2.10; may be repeated.
    #[arg(long = "details", value_name = "NAME=VALUE", value_parser = detail)]
    details: Vec<(String, String)>,
    /// The services that the extension provides, such as Dhcp,Dns, or none. By default it is asked with --describe.
    #[arg(long, value_name = "SERVICES", value_parser = services)]
    services: Option<Services>,
    /// The extension carries VPCs. By default it is asked with --describe.
    #[arg(long)]
    vpc: bool,
    /// A JSON file with the extension's registration: an object with the details network.services and
    /// network.service.capabilities. By default the extension is asked with --describe.
    #[arg(long = "registration", value_name = "FILE", conflicts_with = "services")]
    file: Option<PathBuf>,
}

/// A set of services, as one argument.
#[derive(Clone, Debug)]
pub(crate) struct Services(pub(crate) BTreeSet<Service>);

impl ExtensionArguments {
    /// A server on which the extension is registered.
    pub(crate) fn server(&self) -> Result<Server<Executable>, String> {
        let server = Server::for_executable(&self.exec).map_err(|error| error.to_string())?;
        Ok(self.details.iter().fold(server, |server, (name, value)| server.detail(name, value)))
    }

    /// The profile of the extension: from the arguments, or from its answer to `--describe`.
    pub(crate) fn profile(&self, extension: &impl Extension) -> Result<ExtensionProfile, String> {
        let profile = match (&self.services, &self.file) {
            (Some(Services(services)), _) => ExtensionProfile::new(services.iter().copied()),
            (None, Some(file)) => registered(file)?,
            (None, None) => ExtensionProfile::described_by(extension).map_err(|why| {
                format!(
                    "the services of {} are unknown ({why}): pass --services, such as --services Dhcp,Dns or \
                     --services none, or pass --registration",
                    self.exec.display()
                )
            })?,
        };
        Ok(if self.vpc { profile.vpc() } else { profile })
    }
}

fn registered(file: &Path) -> Result<ExtensionProfile, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let registration = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    ExtensionProfile::registered(&registration).map_err(|error| format!("{}: {error}", file.display()))
}

fn detail(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a detail has the form NAME=VALUE".to_owned()),
    }
}

/// Reads a list of services.
pub(crate) fn services(argument: &str) -> Result<Services, String> {
    if argument == "none" {
        return Ok(Services(BTreeSet::new()));
    }
    argument.split(',').map(|name| service(name.trim())).collect::<Result<_, _>>().map(Services)
}

fn service(name: &str) -> Result<Service, String> {
    Service::named(name).ok_or_else(|| {
        let names: Vec<_> = Service::ALL.iter().map(|service| service.name()).collect();
        format!("{name:?} is not a service; the services are {}", names.join(", "))
    })
}

/// Parses a command by name, so that shells complete it and errors suggest similar names.
pub(crate) fn commands() -> impl TypedValueParser<Value = Command> {
    PossibleValuesParser::new(Command::ALL.iter().map(|command| command.name()))
        .try_map(|name| name.parse::<Command>())
}

/// Reads a payload file; `-` is standard input.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut payload = Vec::new();
    io::stdin().read_to_end(&mut payload)?;
    Ok(payload)
}
