//! Credentials, which no output may show.

use netext_protocol::{Command, PhysicalDetails};
use serde_json::Value;

use crate::testing::call::ExtensionCall;
use crate::testing::conformance::check::{Check, Checked, ExtensionUnderTest, SampleNetwork, failed};
use crate::testing::payload::{Payload, as_gson_writes};

/// Takes the place of credentials in details and payloads.
const SECRET: &str = "netext-conformance-credential-5f27";

pub(super) static CHECKS: &[&Check] = &[&Check {
    id: "secrets",
    requirement: "No output shows a credential, even if a command fails.",
    reason: "The server logs the output, and shows some of it to tenants.",
    remedy: "Name the wrong field in an error, and never print the payload, the registered details or the value of \
             a credential. Keep credentials out of the device's details too: they are stored in plain text.",
    varies: &[],
    run: |tested| tested.network().implemented().removed_after(|network| try_to_see(tested, network)),
}];

fn try_to_see(tested: &ExtensionUnderTest<'_>, network: &SampleNetwork<'_>) -> Checked {
    let document = |command| with_secrets(tested, network.payload(command));
    let implemented = |commands: &[Command]| -> Vec<_> {
        commands.iter().copied().filter(|it| tested.profile.implements(*it)).collect()
    };
    // The server stores or shows the responses of these.
    for command in
        implemented(&[Command::ImplementNetwork, Command::EnsureNetworkDevice, Command::CustomAction])
    {
        let (name, document) = (command.name(), document(command));
        let mut malformed = document.clone();
        match malformed.get_mut("payload") {
            Some(payload) => payload["network_id"] = "two hundred".into(),
            None => malformed["network_id"] = "two hundred".into(),
        }
        let mut wrong = document.clone();
        wrong["payload"] = SECRET.into();
        let text = as_gson_writes(&document);
        let end = text.find(SECRET).map_or(text.len() / 2, |start| start + SECRET.len());
        hides_credentials(tested, name, "a malformed id", &as_gson_writes(&malformed))?;
        hides_credentials(tested, name, "a payload of the wrong shape", &as_gson_writes(&wrong))?;
        hides_credentials(tested, name, "a truncated payload", &text[..end])?;
        hides_credentials(tested, "make-coffee", "credentials", &text)?;
        hides_credentials(tested, name, "credentials", &text)?;
    }
    for command in
        implemented(&[Command::SavePassword, Command::SaveUserdata, Command::SaveSshkey, Command::SaveVmData])
    {
        let (name, document) = (command.name(), document(command));
        let mut malformed = document.clone();
        malformed["payload"]["mac"] = "none".into();
        hides_credentials(tested, name, "credentials", &as_gson_writes(&document))?;
        hides_credentials(tested, name, "a malformed address", &as_gson_writes(&malformed))?;
    }
    Ok(())
}

/// The document of a payload, with the secret in every place of a credential.
fn with_secrets(tested: &ExtensionUnderTest<'_>, mut payload: Payload) -> Value {
    for name in ["password", "userdata", "sshkey"] {
        if payload.field(name).is_some() {
            payload = payload.with(name, SECRET);
        }
    }
    let mut document = tested.server.document(&payload);
    for name in ["password", "sshkey"] {
        let details = &mut document[PhysicalDetails::KEYS[0]];
        if details.get(name).is_none() {
            details[name] = SECRET.into();
        }
    }
    document
}

fn hides_credentials(tested: &ExtensionUnderTest<'_>, command: &str, what: &str, text: &str) -> Checked {
    let printed = tested.server.call(command, &ExtensionCall::new(command, text)).response.printed();
    if printed.contains(SECRET) {
        return failed(format!("{command} with {what} printed a credential of its payload"));
    }
    // A short value can be part of any text.
    let is_credential = |name: &str, value: &str| {
        matches!(name, "password" | "sshkey" | "token" | "secret")
            && value.len() >= 6
            && !PhysicalDetails::is_harmless(name)
    };
    let mut registered = tested.server.registered().iter();
    let shown = registered.find(|(name, value)| {
        value.as_str().is_some_and(|value| is_credential(name, value) && printed.contains(value))
    });
    match shown {
        Some((name, _)) => failed(format!("{command} with {what} printed the registered {name}")),
        None => Ok(()),
    }
}
