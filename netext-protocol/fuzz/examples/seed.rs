//! Writes the sample payloads into the corpus of `parse`, so that fuzzing starts from valid files.

use std::path::Path;

use netext_protocol::{Command, Sample};

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/parse");
    std::fs::create_dir_all(&corpus)?;
    for sample in Sample::all() {
        let is_command = |command: &Command| *command == sample.command();
        let selector = Command::ALL.iter().position(is_command).expect("the table lists every command");
        let mut seed = vec![u8::try_from(selector).expect("there are fewer than 256 commands")];
        seed.extend(sample.text().as_bytes());
        std::fs::write(corpus.join(sample.name().replace('/', "-")), seed)?;
    }
    Ok(())
}
