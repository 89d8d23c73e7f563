//! Every device is a handler: parses the payload of a command and calls the device's method.

use async_trait::async_trait;
use netext_protocol::{Request, for_each_command};

use crate::{Context, Description, DeviceError, Handler, Invocation, NetworkDevice, Reply};

/// Every device is a handler.
#[async_trait]
impl<D: NetworkDevice + ?Sized> Handler for D {
    fn description(&self) -> Description {
        self.describe()
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        let command = invocation.command();
        let description = self.describe();
        if !description.provides(command) {
            return Ok(Reply::Nothing);
        }
        if !description.implements(command) {
            return Err(DeviceError::not_implemented(command));
        }
        let envelope = invocation.parse()?;
        let (context, request) = Context::of_envelope(command, envelope, invocation.deadline().clone());
        call(self, &context, request).await.map_err(|error| error.of_command(command))
    }
}

/// Turns the result of a method into a reply. Does not compile if the result's type differs from the command's output in
/// the table.
macro_rules! reply {
    (Nothing, $answer:expr) => {{
        let answer: () = $answer;
        Reply::from(answer)
    }};
    (ActionResult, $answer:expr) => {{
        let answer: netext_protocol::ActionResult = $answer;
        Reply::from(answer)
    }};
    ($output:ident, $answer:expr) => {{
        let answer: Option<netext_protocol::$output> = $answer;
        Reply::from(answer)
    }};
}

macro_rules! define_call {
    ($($(#[$meta:meta])* $variant:ident { method: $method:ident, name: $name:literal, output: $output:ident, $($fact:tt)* })*) => {
        async fn call<D: NetworkDevice + ?Sized>(
            device: &D,
            context: &Context,
            request: Request,
        ) -> Result<Reply, DeviceError> {
            match request {
                $(Request::$variant(request) => Ok(reply!($output, device.$method(context, request).await?)),)*
                // The enum may grow in later versions. Every row of the table has its arm above.
                other => Err(DeviceError::not_implemented(other.command())),
            }
        }
    };
}

for_each_command!(define_call);
