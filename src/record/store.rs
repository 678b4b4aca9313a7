//! Reads and writes runs: each file whole or not at all.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::{Run, SCHEMA, criterion};
use crate::outcome;

/// A file that could not be read or written, and what to do next.
#[derive(Debug)]
pub struct StoreError {
    path: PathBuf,
    doing: &'static str,
    why: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.doing, self.path.display(), self.why)
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    pub(super) fn new(path: &Path, doing: &'static str, why: impl fmt::Display) -> StoreError {
        StoreError { path: path.to_owned(), doing, why: why.to_string() }
    }

    pub(super) fn io<'a>(
        path: &'a Path,
        doing: &'static str,
    ) -> impl FnOnce(io::Error) -> StoreError + 'a {
        move |error| StoreError::new(path, doing, outcome::explain(&error))
    }
}

/// Writes a file whole: into a temporary one beside it, which then takes its name.
///
/// # Errors
///
/// With the path, the cause and the remedy; the old file is as it was.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(StoreError::io(folder, "create"))?;
    let failed = || StoreError::io(path, "write");
    let mut file = NamedTempFile::new_in(folder).map_err(failed())?;
    file.write_all(content).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    // A temporary file is its owner's alone; a report is for everybody.
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = file.as_file().set_permissions(fs::Permissions::from_mode(0o644));
    }
    file.persist(path).map_err(|error| StoreError::io(path, "write")(error.error))?;
    Ok(())
}

/// Writes a run's `run.json`.
///
/// # Errors
///
/// As [`write_whole`].
pub fn save(folder: &Path, run: &Run) -> Result<(), StoreError> {
    let path = folder.join("run.json");
    let mut text = serde_json::to_vec(run).map_err(|e| StoreError::new(&path, "write", e))?;
    text.push(b'\n');
    write_whole(&path, &text)
}

/// Writes lines of JSON, one a value.
///
/// # Errors
///
/// As [`write_whole`].
pub fn save_lines<T: Serialize>(path: &Path, values: &[T]) -> Result<(), StoreError> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, value).map_err(|e| StoreError::new(path, "write", e))?;
        text.push(b'\n');
    }
    write_whole(path, &text)
}

/// Reads a run from its folder, or from its `run.json`.
///
/// # Errors
///
/// Where it is missing, damaged, or of a newer format; the message says which and what to do.
pub fn load(path: &Path) -> Result<Run, StoreError> {
    let path = if path.is_dir() { path.join("run.json") } else { path.to_owned() };
    let text = fs::read(&path).map_err(StoreError::io(&path, "read"))?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| {
        StoreError::new(&path, "read", format!("{error}; it is damaged: leave its folder out"))
    })?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64);
    match schema {
        Some(schema) if schema > u64::from(SCHEMA) => Err(StoreError::new(
            &path,
            "read",
            format!("its format is {schema} and this rstall knows {SCHEMA}: update rstall"),
        )),
        Some(_) => serde_json::from_value(value).map_err(|error| {
            StoreError::new(&path, "read", format!("not a run of rstall: {error}"))
        }),
        None => Err(StoreError::new(&path, "read", "not a run of rstall: it has no schema")),
    }
}

/// Reads a run as it is named on a command line: its folder or its `run.json`, or a baseline of
/// Criterion as `FOLDER@BASELINE` (`reports/criterion@before`).
///
/// # Errors
///
/// As [`load`] and [`criterion::load`].
pub fn named(name: &str) -> Result<Run, StoreError> {
    match name.rsplit_once('@') {
        Some((folder, baseline)) if !Path::new(name).exists() => {
            criterion::load(Path::new(folder), baseline)
        }
        _ => load(Path::new(name)),
    }
}

/// A run on disk, read or with the reason why not.
#[derive(Debug)]
pub struct Stored {
    /// Its folder.
    pub folder: PathBuf,
    /// The run.
    pub run: Result<Run, StoreError>,
}

/// The runs in a reports folder, newest first: each folder of `runs/`.
///
/// # Errors
///
/// Where the folder itself cannot be read.
pub fn list(reports: &Path) -> Result<Vec<Stored>, StoreError> {
    let runs = reports.join("runs");
    let entries = fs::read_dir(&runs).map_err(StoreError::io(&runs, "read"))?;
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.reverse();
    let read = |folder: PathBuf| Stored { run: load(&folder), folder };
    Ok(folders.into_iter().map(read).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page");
        write_whole(&path, b"the old page").expect("written");
        let mut old = fs::File::open(&path).expect("open");
        write_whole(&path, b"the new").expect("written again");
        // Whoever reads the old file still has all of it: nobody ever sees a part.
        let mut text = String::new();
        old.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "the old page");
        assert_eq!(fs::read(&path).expect("readable"), b"the new");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "nothing is left");
    }
}
