//! A whole payload of a command, and a whole answer.

use netext_protocol::{
    ActionResult, BroadcastDomainType, Command, DeviceDetails, NetworkUpdate, Output, Sample, Sender,
};
use serde_json::{Value, json};

use super::{in_order, line};

pub(super) fn add(page: &mut String, command: Command) {
    line(page, format_args!("\nA payload of the server:\n"));
    payload(page, Sample::of(command));
    if let Some(sample) = Sample::all_of(command).find(|sample| sample.sender() == Sender::Readme) {
        line(page, format_args!("\nThe same as the README documents it:\n"));
        payload(page, sample);
    }
    let answer = match command.output() {
        Output::Nothing => return line(page, format_args!("\nThe answer is empty: nothing may be printed.")),
        Output::DeviceDetails => {
            json!(DeviceDetails::default().with("host", "192.0.2.10").with("namespace", "cs-net-209"))
        }
        Output::NetworkUpdate => json!(NetworkUpdate::new(BroadcastDomainType::Lswitch, "ovn://cs-net-209")),
        Output::ActionResult => json!(ActionResult::message("3 routes")),
    };
    line(page, format_args!("\nAn answer, in one line:\n\n```json\n{answer}\n```"));
}

fn payload(page: &mut String, sample: Sample) {
    // A sample is JSON; the test of the reference reads what is printed here.
    let document: Value = serde_json::from_str(sample.text()).unwrap_or_default();
    line(page, format_args!("```json\n{:#}\n```", in_order(document)));
}
