//! A vendor's crate to start from.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use netext_protocol::{Command, Output, Scope, Service, for_each_command};

/// Where a line of code ends, as rustfmt has it.
const WIDTH: usize = 100;

/// What a new crate is made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scaffold {
    name: String,
    services: BTreeSet<Service>,
    vpc: bool,
    checkout: Option<PathBuf>,
}

/// A name that no crate and no extension can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of an extension: it begins with a letter, goes on with small letters, digits and \
         single hyphens, has 50 characters at most, and is no word of Rust"
)]
pub struct InvalidName(String);

impl Scaffold {
    /// A crate of a name. It is the crate's, the executable's, and the extension's in CloudStack.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        let begins_well = name.starts_with(|it: char| it.is_ascii_lowercase());
        if !begins_well || name.len() > 50 || !name.split('-').all(is_word) || RESERVED.contains(&name) {
            return Err(InvalidName(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), services: BTreeSet::new(), vpc: false, checkout: None })
    }

    /// With a method for every command of some services.
    pub fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services.extend(services);
        self
    }

    /// With a method for every command about a VPC.
    pub fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// Built on the netext of a checkout, instead of the published one.
    pub fn checkout(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkout = Some(folder.into());
        self
    }

    /// The crate's files: path below its folder, and content.
    pub fn files(&self) -> Vec<(&'static str, String)> {
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

    /// Writes the crate into a folder of its own, which must not be there. Built on a checkout, it gets the
    /// versions of other crates that are locked there, so that it builds without a network where that does.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
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
                // As TOML has texts.
                let path = serde_json::Value::from(checkout.join("netext-core").to_string_lossy());
                format!("{{ path = {path}{more} }}")
            }
            None => format!("{{ version = \"{version}\"{more} }}"),
        }
    }

    /// The commands that get a method: those that every device answers, and those of the services.
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

/// A method, ready to be filled in.
fn method(command: Command) -> String {
    let (method, request) = signature(command);
    let (output, body) = match command.output() {
        Output::NetworkUpdate => ("Option<NetworkUpdate>", "Ok(None)"),
        Output::ActionResult => (
            "ActionResult",
            "let unknown = format!(\"{:?} is not an action of this device\", request.action);\n        \
             Err(DeviceError::invalid(unknown))",
        ),
        Output::Nothing | Output::DeviceDetails => ("()", "Ok(())"),
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

/// Words that mean something to Rust or cargo, and names that the generated code has for something else.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "context",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "netext-core",
    "netext-protocol",
    "option",
    "override",
    "priv",
    "pub",
    "ref",
    "result",
    "return",
    "self",
    "service",
    "static",
    "std",
    "string",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];
