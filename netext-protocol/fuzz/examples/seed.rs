//! Puts the sample payloads into the corpus of `parse`, so that fuzzing starts from what is right.

use std::path::Path;

use netext_protocol::Command;

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("corpus/parse");
    std::fs::create_dir_all(&corpus)?;
    for entry in std::fs::read_dir(here.join("../fixtures/wire"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("samples have plain names");
        let command = name.split('.').next().expect("there is a first part");
        let selector =
            Command::ALL.iter().position(|known| known.name() == command).expect("it is a command");
        let mut seed = vec![u8::try_from(selector).expect("there are fewer than 256 commands")];
        seed.extend(std::fs::read(&path)?);
        std::fs::write(corpus.join(name), seed)?;
    }
    Ok(())
}
