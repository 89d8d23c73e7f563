//! `netext new`: a vendor's crate to start from.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_core::scaffold::Scaffold;
use serde_json::json;

use crate::extension::{Services, services};
use crate::screen::{Screen, fail, print_json, say};

/// Make a crate for an extension in Rust: device, tests on the kit, Makefile, README.
///
/// It builds, and passes conformance; what its device does is left to be written. It is built on the checkout of
/// netext that this tool lies in, is run in, or was installed from, otherwise on the published crate.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The extension's name: of the crate, of its folder, and of the executable.
    name: String,
    /// The services that it is to provide, such as Dhcp,Dns.
    #[arg(long, value_name = "SERVICES", value_parser = services, default_value = "none")]
    services: Services,
    /// It is to carry VPCs.
    #[arg(long)]
    vpc: bool,
    /// The folder to make it in; by default one of its name.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, screen: Screen) -> ExitCode {
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
        return fail(format_args!("cannot make {}: {error}", folder.display()));
    }
    if screen.json {
        let files: Vec<_> = scaffold.files().into_iter().map(|(path, _)| path).collect();
        print_json(&json!({"name": arguments.name, "folder": folder, "files": files, "checkout": checkout}));
    } else {
        let folder = folder.display();
        let netext = checkout.map_or_else(
            || format!("the published netext-core {}", env!("CARGO_PKG_VERSION")),
            |checkout| format!("the netext of {}", checkout.display()),
        );
        say(format_args!("made {folder}, on {netext}"));
        say(format_args!("next: cd {folder} && cargo test, then write src/device.rs"));
    }
    ExitCode::SUCCESS
}

/// The checkout of netext that this tool lies in, is run in, or was installed from.
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
