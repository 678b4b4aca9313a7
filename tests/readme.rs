//! The README's commands, all of them, run as they stand there.
//!
//! Those of `rstall` run with every `cargo test`. Those of cargo itself, a whole `cargo bench`
//! among them, take ten minutes or so and run where they are asked for:
//!
//! ```sh
//! cargo test --release --test readme -- --ignored
//! ```

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The crate's own folder.
const HOME: &str = env!("CARGO_MANIFEST_DIR");

/// The lines of the README's blocks that are typed: in `console` those behind a `$`, in `sh`
/// all. What stands behind a `#` is a remark.
fn commands() -> Vec<String> {
    let text = fs::read_to_string(Path::new(HOME).join("README.md")).expect("the README");
    let mut language = None;
    let mut commands = Vec::new();
    for line in text.lines() {
        if let Some(opened) = line.strip_prefix("```") {
            language = if language.is_some() { None } else { Some(opened) };
            continue;
        }
        let typed = match language {
            Some("sh") => Some(line),
            Some("console") => line.strip_prefix("$ "),
            _ => None,
        };
        let typed = typed.map(|line| line.split(" #").next().unwrap_or(line).trim());
        commands.extend(typed.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    commands
}

fn of(program: &str) -> Vec<String> {
    let all = commands();
    let known = |line: &&String| !["rstall ", "cargo "].iter().any(|name| line.starts_with(name));
    let others: Vec<&String> = all.iter().filter(known).collect();
    assert!(others.is_empty(), "nothing here runs {others:?}");
    let those: Vec<String> = all.into_iter().filter(|line| line.starts_with(program)).collect();
    assert!(those.len() > 3, "the README has hardly a command of {program}");
    those
}

/// The one command of `rstall` that takes long.
const WHOLE_MAP: &str = "rstall verify";

/// A folder with the recorded runs in it, under both names, as on the reader's own disk.
fn somewhere() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["reports/recorded/runs", "reports/runs"] {
        copy(&Path::new(HOME).join("reports/recorded/runs"), &folder.path().join(name));
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copied");
        }
    }
}

/// Runs a line in a shell, with `programs` found before all others.
fn run(line: &str, folder: &Path, programs: &Path) -> Output {
    let path = env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(folder);
    shell.env("PATH", format!("{}:{path}", programs.display()));
    shell.output().expect("a shell")
}

fn assert_works(line: &str, output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "$ {line}\n{}\n{errors}", output.status);
}

#[test]
fn every_command_of_rstall_works() {
    let folder = somewhere();
    let programs = Path::new(env!("CARGO_BIN_EXE_rstall")).parent().expect("a folder");
    let jq = Command::new("jq").arg("--version").output().is_ok();
    // The whole map takes fifteen seconds: it is left to the test below.
    for line in of("rstall ").into_iter().filter(|line| line != WHOLE_MAP) {
        if !jq && line.contains("| jq") {
            eprintln!("not run, since jq is not installed: {line}");
            continue;
        }
        assert_works(&line, &run(&line, folder.path(), programs));
    }
}

#[test]
#[ignore = "takes minutes: see the head of this file"]
fn every_command_of_cargo_works() {
    let folder = somewhere();
    let reports = folder.path().join("fresh");
    let installed = folder.path().join("installed");
    for line in of("cargo ") {
        // The tests are not run by a test; `.ci/run` does it.
        if line == "cargo test" {
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(HOME);
        shell.env("RSTALL_REPORTS", &reports).env("CARGO_INSTALL_ROOT", &installed);
        assert_works(&line, &shell.output().expect("a shell"));
    }
    // What was installed works where nothing of the checkout is.
    let programs = installed.join("bin");
    for line in ["rstall --version", "rstall report", "rstall explain burst", WHOLE_MAP] {
        assert_works(line, &run(line, folder.path(), &programs));
    }
    let page: PathBuf = folder.path().join("reports/index.html");
    assert!(page.is_file(), "the installed program wrote no page");
}
