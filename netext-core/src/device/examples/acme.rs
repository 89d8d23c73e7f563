// The hidden part of every example: a device, with a map instead of a controller.

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

// Objects by path. Deleting a path deletes everything below it.
#[derive(Default)]
struct Controller(Mutex<BTreeMap<String, Value>>);

impl Controller {
    fn objects(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap()
    }

    async fn answers(&self, host: &str) -> bool {
        !host.is_empty()
    }

    async fn count(&self, path: &str) -> Result<usize, DeviceError> {
        Ok(self.objects().keys().filter(|it| is_below(it, path)).count())
    }

    async fn put(&self, path: String, object: Value) -> Result<(), DeviceError> {
        self.objects().insert(path, object);
        Ok(())
    }

    async fn patch(&self, path: String, fields: Value) -> Result<(), DeviceError> {
        let mut objects = self.objects();
        let object = objects.entry(path).or_insert_with(|| json!({}));
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Ok(())
    }

    async fn delete(&self, path: String) -> Result<(), DeviceError> {
        self.objects().retain(|it, _| *it != path && !is_below(it, &path));
        Ok(())
    }

    async fn delete_if(&self, path: String, meant: Value) -> Result<(), DeviceError> {
        let mut objects = self.objects();
        if objects.get(&path) == Some(&meant) {
            objects.remove(&path);
        }
        Ok(())
    }

    async fn put_all<K: Display>(
        &self,
        path: String,
        all: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<(), DeviceError> {
        let mut objects = self.objects();
        objects.retain(|it, _| !is_below(it, &path));
        objects.extend(all.into_iter().map(|(key, object)| (format!("{path}/{key}"), object)));
        Ok(())
    }

    async fn change<K: Display>(
        &self,
        path: String,
        changes: impl IntoIterator<Item = (K, Option<Value>)>,
    ) -> Result<(), DeviceError> {
        let mut objects = self.objects();
        for (key, object) in changes {
            let path = format!("{path}/{key}");
            match object {
                Some(object) => drop(objects.insert(path, object)),
                None => drop(objects.remove(&path)),
            }
        }
        Ok(())
    }
}

fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

// The traffic of a rule, in the controller's words.
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

// The device with the methods of an example; after `whole:` the example has all of its methods.
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

// Sends each sample twice, as a server does, to a device that has some objects already, and checks its objects then.
// Without the test kit the example is only compiled.
#[cfg(feature = "testing")]
macro_rules! sent {
    ($($path:literal $(= $object:expr)?),+; $($rest:tt)*) => {
        sent! { @ [$(($path, json!({}) $(; $object)?)),+] $($rest)* }
    };
    ([$($sample:literal),*], $($rest:tt)*) => {
        sent! { @ [] [$($sample),*], $($rest)* }
    };
    (@ [$(($path:literal, $nothing:expr $(; $object:expr)?)),*] [$($sample:literal),*], |$server:ident| $check:expr) => {
        let $server = Sent(Server::for_device(Acme::default()).detail("hosts", "192.0.2.10"));
        $($server.has($path, [$nothing $(, $object)?].into_iter().last());)*
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
use netext_core::testing::{InProcessDevice, Payload, Server};

#[cfg(feature = "testing")]
struct Sent(Server<InProcessDevice<Acme>>);

#[cfg(feature = "testing")]
impl std::ops::Deref for Sent {
    type Target = Server<InProcessDevice<Acme>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(feature = "testing")]
impl Sent {
    fn has(&self, path: &str, object: Option<Value>) {
        self.device().controller.objects().insert(path.to_owned(), object.unwrap_or_default());
    }

    // The object at a path.
    fn at(&self, path: &str) -> Value {
        self.device().controller.objects().get(path).cloned().unwrap_or_default()
    }

    // The paths of all objects.
    fn paths(&self) -> Vec<String> {
        self.device().controller.objects().keys().cloned().collect()
    }
}
