//! Panics, kept off the streams.

use std::cell::RefCell;
use std::panic;

thread_local! {
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic prints nothing; where it arose is noted for whoever catches it.
pub(super) fn silence() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        LOCATION.with_borrow_mut(|noted| *noted = location);
    }));
}

/// Where the last panic of this thread arose, if that was noted.
pub(crate) fn location() -> Option<String> {
    LOCATION.with_borrow_mut(Option::take)
}
