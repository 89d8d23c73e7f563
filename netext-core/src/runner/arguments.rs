//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use netext_protocol::{Command, PROTOCOL_VERSION};

use crate::{Description, DeviceError, Invocation};

/// The longest timeout, in seconds: a day. A larger one is a mistake.
const MAX_TIMEOUT_SECONDS: u64 = 86_400;

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// `--describe`
    Describe,
    /// A command of the protocol.
    Command(Invoked),
}

/// `<command> <payload-file> <timeout-seconds>`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invoked {
    pub(super) command: Command,
    pub(super) payload_path: PathBuf,
    pub(super) timeout: Duration,
}

/// The name that the program was started with, without its folder.
pub(super) fn program_name(args: &[OsString]) -> String {
    let path = args.first().map(Path::new);
    path.and_then(Path::file_name)
        .map_or_else(|| "extension".into(), |name| name.to_string_lossy().into_owned())
}

impl Arguments {
    /// Parses the arguments, the program's name first. The timeout is optional for people: the default is the server's.
    pub(super) fn parse(program: &str, args: &[OsString]) -> Result<Self, DeviceError> {
        let refuse = |problem: String| {
            DeviceError::invalid(format!(
                "{problem}; usage: {program} <command> <payload-file> <timeout-seconds>, or {program} --help"
            ))
        };
        let (name, path, timeout) = match args.get(1..).unwrap_or_default() {
            [] => return Err(refuse("no command is given".to_owned())),
            [flag] if flag == "--help" || flag == "-h" => return Ok(Self::Help),
            [flag] if flag == "--version" || flag == "-V" => return Ok(Self::Version),
            [flag] if flag == "--describe" => return Ok(Self::Describe),
            [name] => (name, None, None),
            [name, path] => (name, Some(path), None),
            [name, path, timeout] => (name, Some(path), Some(timeout)),
            [_, _, _, more @ ..] => {
                return Err(refuse(format!("{} arguments too many are given", more.len())));
            }
        };
        let command = name.to_string_lossy().parse().map_err(|unknown| refuse(format!("{unknown}")))?;
        let path = path.ok_or_else(|| refuse(format!("{command}: no payload file is given")))?;
        let timeout = timeout.map_or(Ok(Invocation::DEFAULT_TIMEOUT), |text| {
            seconds(text).ok_or_else(|| {
                refuse(format!(
                    "the timeout {:?} is not a whole number of seconds from 1 to {MAX_TIMEOUT_SECONDS}",
                    text.to_string_lossy()
                ))
            })
        })?;
        Ok(Self::Command(Invoked { command, payload_path: path.into(), timeout }))
    }

    /// The text that a flag prints; empty for a command.
    pub(super) fn answer(&self, program: &str, description: &Description) -> String {
        match self {
            Self::Help => help(program, description),
            Self::Version => {
                format!("{} {} (protocol {PROTOCOL_VERSION})\n", description.name(), description.version())
            }
            Self::Describe => format!("{:#}\n", description.to_json()),
            Self::Command(_) => String::new(),
        }
    }
}

fn seconds(text: &OsStr) -> Option<Duration> {
    let text = text.to_str()?;
    // `parse` alone would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits { text.parse().ok()? } else { return None };
    (1..=MAX_TIMEOUT_SECONDS).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn help(program: &str, description: &Description) -> String {
    let commands: Vec<_> = description.commands().map(|command| format!("  {command}\n")).collect();
    format!(
        "{name} {version}: a network extension for Apache CloudStack\n\
         \n\
         usage: {program} <command> <payload-file> <timeout-seconds>\n\
         \n\
         The management server runs this for every event of a network, with a command, a file that holds\n\
         its payload as JSON, and a timeout in seconds (default: 60).\n\
         \n\
         options:\n  \
           --describe  print services and capabilities as JSON, ready to be registered\n  \
           --version   print the versions of the extension and of the protocol\n  \
           --help      print this help\n\
         \n\
         commands:\n{commands}\
         \n\
         Commands of other services succeed without doing anything.\n\
         \n\
         exit codes:\n   \
           0  success\n   \
           1  invalid command line, payload or configuration\n   \
           2  cannot reach the device, or authentication failed\n   \
           3  the device failed\n   \
           4  timed out\n   \
           5  command not implemented\n  \
           70  a defect of the extension\n",
        name = description.name(),
        version = description.version(),
        commands = commands.concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Arguments, String> {
        let args: Vec<OsString> = [&["/opt/acme.sh"], args].concat().into_iter().map(Into::into).collect();
        Arguments::parse(&program_name(&args), &args).map_err(|error| {
            assert_eq!(error.exit_code(), 1);
            error.report()
        })
    }

    fn invoked(seconds: u64) -> Arguments {
        Arguments::Command(Invoked {
            command: Command::AssignIp,
            payload_path: "/p.json".into(),
            timeout: Duration::from_secs(seconds),
        })
    }

    #[test]
    fn the_servers_command_line_is_understood() {
        assert_eq!(parse(&["assign-ip", "/p.json", "1"]), Ok(invoked(1)));
        assert_eq!(parse(&["assign-ip", "/p.json", "86400"]), Ok(invoked(86_400)));
    }

    #[test]
    fn a_person_may_leave_the_timeout_out() {
        assert_eq!(parse(&["assign-ip", "/p.json"]), Ok(invoked(60)));
    }

    #[test]
    fn a_malformed_timeout_is_refused_by_name() {
        for timeout in ["", "0", "86401", "-1", "+60", "1.5", "60s", " 60", "99999999999999999999", "\u{661}"]
        {
            let error = parse(&["assign-ip", "/p.json", timeout]).unwrap_err();
            assert!(error.contains(&format!("{timeout:?}")), "{error}");
            assert!(error.contains("from 1 to 86400"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_said_with_the_usage() {
        for (args, problem) in [
            (&[][..], "no command is given"),
            (&["assign-ip"], "assign-ip: no payload file is given"),
            (&["assign-ip", "/p.json", "60", "x", "y"], "2 arguments too many"),
            (&["assign-pi", "/p.json", "60"], "\"assign-pi\" is not a command"),
            (&["--verbose"], "\"--verbose\" is not a command"),
            (&["Assign-Ip", "/p.json", "60"], "\"Assign-Ip\" is not a command"),
        ] {
            let error = parse(args).unwrap_err();
            assert!(error.contains(problem), "{error}");
            assert!(error.contains("usage: acme.sh <command> <payload-file> <timeout-seconds>"), "{error}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal_and_names_what_it_must() {
        let help = help("acme.sh", &Description::new("acme", "1.2.3"));
        assert!(help.lines().all(|line| line.len() <= 100 && line.trim_end() == line), "{help}");
        for part in ["acme 1.2.3", "acme.sh <command>", "--describe", "  implement-network\n", "  70  "] {
            assert!(help.contains(part), "{part}: {help}");
        }
        assert!(!help.contains("assign-ip"), "{help}");
    }
}
