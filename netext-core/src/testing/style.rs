//! The same payload as different senders write it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netext_protocol::{Command, Envelope, Sample, Sender};
use serde_json::Value;

use super::payload::{Payload, each_text};

impl Payload {
    /// The payload as a sender writes it.
    ///
    /// The published README documents fewer fields than today's server sends, and has other names for some: only
    /// the fields remain that its samples of the command ([`Sample::all_from`]) have. Senders that follow an
    /// older README also put lists of rules, metadata and restored instances into a text, as JSON or as Base64.
    /// For [`Sender::Server`] the payload does not change.
    ///
    /// ```
    /// use netext_core::protocol::{Command, Sender};
    /// use netext_core::testing::Payload;
    /// use serde_json::json;
    ///
    /// let payload = Payload::sample(Command::RemoveDnsEntry).in_style_of(Sender::Readme);
    /// assert_eq!(
    ///     json!(payload.fields()),
    ///     json!({"network_id": "209", "ip": "10.1.1.10", "extension_ip": "10.1.1.1"}),
    /// );
    /// let payload = Payload::sample(Command::ApplyFwRules).in_style_of(Sender::Older);
    /// assert!(payload.field("fw_rules").unwrap().is_string());
    /// ```
    pub fn in_style_of(&self, sender: Sender) -> Self {
        let documents = documents(self.command(), sender);
        if documents.is_empty() {
            return self.clone();
        }
        let mut fields = serde_json::Map::new();
        for (name, value) in self.fields() {
            if let Some(name) = documents.iter().find_map(|document| document.spelling(name)) {
                let form =
                    documents.iter().find_map(|document| document.form(&name)).filter(|_| !is_scalar(value));
                fields.insert(name, form.map_or_else(|| value.clone(), |form| form.write(value)));
            }
        }
        Self::of_fields(self.command(), fields)
    }

    /// The payload in every form in which senders that follow an older README may write it: with lists of rules,
    /// metadata and restored instances as JSON text, and as Base64. Empty for a command that has none of these.
    ///
    /// ```
    /// use netext_core::protocol::Command;
    /// use netext_core::testing::Payload;
    ///
    /// let [json, base64] = &Payload::sample(Command::ApplyLbRules).in_older_forms()[..] else { panic!() };
    /// assert!(json.field("lb_rules").unwrap().as_str().unwrap().starts_with('['));
    /// assert!(base64.field("lb_rules").unwrap().as_str().unwrap().starts_with("W3"));
    /// assert!(Payload::sample(Command::AssignIp).in_older_forms().is_empty());
    /// ```
    pub fn in_older_forms(&self) -> Vec<Self> {
        let older = documents(self.command(), Sender::Older);
        let is_text = |name: &String| older.iter().any(|document| document.form(name).is_some());
        let names: Vec<_> = self.fields().keys().filter(|name| is_text(name)).cloned().collect();
        if names.is_empty() {
            return Vec::new();
        }
        let written = |form: TextForm| {
            let mut payload = self.clone();
            for name in &names {
                if let Some(value) = payload.fields_mut().get_mut(name).filter(|value| !is_scalar(value)) {
                    *value = form.write(value);
                }
            }
            payload
        };
        TextForm::ALL.map(written).to_vec()
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// How a text holds a structure.
#[derive(Clone, Copy)]
enum TextForm {
    Json,
    Base64,
}

impl TextForm {
    const ALL: [Self; 2] = [Self::Json, Self::Base64];

    fn of(text: &str) -> Option<Self> {
        let is_structure = |json: &[u8]| serde_json::from_slice(json).is_ok_and(|value| !is_scalar(&value));
        if is_structure(text.as_bytes()) {
            return Some(Self::Json);
        }
        STANDARD.decode(text).is_ok_and(|json| is_structure(&json)).then_some(Self::Base64)
    }

    fn write(self, value: &Value) -> Value {
        match self {
            Self::Json => value.to_string().into(),
            Self::Base64 => {
                let mut value = value.clone();
                // Contents of files are encoded a second time.
                each_text("", &mut value, &mut |name, text| {
                    if name == "content" {
                        *text = STANDARD.encode(&*text);
                    }
                });
                STANDARD.encode(value.to_string()).into()
            }
        }
    }
}

/// How a sender's document describes a command's payload, as its sample shows it.
struct SenderDocument {
    sample: Payload,
    /// The document's names of fields, each with the server's name.
    spellings: Vec<(String, String)>,
}

/// The documents that a sender follows, the preferred one first; none for today's server.
fn documents(command: Command, sender: Sender) -> Vec<SenderDocument> {
    let followed: &[_] = match sender {
        Sender::Readme => &[Sender::Readme],
        Sender::Older => &[Sender::Older, Sender::Readme],
        _ => &[],
    };
    let samples = followed.iter().flat_map(|followed| Sample::all_from(*followed));
    samples.filter(|sample| sample.command() == command).map(SenderDocument::of).collect()
}

impl SenderDocument {
    fn of(sample: Sample) -> Self {
        let envelope =
            Envelope::parse(sample.command(), sample.text().as_bytes()).expect("a sample is valid");
        let written = Payload::from(envelope.request);
        let sample = Payload::of(sample);
        // A field with two names is read by one, and written by the other with the same value.
        let others = written.fields().iter().filter(|(name, _)| sample.field(name).is_none());
        let only_read = sample.fields().iter().filter(|(name, _)| written.field(name).is_none());
        let spellings = only_read.filter_map(|(name, value)| {
            let (usual, _) = others.clone().find(|(_, other)| *other == value)?;
            Some((name.clone(), usual.clone()))
        });
        let spellings = spellings.collect();
        Self { sample, spellings }
    }

    /// The document's name of one of the server's fields, if the document has the field.
    fn spelling(&self, name: &str) -> Option<String> {
        let spelled = self.spellings.iter().find(|(_, usual)| usual == name).map(|(name, _)| name.clone());
        spelled.or_else(|| self.sample.field(name).map(|_| name.to_owned()))
    }

    /// The form in which the document has a structure as text, if it has it as text.
    fn form(&self, name: &str) -> Option<TextForm> {
        // Some fields hold JSON text in today's server as well.
        let server = Payload::sample(self.sample.command());
        if server.field(name).is_none_or(is_scalar) {
            return None;
        }
        TextForm::of(self.sample.field(name)?.as_str()?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(payload: &Payload) -> BTreeSet<&str> {
        payload.fields().keys().map(String::as_str).collect()
    }

    #[test]
    fn every_command_in_every_style_is_a_valid_payload() {
        for sample in Sample::all_from(Sender::Server) {
            let payload = Payload::of(sample);
            let styles = [Sender::Server, Sender::Readme, Sender::Older].map(|it| payload.in_style_of(it));
            for payload in styles.into_iter().chain(payload.in_older_forms()) {
                let document = payload.document(serde_json::json!({}), serde_json::json!({})).to_string();
                let read = Envelope::parse(payload.command(), document.as_bytes());
                assert!(read.is_ok(), "{}: {:?}: {document}", sample.name(), read.err());
            }
        }
    }

    #[test]
    fn samples_of_the_readme_exist_for_every_command_and_are_in_its_style() {
        for &command in Command::ALL {
            let samples: Vec<_> =
                Sample::all_from(Sender::Readme).filter(|it| it.command() == command).collect();
            assert!(!samples.is_empty(), "{command}");
            for payload in samples.into_iter().map(Payload::of) {
                assert_eq!(payload.in_style_of(Sender::Readme), payload);
            }
        }
    }

    #[test]
    fn a_style_has_no_field_that_its_documents_lack() {
        for &command in Command::ALL {
            let payload = Payload::sample(command);
            for (sender, followed) in
                [(Sender::Readme, &[Sender::Readme][..]), (Sender::Older, &[Sender::Readme, Sender::Older])]
            {
                let written = payload.in_style_of(sender);
                for name in names(&written) {
                    let has = |it: &Sample| it.command() == command && Payload::of(*it).field(name).is_some();
                    assert!(
                        followed.iter().flat_map(|it| Sample::all_from(*it)).any(|it| has(&it)),
                        "{command} {name}"
                    );
                }
            }
            assert_eq!(payload.in_style_of(Sender::Server), payload);
        }
    }

    #[test]
    fn fields_get_the_names_of_the_document() {
        let nic = Payload::of(Sample::named("add-dhcp-entry.secondary").unwrap());
        let nic = Payload::of_fields(Command::PrepareNic, nic.fields().clone()).in_style_of(Sender::Readme);
        assert_eq!(nic.field("nic_ip6_address").unwrap(), "2001:db8:1::b");
        assert_eq!(nic.field("ip6_address"), None);
        let vpc = Payload::sample(Command::ImplementVpc);
        assert_eq!(vpc.in_style_of(Sender::Readme).field("vpc_cidr").unwrap(), "10.2.0.0/16");
        assert_eq!(vpc.in_style_of(Sender::Older).field("cidr").unwrap(), "10.2.0.0/16");
    }

    #[test]
    fn structures_in_texts_are_read_like_plain_ones() {
        for command in [
            Command::ApplyFwRules,
            Command::ApplyNetworkAcl,
            Command::ApplyLbRules,
            Command::SaveVmData,
            Command::RestoreNetwork,
        ] {
            let payload = Payload::sample(command);
            let read = |payload: &Payload| {
                let document = payload.document(serde_json::json!({}), serde_json::json!({})).to_string();
                Envelope::parse(command, document.as_bytes()).unwrap().request
            };
            let forms = payload.in_older_forms();
            assert_eq!(forms.len(), 2, "{command}");
            for form in &forms {
                assert_ne!(*form, payload);
                assert_eq!(read(form), read(&payload), "{command}");
            }
        }
    }
}
