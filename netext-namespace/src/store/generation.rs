//! Which packet rules a state compiles to: a note beside the state, so that a command need not compare all rules.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::STATE_FILE;
use super::build::ProgramBuild;
use crate::files::{self, Access, Durability, FileError, FileStamp, failed};
pub use crate::plan::RulesetGeneration;

const FILE: &str = "rules.json";

/// The note counts only for this state, by this build: another one may compile the same state differently.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RulesetNote {
    build: ProgramBuild,
    state: Option<FileStamp>,
    generation: RulesetGeneration,
}

/// The generation of the rules that the state in a folder compiles to, if it is known.
pub(super) fn read(folder: &Path) -> Option<RulesetGeneration> {
    let note = files::read(&folder.join(FILE)).ok()??;
    let note: RulesetNote = serde_json::from_slice(&note).ok()?;
    let state = FileStamp::of(&folder.join(STATE_FILE)).ok()??;
    let counts = note.state == Some(state) && note.build == ProgramBuild::running().ok()?;
    counts.then_some(note.generation)
}

/// Notes a generation, or that none is known. Nothing is synced: a power cut ends the rules too.
pub(super) fn write(folder: &Path, generation: Option<RulesetGeneration>) -> Result<(), FileError> {
    let path = folder.join(FILE);
    let Some(generation) = generation else { return files::remove(&path) };
    let state = FileStamp::of(&folder.join(STATE_FILE)).map_err(failed("look at", &path))?;
    let note = RulesetNote { build: ProgramBuild::running()?, state, generation };
    let text = serde_json::to_vec(&note).map_err(|error| failed("write", &path)(error.into()))?;
    files::replace(&path, &text, Access::Owner, Durability::None)
}
