//! One command: when it comes, what it says, and what it is answered.

use std::collections::BTreeSet;

use netext_protocol::{Command, Effect, Output, Shape};

use super::fields::{Field, Object, Objects};
use super::{example, line, output, services};

pub(super) fn section(command: Command) -> String {
    let mut page = String::new();
    line(&mut page, format_args!("## {command}\n\n{}\n", command.summary()));
    line(&mut page, format_args!("- **Sent:** {}", command.sent()));
    line(&mut page, format_args!("- **Before it:** {}", ensured(command)));
    line(&mut page, format_args!("- **Services:** {}", services(command)));
    line(&mut page, format_args!("- **Effect:** {}", effect(command)));
    line(&mut page, format_args!("- **Prints:** {}", output(command)));
    let objects = Objects::of(command);
    let place = match command.shape() {
        Shape::Flat => "Fields, which stand beside the details:",
        Shape::Enveloped => "Fields of `payload`:",
    };
    line(&mut page, format_args!("\n{place}\n"));
    table(&mut page, &objects.payload);
    for object in &objects.nested {
        line(&mut page, format_args!("\n`{}`: {}\n", object.name, object.description));
        table(&mut page, object);
    }
    values(&mut page, command, &objects);
    example::add(&mut page, command);
    page
}

fn ensured(command: Command) -> &'static str {
    match (command, command.ensured()) {
        (Command::EnsureNetworkDevice, _) => "nothing",
        (_, 0) => "nothing: the device is not ensured",
        (_, 1) => "`ensure-network-device`; if that fails this command comes all the same",
        (_, _) => "`ensure-network-device`, twice; if that fails this command comes all the same",
    }
}

fn effect(command: Command) -> &'static str {
    match command.effect() {
        Effect::Creates => "creates, or brings back; a second time it changes nothing",
        Effect::Changes => "changes or replaces",
        Effect::Removes => "removes; removing something that does not exist succeeds",
    }
}

/// The fields of an object, those that must be there first.
fn table(page: &mut String, object: &Object) {
    line(page, format_args!("| field | value | sent by | meaning |\n| --- | --- | --- | --- |"));
    let (required, others): (Vec<_>, Vec<_>) = object.fields.iter().partition(|field| field.is_required);
    for Field { name, value, senders, meaning, is_required, .. } in required.into_iter().chain(others) {
        let must = if *is_required { "**Required.** " } else { "" };
        line(page, format_args!("| `{name}` | {value} | {senders} | {must}{meaning} |"));
    }
    for choice in &object.one_of {
        line(page, format_args!("\n**Required:** `{}`.", choice.join("` or `")));
    }
}

/// What the words of the fields mean, each kind of words once.
fn values(page: &mut String, command: Command, objects: &Objects) {
    let mut said = BTreeSet::new();
    let fields = std::iter::once(&objects.payload).chain(&objects.nested).flat_map(|object| &object.fields);
    for field in fields.filter(|field| !field.words.is_empty()) {
        if !said.insert((&field.name, &field.words)) {
            continue;
        }
        line(page, format_args!("\nValues of `{}`:\n", field.name));
        for (word, meaning) in &field.words {
            line(page, format_args!("- `{word}`: {meaning}"));
        }
    }
    if matches!(command.output(), Output::NetworkUpdate) {
        line(page, format_args!("\nValues of `network.broadcast_domain_type` in the answer:\n"));
        for known in netext_protocol::BroadcastDomainType::KNOWN {
            line(page, format_args!("- `{known}`: {}", known.meaning()));
        }
        line(page, format_args!("\nThe server logs and ignores another name, while it stores the URI."));
    }
}
