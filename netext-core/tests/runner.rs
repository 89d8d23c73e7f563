//! The runner without a process: environment and outcome are values.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use netext_core::protocol::{
    ActionResult, AddDhcpEntry, AssignIp, Command, CustomAction, DestroyNetwork, DeviceDetails,
    ImplementNetwork, NetworkId, NetworkUpdate, Service, ShutdownNetwork,
};
use netext_core::runner::{Ending, Environment, Interrupter, Outcome, Signal};
use netext_core::{
    Context, Deadline, Description, DeviceError, ErrorKind, Handler, Invocation, NetworkDevice, Reply,
    Runner, async_trait,
};

/// A device that declares Dhcp, implements a part of it, and notes its calls.
#[derive(Clone, Default)]
struct NotingDevice {
    calls: Arc<Mutex<Vec<String>>>,
}

impl NotingDevice {
    fn note(&self, context: &Context, id: NetworkId) {
        self.calls.lock().unwrap().push(format!("{} {}", context.command(), id));
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

#[async_trait]
impl NetworkDevice for NotingDevice {
    fn describe(&self) -> Description {
        Description::new("device", "1.0.0")
            .services([Service::Dhcp, Service::CustomAction])
            .without(Command::RemoveDhcpSubnet)
    }

    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError> {
        self.note(context, request.network.network_id);
        let segment = context.physical_details().get("segment");
        Ok(segment.map(|segment| NetworkUpdate::new("Acme", format!("acme://{segment}"))))
    }

    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<(), DeviceError> {
        self.note(context, request.network.network_id);
        tokio::time::sleep(Duration::from_millis(1)).await;
        context.deadline().check()
    }

    async fn destroy_network(&self, context: &Context, _: DestroyNetwork) -> Result<(), DeviceError> {
        context.deadline().cancelled().await;
        Err(DeviceError::timed_out("called off"))
    }

    async fn assign_ip(&self, _: &Context, _: AssignIp) -> Result<(), DeviceError> {
        unreachable!("SourceNat is not declared");
    }

    async fn add_dhcp_entry(&self, _: &Context, _: AddDhcpEntry) -> Result<(), DeviceError> {
        panic!("first\nsecond");
    }

    async fn custom_action(&self, _: &Context, request: CustomAction) -> Result<ActionResult, DeviceError> {
        Ok(ActionResult::message(format!("did {}", request.action)))
    }
}

/// The two streams, and the outcome.
struct RunResult {
    outcome: Outcome,
    stdout: String,
    stderr: String,
}

fn run_with(
    handler: impl Handler + 'static,
    args: &[&str],
    payload: &str,
    change: impl FnOnce(Environment<'_>) -> Environment<'_>,
) -> RunResult {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let payload = payload.as_bytes().to_vec();
    let args = [&["/opt/device.sh"], args].concat();
    let environment =
        Environment::new(args, &mut stdout, &mut stderr).payload(move |_| Ok(std::io::Cursor::new(payload)));
    let outcome = Runner::new(handler).run(change(environment));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run = RunResult { outcome, stdout: text(stdout), stderr: text(stderr) };
    assert_eq!(run.stdout, run.outcome.output);
    assert_eq!(run.stderr, run.outcome.error.clone().map(|line| line + "\n").unwrap_or_default());
    run
}

fn run(command: &str, payload: &str) -> RunResult {
    run_with(NotingDevice::default(), &[command, "/payload.json", "60"], payload, |environment| environment)
}

const NETWORK: &str = r#"{"payload":{"network_id":"209"}}"#;

#[test]
fn a_request_reaches_its_method_with_its_details() {
    let device = NotingDevice::default();
    let payload = r#"{"physical-network-extension-details":{"segment":"s1"},"payload":{"network_id":209}}"#;
    let run =
        run_with(device.clone(), &["implement-network", "/p", "60"], payload, |environment| environment);
    assert_eq!(device.calls(), ["implement-network 209"]);
    assert_eq!(run.outcome.ending, Ending::Succeeded);
    assert_eq!(
        run.stdout,
        "{\"network.broadcast_domain_type\":\"Acme\",\"network.broadcast_uri\":\"acme://s1\"}\n"
    );
}

#[test]
fn an_empty_answer_prints_nothing() {
    let run = run("implement-network", NETWORK);
    assert_eq!((run.outcome.exit_code(), run.stdout.as_str()), (0, ""));
}

#[test]
fn the_default_device_is_the_current_one() {
    for (payload, details) in [
        (r#"{"payload":{"network_id":"209","current_details":"{\"host\":\"a\"}"}}"#, "{\"host\":\"a\"}\n"),
        (
            r#"{"network-extension-details":{"host":"b"},"payload":{"network_id":"209","current_details":"{}"}}"#,
            "{\"host\":\"b\"}\n",
        ),
        (r#"{"payload":{"vpc_id":"7"}}"#, "{}\n"),
    ] {
        assert_eq!(run("ensure-network-device", payload).stdout, details);
    }
}

#[test]
fn a_command_of_an_undeclared_service_does_nothing_with_any_payload() {
    for payload in [NETWORK, "not JSON"] {
        let run = run("assign-ip", payload);
        assert_eq!((run.outcome.exit_code(), run.stdout.as_str()), (0, ""));
    }
}

#[test]
fn a_command_that_the_device_does_not_implement_fails() {
    let nic = r#"{"payload":{"network_id":"209","nic_id":"5","mac":"02:00:00:00:00:01"}}"#;
    for (command, payload) in [
        ("config-dhcp-subnet", nic),
        ("remove-dhcp-subnet", NETWORK),
        ("shutdown-vpc", r#"{"payload":{"vpc_id":"7"}}"#),
    ] {
        let run = run(command, payload);
        assert_eq!(run.outcome.ending, Ending::Failed(ErrorKind::NotImplemented));
        assert_eq!(run.outcome.exit_code(), 5);
        assert_eq!(run.stderr, format!("{command} is not implemented by this device\n"));
    }
}

#[test]
fn commands_about_nics_succeed_by_default() {
    let nic = r#"{"payload":{"network_id":"209","nic_id":"5","mac":"02:00:00:00:00:01"}}"#;
    assert_eq!(run("prepare-nic", nic).outcome.exit_code(), 0);
    assert_eq!(run("release-nic", nic).outcome.exit_code(), 0);
}

#[test]
fn an_actions_answer_is_a_success_message() {
    let run = run("custom-action", r#"{"network_id":"209","action":"dump-config"}"#);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["status"], "success");
    assert_eq!(answer["message"], "did dump-config");
}

#[test]
fn a_panic_fails_as_an_internal_error() {
    let nic = r#"{"payload":{"network_id":"209","nic_id":"5","mac":"02:00:00:00:00:01"}}"#;
    let run = run("add-dhcp-entry", nic);
    assert_eq!(run.outcome.ending, Ending::Failed(ErrorKind::Internal));
    assert_eq!(run.stderr, "internal error: panicked: first\\nsecond\n");
}

/// Waits until the work is called off, and then answers.
struct Late(fn() -> Result<Reply, DeviceError>);

#[async_trait]
impl Handler for Late {
    fn description(&self) -> Description {
        Description::new("late", "1.0.0")
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        invocation.deadline().cancelled().await;
        (self.0)()
    }
}

/// Starts shortly before the end of its ten seconds, so that the grace is two seconds.
fn run_late(answer: fn() -> Result<Reply, DeviceError>) -> RunResult {
    let began = Instant::now();
    let run = run_with(Late(answer), &["ensure-network-device", "/p", "10"], NETWORK, |environment| {
        environment.started(began.checked_sub(Duration::from_millis(9900)).unwrap())
    });
    assert_eq!(run.outcome.ending, Ending::Expired);
    assert_eq!(run.outcome.exit_code(), 4);
    assert!((Duration::from_millis(99)..Duration::from_secs(9)).contains(&began.elapsed()));
    run
}

#[test]
fn the_timeout_counts_from_the_beginning() {
    let run = run_late(|| Deadline::at(Instant::now()).check().map(|()| Reply::Nothing));
    assert_eq!(run.stderr, "ensure-network-device: timed out after 10 s\n");
}

#[test]
fn a_device_says_what_it_waited_for() {
    let run = run_late(|| Err(DeviceError::timed_out("another command holds the lock")));
    assert_eq!(run.stderr, "ensure-network-device: timed out after 10 s: another command holds the lock\n");
}

#[test]
fn a_failure_of_the_undo_is_reported() {
    let run = run_late(|| Err(DeviceError::device("cannot undo")));
    assert_eq!(run.stderr, "ensure-network-device: timed out after 10 s: cannot undo\n");
}

#[test]
fn a_success_after_the_deadline_is_a_failure() {
    let run = run_late(|| Ok(Reply::DeviceDetails(DeviceDetails::default())));
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, "ensure-network-device: timed out after 10 s\n");
}

#[test]
fn an_interruption_ends_the_run() {
    let mut interrupter: Option<Interrupter> = None;
    let run = run_with(NotingDevice::default(), &["destroy-network", "/p", "60"], NETWORK, |environment| {
        interrupter = Some(environment.interrupter());
        environment.interrupter().interrupt(Signal::Terminate);
        environment
    });
    assert_eq!(run.outcome.ending, Ending::Interrupted(Signal::Terminate));
    assert_eq!(run.outcome.exit_code(), 143);
    // Interrupting a run that is over does nothing.
    interrupter.unwrap().interrupt(Signal::Interrupt);
}

/// Passes a command on without reading it, and retries once.
struct RetryingProxy {
    tries: Arc<AtomicUsize>,
}

#[async_trait]
impl Handler for RetryingProxy {
    fn description(&self) -> Description {
        Description::new("proxy", "1.0.0")
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        assert_eq!(invocation.payload(), b"not even JSON");
        assert_eq!(invocation.timeout(), Duration::from_secs(30));
        assert!(invocation.deadline().remaining() <= Duration::from_secs(30));
        assert_eq!(invocation.payload_path().unwrap().to_str(), Some("/p"));
        if self.tries.fetch_add(1, Ordering::Relaxed) == 0 {
            Box::pin(self.handle(invocation)).await
        } else {
            Ok(Reply::Relayed("{\"host\": \"a\"}\n".to_owned()))
        }
    }
}

#[test]
fn a_handler_gets_the_raw_payload_and_relays_the_answer_unchanged() {
    let proxy = RetryingProxy { tries: Arc::default() };
    let run =
        run_with(proxy, &["ensure-network-device", "/p", "30"], "not even JSON", |environment| environment);
    assert_eq!(run.stdout, "{\"host\": \"a\"}\n");
}

#[test]
fn a_device_can_be_tested_without_a_runner() {
    let deadline = netext_core::Deadline::after(Duration::from_secs(5));
    let context = Context::new(Command::ShutdownNetwork, deadline)
        .with_device_details(DeviceDetails::default().with("host", "a"));
    assert_eq!(context.device_details().get_str("host"), Some("a"));

    let device = NotingDevice::default();
    let reply = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(device.handle(Invocation::new(Command::ShutdownNetwork, NETWORK)))
        .unwrap();
    assert_eq!(reply, Reply::Nothing);
    assert_eq!(device.calls(), ["shutdown-network 209"]);
}

#[test]
fn an_invocation_does_not_show_its_payload() {
    let shown = format!("{:?}", Invocation::new(Command::AssignIp, "hunter2"));
    assert!(!shown.contains("hunter2") && shown.contains("7 bytes"), "{shown}");
}
