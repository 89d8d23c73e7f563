//! `netext simulate`: plays the management server.

use std::process::ExitCode;

use clap::ValueEnum;
use netext_core::testing::{Progress, Scenario, SentCommand};
use netext_protocol::Sender;
use serde_json::{Value, json};

use crate::arguments::ExtensionArguments;
use crate::printer::{Printer, Tone, fail, print_json, say, verdict};

/// Send the commands of a scenario to an extension as the management server does, and show how the server judges
/// the responses.
///
/// The tool writes payload files as the server writes them, and reads standard output and error as one stream to its
/// end. Before almost every command it sends ensure-network-device, and stores the details that the extension returns.
/// The scenarios of the tool are isolated-network, vpc, shared-network, restart and failover.
///
/// The published README of the protocol documents fewer fields than the server sends, and other senders follow it:
/// play a scenario in each --style.
///
/// The commands are real: the extension executes them. Exit code 0: no problem was found.
#[derive(clap::Args)]
pub(crate) struct SimulateArguments {
    #[command(flatten)]
    extension: ExtensionArguments,
    /// Continue after a problem.
    #[arg(long)]
    keep_going: bool,
    /// Write payloads as this sender does.
    #[arg(long, value_enum, default_value_t = PayloadStyle::Server)]
    style: PayloadStyle,
    /// The name of a scenario that comes with the tool, or the path of a file.
    scenario: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PayloadStyle {
    /// Today's server.
    Server,
    /// Senders that follow the published README: only the fields that it documents.
    Readme,
    /// Senders that follow an older README: lists of rules and metadata as JSON text or Base64.
    Older,
}

impl PayloadStyle {
    fn sender(self) -> Sender {
        match self {
            Self::Server => Sender::Server,
            Self::Readme => Sender::Readme,
            Self::Older => Sender::Older,
        }
    }
}

/// Show the scenarios that come with the tool.
#[derive(clap::Args)]
pub(crate) struct ScenariosArguments {
    /// Print the file of this scenario, to start your own from.
    name: Option<String>,
}

pub(crate) fn run(arguments: &SimulateArguments, printer: Printer) -> ExitCode {
    match play(arguments, printer) {
        Ok(problems) => verdict(problems == 0),
        Err(why) => fail(why),
    }
}

fn play(arguments: &SimulateArguments, printer: Printer) -> Result<usize, String> {
    let scenario = load(&arguments.scenario)?;
    let mut server = arguments.extension.server()?.style(arguments.style.sender());
    let services = arguments.extension.profile(server.extension())?.services;
    if !printer.json {
        say(scenario.title());
    }
    let mut steps = Vec::new();
    let problems = scenario.play(&mut server, &services, arguments.keep_going, &mut |progress| {
        if printer.json { steps.push(as_json(&progress)) } else { show(printer, &progress) }
    });
    if printer.json {
        print_json(&json!({"title": scenario.title(), "problems": problems, "steps": steps}));
    } else {
        say(match problems {
            0 => printer.paint(Tone::Good, "\nno problems"),
            1 => printer.paint(Tone::Bad, "\n1 problem"),
            many => printer.paint(Tone::Bad, format_args!("\n{many} problems")),
        });
    }
    Ok(problems)
}

fn load(scenario: &str) -> Result<Scenario, String> {
    if let Some(scenario) = Scenario::named(scenario) {
        return Ok(scenario);
    }
    let text = std::fs::read_to_string(scenario).map_err(|error| {
        let names: Vec<_> = Scenario::names().collect();
        format!("{scenario:?} is neither a scenario ({}) nor a file: {error}", names.join(", "))
    })?;
    Scenario::parse(&text).map_err(|error| format!("{scenario}: {error}"))
}

fn show(printer: Printer, progress: &Progress<'_>) {
    match progress {
        Progress::Event(event) => say(format_args!("\n{event}")),
        Progress::Registered(details) => {
            for (name, value) in details {
                say(format_args!("        registered: {name}={value}"));
            }
        }
        Progress::NotSent(command) => {
            let services: Vec<_> = command.services().iter().map(|service| service.name()).collect();
            say(printer.paint(
                Tone::Faint,
                format_args!(
                    "  -     {:<26} not sent: the extension does not provide {}",
                    command.name(),
                    services.join(" or ")
                ),
            ));
        }
        Progress::Sent(sent) => show_sent(printer, sent),
        _ => {}
    }
}

fn show_sent(printer: Printer, sent: &SentCommand<'_>) {
    let problem = sent.problem();
    let mark =
        if problem.is_some() { printer.paint(Tone::Bad, "FAIL") } else { printer.paint(Tone::Good, "ok  ") };
    let milliseconds = sent.took.as_secs_f64() * 1000.0;
    say(format_args!("  {mark}  {:<26} {milliseconds:>7.1} ms", sent.payload.command().name()));
    if let Some(details) = &sent.stored {
        say(format_args!("        the server stores: {details}"));
    }
    let output = sent.judged.response.printed();
    if sent.judged.is_success() && !output.trim().is_empty() {
        say(format_args!("        it returned: {}", output.trim()));
    }
    if let Some(problem) = problem {
        say(format_args!("        {problem}"));
    }
}

fn as_json(progress: &Progress<'_>) -> Value {
    match progress {
        Progress::Event(event) => json!({ "event": event }),
        Progress::Registered(details) => {
            let details: serde_json::Map<_, _> =
                details.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
            json!({ "registered": details })
        }
        Progress::NotSent(command) => json!({ "not_sent": command.name() }),
        Progress::Sent(sent) => json!({
            "command": sent.payload.command().name(),
            "verdict": sent.judged.verdict.to_string(),
            "problem": sent.problem(),
            "breaches": sent.judged.breaches,
            "exit_code": sent.judged.response.code(),
            "output": sent.judged.response.output,
            "stored": sent.stored,
            "milliseconds": sent.took.as_secs_f64() * 1000.0,
        }),
        _ => Value::Null,
    }
}

pub(crate) fn list(arguments: &ScenariosArguments, printer: Printer) -> ExitCode {
    if let Some(name) = &arguments.name {
        return match Scenario::text(name) {
            Some(text) => {
                printer.show(text);
                ExitCode::SUCCESS
            }
            None => fail(format_args!("{name:?} is not a scenario of the tool; netext scenarios lists them")),
        };
    }
    let scenarios: Vec<_> =
        Scenario::names().filter_map(|name| Some((name, Scenario::named(name)?))).collect();
    if printer.json {
        let scenarios: Vec<_> =
            scenarios.iter().map(|(name, it)| json!({"name": name, "title": it.title()})).collect();
        print_json(&scenarios);
    } else {
        for (name, scenario) in scenarios {
            say(format_args!("{name:<18} {}", scenario.title()));
        }
    }
    ExitCode::SUCCESS
}
