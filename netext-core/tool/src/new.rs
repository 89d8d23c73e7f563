//! `netext new`: creates a vendor's crate.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_protocol::{Command, Output, Scope, Service, for_each_command};
use serde_json::json;

use crate::arguments::{Services, services};
use crate::printer::{Printer, fail, print_json, say};

/// Create a crate for an extension in Rust: device, tests, Makefile, README.
///
/// The crate builds and passes conformance; the methods of its device are left to write. It depends on the checkout of
/// netext that contains this tool or the current folder, or that this tool was installed from; otherwise on the published
/// crate.
#[derive(clap::Args)]
pub(crate) struct NewArguments {
    /// The name of the extension, its crate, its folder and its executable.
    name: String,
    /// The services of the extension, such as Dhcp,Dns.
    #[arg(long, value_name = "SERVICES", value_parser = services, default_value = "none")]
    services: Services,
    /// The extension carries VPCs.
    #[arg(long)]
    vpc: bool,
    /// The folder of the crate; default: its name.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &NewArguments, printer: Printer) -> ExitCode {
    let mut scaffold = match Scaffold::new(&arguments.name) {
        Ok(scaffold) => scaffold.services(arguments.services.0.iter().copied()),
        Err(error) => return fail(error),
    };
    if arguments.vpc {
        scaffold = scaffold.vpc();
    }
    let checkout = checkout();
    if let Some(checkout) = &checkout {
        scaffold = scaffold.checkout(checkout);
    }
    let folder = arguments.out.clone().unwrap_or_else(|| PathBuf::from(&arguments.name));
    if let Err(error) = scaffold.write(&folder) {
        let remedy = match error.kind() {
            io::ErrorKind::AlreadyExists => "; remove it, or name another folder with --out",
            _ => "",
        };
        return fail(format_args!("cannot create {}: {error}{remedy}", folder.display()));
    }
    if printer.json {
        let files: Vec<_> = scaffold.files().into_iter().map(|(path, _)| path).collect();
        print_json(&json!({"name": arguments.name, "folder": folder, "files": files, "checkout": checkout}));
    } else {
        let folder = folder.display();
        let netext = checkout.map_or_else(
            || format!("the published netext-core {}", env!("CARGO_PKG_VERSION")),
            |checkout| format!("the netext of {}", checkout.display()),
        );
        say(format_args!("created {folder}, on {netext}"));
        say(format_args!("next: cd {folder} && cargo test, then write src/device.rs"));
    }
    ExitCode::SUCCESS
}

/// The checkout of netext that contains this tool or the current folder, or that this tool was installed from.
fn checkout() -> Option<PathBuf> {
    let executable = std::env::current_exe().ok();
    let here = std::env::current_dir().ok();
    let is_checkout = |folder: &&Path| {
        let text = std::fs::read_to_string(folder.join("netext-core/Cargo.toml")).unwrap_or_default();
        text.contains("\nname = \"netext-core\"\n") && folder.join("Cargo.lock").is_file()
    };
    let built_from = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let places = [executable, here, built_from];
    places.iter().flatten().flat_map(|place| place.ancestors()).find(is_checkout).map(Path::to_owned)
}

/// The width of a line of code in rustfmt.
const WIDTH: usize = 100;

/// A new crate.
#[derive(Clone, Debug)]
struct Scaffold {
    name: String,
    services: BTreeSet<Service>,
    vpc: bool,
    checkout: Option<PathBuf>,
}

/// A name that a crate or an extension cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of an extension: a name has lower-case letters, digits and single hyphens, begins with \
         a letter, has 50 characters at most, and is not a word of Rust"
)]
struct InvalidName(String);

impl Scaffold {
    /// A crate with this name, which is also the executable's, and the extension's in CloudStack.
    fn new(name: &str) -> Result<Self, InvalidName> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        let begins_well = name.starts_with(|it: char| it.is_ascii_lowercase());
        if !begins_well
            || name.len() > 50
            || !name.split('-').all(is_word)
            || RESERVED.split(' ').any(|it| it == name)
        {
            return Err(InvalidName(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), services: BTreeSet::new(), vpc: false, checkout: None })
    }

    /// Adds a method for every command of these services.
    fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services.extend(services);
        self
    }

    /// Adds a method for every command about a VPC.
    fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// Depends on the netext of a checkout, instead of the published one.
    fn checkout(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkout = Some(folder.into());
        self
    }

    /// The crate's files: path in its folder, and content.
    fn files(&self) -> Vec<(&'static str, String)> {
        let file = |path, template: &str| (path, self.filled(template));
        vec![
            file("Cargo.toml", include_str!("../templates/Cargo.toml.template")),
            file("src/main.rs", include_str!("../templates/main.rs.template")),
            file("src/device.rs", include_str!("../templates/device.rs.template")),
            file("tests/extension.rs", include_str!("../templates/extension.rs.template")),
            file("Makefile", include_str!("../templates/Makefile.template")),
            file("README.md", include_str!("../templates/README.md.template")),
            file(".gitignore", include_str!("../templates/gitignore.template")),
        ]
    }

    /// Writes the crate to a folder, which must not exist. A crate on a checkout gets its Cargo.lock, so that it builds
    /// offline if the checkout does.
    fn write(&self, folder: &Path) -> io::Result<()> {
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::create_dir(folder)?;
        for (path, content) in self.files() {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(path, content)?;
        }
        if let Some(checkout) = &self.checkout {
            std::fs::copy(checkout.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        }
        Ok(())
    }

    fn filled(&self, template: &str) -> String {
        template
            .replace("@NAME@", &self.name)
            .replace("@DEVICE@", &camel_case(&self.name))
            .replace("@DEPENDENCY@", &self.dependency(""))
            .replace("@DEV_DEPENDENCY@", &self.dependency(", features = [\"testing\"]"))
            .replace("@DECLARED@", &self.declared())
            .replace("@IMPORTS@", &self.imports())
            .replace("@METHODS@", &self.commands().map(method).collect::<String>())
    }

    fn dependency(&self, more: &str) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match &self.checkout {
            Some(checkout) => {
                // A string in JSON is one in TOML.
                let path = serde_json::Value::from(checkout.join("netext-core").to_string_lossy());
                format!("{{ path = {path}{more} }}")
            }
            None => format!("{{ version = \"{version}\"{more} }}"),
        }
    }

    /// The commands with a method: those that every device implements, and those of the services.
    fn commands(&self) -> impl Iterator<Item = Command> {
        let is_wanted = |command: &Command| match command {
            Command::ImplementNetwork | Command::ShutdownNetwork | Command::DestroyNetwork => true,
            command if command.scope() == Scope::Vpc => self.vpc,
            command => command.services().iter().any(|service| self.services.contains(service)),
        };
        Command::ALL.iter().copied().filter(is_wanted)
    }

    fn declared(&self) -> String {
        let mut declared = String::new();
        for service in &self.services {
            // Writing to a string cannot fail.
            let _ = write!(declared, "\n            .service(Service::{service:?})");
        }
        if self.vpc {
            declared.push_str("\n            .vpc()");
        }
        declared
    }

    fn imports(&self) -> String {
        let mut names: BTreeSet<_> = self.commands().map(|command| signature(command).1).collect();
        names.insert("NetworkUpdate");
        if self.services.contains(&Service::CustomAction) {
            names.insert("ActionResult");
        }
        if !self.services.is_empty() {
            names.insert("Service");
        }
        let names: Vec<_> = names.into_iter().collect();
        let line = format!("use netext_core::protocol::{{{}}};", names.join(", "));
        if line.len() <= WIDTH {
            return line;
        }
        let mut lines = String::from("use netext_core::protocol::{");
        let mut length = WIDTH;
        for name in names {
            if length + name.len() + 2 > WIDTH {
                lines.push_str("\n   ");
                length = 3;
            }
            let _ = write!(lines, " {name},");
            length += name.len() + 2;
        }
        lines.push_str("\n};");
        lines
    }
}

/// A method with an empty body.
fn method(command: Command) -> String {
    let (method, request) = signature(command);
    let (output, body) = match command.output() {
        Output::NetworkUpdate => ("Option<NetworkUpdate>", "Ok(None)"),
        Output::ActionResult => (
            "ActionResult",
            "let unknown = format!(\"{:?} is not an action of this device\", request.action);\n        \
             Err(DeviceError::invalid(unknown))",
        ),
        _ => ("()", "Ok(())"),
    };
    let argument = if command.output() == Output::ActionResult { "request" } else { "_" };
    let one_line = format!(
        "    async fn {method}(&self, _: &Context, {argument}: {request}) -> Result<{output}, DeviceError> {{"
    );
    let head = if one_line.len() <= WIDTH {
        one_line
    } else {
        format!(
            "    async fn {method}(\n        &self,\n        _: &Context,\n        {argument}: {request},\n    ) -> \
             Result<{output}, DeviceError> {{"
        )
    };
    format!("\n    // {}\n{head}\n        {body}\n    }}\n", command.summary())
}

macro_rules! define_signature {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        /// The method of a command, and the type of its request.
        fn signature(command: Command) -> (&'static str, &'static str) {
            match command {
                $(Command::$variant => (stringify!($method), stringify!($variant)),)*
                _ => unreachable!("every row of the table has its arm above"),
            }
        }
    };
}

for_each_command!(define_signature);

fn camel_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect()
}

/// Words of Rust or cargo, and names that the generated code uses otherwise.
const RESERVED: &str = "\
    abstract alloc as async await become box break build const context continue core crate deps do dyn \
    else enum examples extern false final fn for gen if impl in incremental let loop macro match mod \
    move mut netext-core netext-protocol option override priv pub ref result return self service static \
    std string struct super test trait true try type typeof unsafe unsized use virtual where while yield";
