//! The same payload as different senders write it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netext_protocol::{Command, Sample, Sender};
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
            if let Some(name) = documents.iter().find_map(|document| spelling(document, name)) {
                let form = documents.iter().find_map(|document| text_form(document, name));
                let form = form.filter(|_| !is_scalar(value));
                fields.insert(name.to_owned(), form.map_or_else(|| value.clone(), |form| form.write(value)));
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
        let is_text = |name: &String| older.iter().any(|document| text_form(document, name).is_some());
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

/// The samples of a command in the documents that a sender follows, the preferred document first; none for today's
/// server.
fn documents(command: Command, sender: Sender) -> Vec<Payload> {
    let followed: &[_] = match sender {
        Sender::Readme => &[Sender::Readme],
        Sender::Older => &[Sender::Older, Sender::Readme],
        _ => &[],
    };
    let samples = followed.iter().flat_map(|followed| Sample::all_from(*followed));
    samples.filter(|sample| sample.command() == command).map(Payload::of).collect()
}

/// The document's name for one of the server's fields, if the document has the field. Where the names differ, one of
/// them has the owner as a prefix: `nic_ip6_address` and `ip6_address`, `vpc_cidr` and `cidr`.
fn spelling<'a>(document: &'a Payload, name: &'a str) -> Option<&'a str> {
    if document.field(name).is_some() {
        return Some(name);
    }
    let server = Payload::sample(document.command());
    let short = |name: &'a str| ["nic_", "vpc_"].into_iter().find_map(|owner| name.strip_prefix(owner));
    let mut others = document.fields().keys().map(String::as_str);
    others.find(|other| {
        server.field(other).is_none() && (short(other) == Some(name) || short(name) == Some(*other))
    })
}

/// The form in which the document has a structure as text, if it has it as text.
fn text_form(document: &Payload, name: &str) -> Option<TextForm> {
    // Some fields hold JSON text in today's server as well.
    let server = Payload::sample(document.command());
    if server.field(name).is_none_or(is_scalar) {
        return None;
    }
    TextForm::of(document.field(name)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use netext_protocol::Envelope;

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
    fn a_document_has_the_names_that_the_protocol_reads() {
        let mut renamed = 0;
        for sample in Sample::all().filter(|sample| sample.sender() != Sender::Server) {
            let document = Payload::of(sample);
            let read = Envelope::parse(sample.command(), sample.text().as_bytes()).unwrap();
            let server = Payload::from(read.request);
            for name in names(&document).difference(&names(&server)) {
                let mut spelled =
                    names(&server).into_iter().filter(|it| spelling(&document, it) == Some(*name));
                let usual = spelled.next().unwrap_or_else(|| panic!("{}: {name}", sample.name()));
                assert_eq!(document.field(name), server.field(usual), "{}", sample.name());
                assert_eq!(spelled.next(), None, "{}", sample.name());
                renamed += 1;
            }
        }
        assert!(renamed > 5, "{renamed}");
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
