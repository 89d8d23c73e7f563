//! What is registered in CloudStack for an extension.

use super::Check;
use crate::testing::conformance::report::Finding;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "capabilities",
    sentence: "Every capability that the server looks up is registered, with a value that it understands.",
    reason: "The server uses what it finds without asking whether it is there: without it API calls fail, some \
             with a null pointer.",
    remedy: "Add what is missing to network.service.capabilities; a device that does less registers a smaller \
             value, not none.",
    run: |suite| {
        if suite.provided.capabilities.is_none() {
            return Finding::Skipped("it is not known what is registered for it".to_owned());
        }
        let faults: Vec<_> = suite.provided.capability_faults().iter().map(ToString::to_string).collect();
        Finding::of((!faults.is_empty()).then(|| faults.join("; ")))
    },
}];
