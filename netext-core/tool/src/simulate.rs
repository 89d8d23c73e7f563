//! `netext simulate`: plays the management server.

use std::process::ExitCode;

use clap::ValueEnum;
use netext_core::testing::{Progress, Scenario, SentCommand};
use netext_protocol::Sender;
use serde_json::{Value, json};

use crate::extension::Registration;
use crate::screen::{Screen, Tone, fail, print_json, say, verdict};

/// Play the management server to an extension, command by command, and tell how the server judges it.
///
/// Payload files are written as the server writes them; output and error are one stream, read to its end;
/// before almost every command the server asks for the device, stores what it answers and hands it back.
/// Scenarios that come with the tool: isolated-network, vpc, shared-network, restart, failover; or a file of
/// one's own.
///
/// The published README of the protocol documents fewer fields than the server sends, and other senders follow
/// it: play a scenario in each --style.
///
/// The commands are real: what the extension does for them is done. Exit code 0: all went as it ought to.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    extension: Registration,
    /// Go on after a problem.
    #[arg(long)]
    keep_going: bool,
    /// The sender whose payloads are written.
    #[arg(long, value_enum, default_value_t = Style::Server)]
    style: Style,
    /// The name of a scenario that comes with the tool, or the path of a file.
    scenario: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Style {
    /// Today's server.
    Server,
    /// Senders that follow the published README: only the fields that it documents.
    Readme,
    /// Senders that follow an older README: lists of rules and metadata as JSON text or Base64.
    Older,
}

impl Style {
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
pub(crate) struct List {
    /// Print the file of one, to start one's own from.
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, screen: Screen) -> ExitCode {
    match play(arguments, screen) {
        Ok(problems) => verdict(problems == 0),
        Err(why) => fail(why),
    }
}

fn play(arguments: &Arguments, screen: Screen) -> Result<usize, String> {
    let scenario = load(&arguments.scenario)?;
    let mut server = arguments.extension.server()?.style(arguments.style.sender());
    let services = arguments.extension.profile(server.extension())?.services;
    if !screen.json {
        say(scenario.title());
    }
    let mut steps = Vec::new();
    let problems = scenario.play(&mut server, &services, arguments.keep_going, &mut |progress| {
        if screen.json { steps.push(as_json(&progress)) } else { tell(screen, &progress) }
    });
    if screen.json {
        print_json(&json!({"title": scenario.title(), "problems": problems, "steps": steps}));
    } else {
        say(match problems {
            0 => screen.paint(Tone::Good, "\nall went as it ought to"),
            1 => screen.paint(Tone::Bad, "\n1 problem"),
            many => screen.paint(Tone::Bad, format_args!("\n{many} problems")),
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

fn tell(screen: Screen, progress: &Progress<'_>) {
    match progress {
        Progress::Event(event) => say(format_args!("\n{event}")),
        Progress::Registered(details) => {
            for (name, value) in details {
                say(format_args!("        registered: {name}={value}"));
            }
        }
        Progress::NotSent(command) => {
            let services: Vec<_> = command.services().iter().map(|service| service.name()).collect();
            say(screen.paint(
                Tone::Faint,
                format_args!(
                    "  -     {:<26} not sent: it does not provide {}",
                    command.name(),
                    services.join(" or ")
                ),
            ));
        }
        Progress::Sent(sent) => tell_sent(screen, sent),
        _ => {}
    }
}

fn tell_sent(screen: Screen, sent: &SentCommand<'_>) {
    let problem = sent.problem();
    let mark =
        if problem.is_some() { screen.paint(Tone::Bad, "FAIL") } else { screen.paint(Tone::Good, "ok  ") };
    let milliseconds = sent.took.as_secs_f64() * 1000.0;
    say(format_args!("  {mark}  {:<26} {milliseconds:>7.1} ms", sent.payload.command().name()));
    if let Some(details) = &sent.stored {
        say(format_args!("        the server stores: {details}"));
    }
    let printed = sent.judged.response.printed();
    if sent.judged.is_success() && !printed.trim().is_empty() {
        say(format_args!("        it answered: {}", printed.trim()));
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

pub(crate) fn list(arguments: &List, screen: Screen) -> ExitCode {
    if let Some(name) = &arguments.name {
        return match Scenario::text(name) {
            Some(text) => {
                screen.show(text);
                ExitCode::SUCCESS
            }
            None => fail(format_args!(
                "{name:?} does not come with the tool; netext scenarios names those that do"
            )),
        };
    }
    let scenarios: Vec<_> =
        Scenario::names().filter_map(|name| Some((name, Scenario::named(name)?))).collect();
    if screen.json {
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
