// The part of every example that readers are not shown: a device, and in place of a controller a map.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Mutex;

use netext_core::protocol::*;
use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
use serde_json::{Value, json};

#[derive(Default)]
struct Acme {
    controller: Controller,
}

// Things by their paths. What is below a path goes with it.
#[derive(Default)]
struct Controller(Mutex<BTreeMap<String, Value>>);

impl Controller {
    fn things(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap()
    }

    async fn answers(&self, host: &str) -> bool {
        !host.is_empty()
    }

    async fn count(&self, path: &str) -> Result<usize, DeviceError> {
        Ok(self.things().keys().filter(|it| is_below(it, path)).count())
    }

    async fn put(&self, path: String, thing: Value) -> Result<(), DeviceError> {
        self.things().insert(path, thing);
        Ok(())
    }

    async fn patch(&self, path: String, fields: Value) -> Result<(), DeviceError> {
        let mut things = self.things();
        let thing = things.entry(path).or_insert_with(|| json!({}));
        thing.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Ok(())
    }

    async fn delete(&self, path: String) -> Result<(), DeviceError> {
        self.things().retain(|it, _| *it != path && !is_below(it, &path));
        Ok(())
    }

    async fn delete_if(&self, path: String, meant: Value) -> Result<(), DeviceError> {
        let mut things = self.things();
        if things.get(&path) == Some(&meant) {
            things.remove(&path);
        }
        Ok(())
    }

    async fn put_all<K: Display>(
        &self,
        path: String,
        all: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<(), DeviceError> {
        let mut things = self.things();
        things.retain(|it, _| !is_below(it, &path));
        things.extend(all.into_iter().map(|(key, thing)| (format!("{path}/{key}"), thing)));
        Ok(())
    }

    async fn change<K: Display>(
        &self,
        path: String,
        changes: impl IntoIterator<Item = (K, Option<Value>)>,
    ) -> Result<(), DeviceError> {
        let mut things = self.things();
        for (key, thing) in changes {
            let path = format!("{path}/{key}");
            match thing {
                Some(thing) => drop(things.insert(path, thing)),
                None => drop(things.remove(&path)),
            }
        }
        Ok(())
    }
}

fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

// What a rule speaks of, in the controller's words.
fn packets(traffic: &Traffic) -> Result<Value, DeviceError> {
    Ok(match traffic {
        Traffic::All => json!("all"),
        Traffic::Tcp(ports) => json!({"tcp": ports.to_string()}),
        Traffic::Udp(ports) => json!({"udp": ports.to_string()}),
        Traffic::Icmp { icmp_type, icmp_code } => json!({"icmp": [icmp_type, icmp_code]}),
        Traffic::Protocol(number) => json!({"protocol": number}),
        other => return Err(DeviceError::invalid(format!("this device cannot match {other:?}"))),
    })
}

fn everything() -> Description {
    Description::new("acme", "1.0.0").services(Service::ALL.iter().copied()).vpc()
}

// The device with the methods of an example; with `whole:` they are all that it has.
macro_rules! acme {
    (whole: $($method:tt)*) => {
        #[async_trait]
        impl NetworkDevice for Acme {
            $($method)*
        }
    };
    ($($method:tt)*) => {
        acme! { whole:
            fn describe(&self) -> Description {
                everything()
            }

            async fn implement_network(
                &self,
                _: &Context,
                _: ImplementNetwork,
            ) -> Result<Option<NetworkUpdate>, DeviceError> {
                Ok(None)
            }

            async fn shutdown_network(&self, _: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> {
                Ok(())
            }

            async fn destroy_network(&self, _: &Context, _: DestroyNetwork) -> Result<(), DeviceError> {
                Ok(())
            }

            $($method)*
        }
    };
}

// Sends samples as servers do, each twice, to a device that has some things already, and looks at what it has then.
// Without the test kit the example is only compiled.
#[cfg(feature = "testing")]
macro_rules! sent {
    ($($path:literal $(= $thing:expr)?),+; $($rest:tt)*) => {
        sent! { @ [$(($path, json!({}) $(; $thing)?)),+] $($rest)* }
    };
    ([$($sample:literal),*], $($rest:tt)*) => {
        sent! { @ [] [$($sample),*], $($rest)* }
    };
    (@ [$(($path:literal, $nothing:expr $(; $thing:expr)?)),*] [$($sample:literal),*], |$server:ident| $check:expr) => {
        let $server = Sent(Server::for_device(Acme::default()).registering("hosts", "192.0.2.10"));
        $($server.has($path, [$nothing $(, $thing)?].into_iter().last());)*
        $(for _ in 0..2 {
            $server.send(Payload::sample_named($sample)).succeeds();
        })*
        $check
    };
}

#[cfg(not(feature = "testing"))]
macro_rules! sent {
    ($($ignored:tt)*) => {};
}

#[cfg(feature = "testing")]
use netext_core::testing::{Device, Payload, Server};

#[cfg(feature = "testing")]
struct Sent(Server<Device<Acme>>);

#[cfg(feature = "testing")]
impl std::ops::Deref for Sent {
    type Target = Server<Device<Acme>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(feature = "testing")]
impl Sent {
    fn has(&self, path: &str, thing: Option<Value>) {
        self.device().controller.things().insert(path.to_owned(), thing.unwrap_or_default());
    }

    // The thing at a path.
    fn at(&self, path: &str) -> Value {
        self.device().controller.things().get(path).cloned().unwrap_or_default()
    }

    // Where there are things.
    fn paths(&self) -> Vec<String> {
        self.device().controller.things().keys().cloned().collect()
    }
}
