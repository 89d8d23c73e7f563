//! What a device declares of its services.

use netext_protocol::{Capability, Service};

use super::line;

/// The capabilities of every service, with what the server does where one is missing.
pub(super) fn markdown() -> String {
    let mut page = String::new();
    line(
        &mut page,
        format_args!(
            "## Capabilities\n\n\
             An extension registers its capabilities as `network.service.capabilities`: a JSON object, service to\n\
             capability to value, all texts. `--describe` prints them. The server looks some of them up without a\n\
             check: the last column says what happens without. It compares names without regard to case, and ignores\n\
             unknown ones."
        ),
    );
    for &service in Service::ALL {
        line(&mut page, format_args!("\n### {service}\n"));
        line(
            &mut page,
            format_args!("| capability | values | of a device that does everything | without it |"),
        );
        line(&mut page, format_args!("| --- | --- | --- | --- |"));
        for capability in Capability::all_of(service) {
            let full = capability.full().map_or_else(|| "not declared".to_owned(), |it| format!("`{it}`"));
            line(
                &mut page,
                format_args!(
                    "| `{}` | {} | {full} | {} |",
                    capability.name(),
                    capability.values(),
                    capability.without().unwrap_or("nothing is lost"),
                ),
            );
        }
    }
    page
}
