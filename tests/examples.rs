//! The example programs, in C and in Rust: both are compiled, both are run, bad and cured, and
//! both print what the pitfall's entry in docs/pitfalls shows.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use rstall::fault;

/// The crate's own folder.
const HOME: &str = env!("CARGO_MANIFEST_DIR");

/// A block of code of an entry.
struct Block {
    language: String,
    text: String,
}

/// An entry: the fault's name, and its blocks of code.
struct Entry {
    name: &'static str,
    text: String,
    blocks: Vec<Block>,
}

fn entries() -> Vec<Entry> {
    let entry = |fault: &'static fault::Fault| {
        let path = Path::new(HOME).join(format!("docs/pitfalls/{}.md", fault.name));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Entry { name: fault.name, blocks: blocks(&text), text }
    };
    fault::ALL.iter().map(entry).collect()
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), text: String::new() });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

impl Entry {
    /// The arms of its program; a control has none.
    fn arms(&self) -> &'static [&'static str] {
        let fault = fault::find(self.name).expect("in the registry");
        if fault.cases.is_some() { &["bad", "cured"] } else { &[""] }
    }

    /// What it shows of a run of its program: a block's lines below `$ NAME bad` or the like.
    fn shows(&self, arm: &str) -> &str {
        let command = format!("$ {}\n", [self.name, arm].join(" ").trim_end());
        let lines = self.blocks.iter().find_map(|block| block.text.strip_prefix(&command));
        lines.unwrap_or_else(|| panic!("{}: no block begins with {command}", self.name))
    }
}

/// The folder of the examples that cargo has built: beside that of the tests.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = env::current_exe().expect("this test's own path");
    let profile = test.parent().and_then(Path::parent).expect("the profile's folder");
    // `cargo test --test examples` builds no examples.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--examples", "--locked", "--quiet"]).current_dir(HOME);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let target = profile.parent().expect("the target folder");
    let status = cargo.env("CARGO_TARGET_DIR", target).status().expect("cargo");
    assert!(status.success(), "the examples do not build");
    profile.join("examples")
});

/// Runs a program, for ten seconds at most: a safety net, a bad arm too ends by itself.
fn run(program: &Path, arm: &str) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "10"]).arg(program);
    command.args(Some(arm).filter(|arm| !arm.is_empty()));
    command.output().expect("the program and timeout(1) can be run")
}

fn assert_prints(program: &Path, entry: &Entry) {
    for arm in entry.arms() {
        let output = run(program, arm);
        let errors = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        let what = format!("{} {arm}\n{errors}", program.display());
        // What the system has not, an example cannot show. It says so, and why.
        if output.status.code() == Some(77) && errors.starts_with("skipped: ") {
            eprintln!("{what}");
            continue;
        }
        assert!(output.status.success(), "{what}: {}", output.status);
        assert_eq!(printed, entry.shows(arm), "{what}");
    }
}

#[test]
fn every_fault_has_an_entry_and_both_programs_and_there_are_no_others() {
    let faults: BTreeSet<String> = fault::ALL.iter().map(|fault| fault.name.to_owned()).collect();
    let files = |folder: &str, extension: &str| -> BTreeSet<String> {
        let folder = fs::read_dir(Path::new(HOME).join(folder)).expect("the folder");
        let path = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").path();
        let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
        folder
            .map(path)
            .filter(|p| p.extension().is_some_and(|e| e == extension))
            .map(stem)
            .collect()
    };
    assert_eq!(files("docs/pitfalls", "md"), faults);
    assert_eq!(files("examples", "c"), faults);
    assert_eq!(files("examples", "rs"), faults);
}

#[test]
fn the_programs_in_rust_do_what_the_entries_show() {
    for entry in entries() {
        assert_prints(&BUILT.join(entry.name), &entry);
    }
}

#[test]
fn the_programs_in_c_do_what_the_entries_show() {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in entries() {
        let source = Path::new(HOME).join(format!("examples/{}.c", entry.name));
        let program = folder.path().join(entry.name);
        let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let output = Command::new(compiler)
            .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-o"])
            .args([&program, &source])
            .output()
            .expect("a C compiler");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{errors}", source.display());
        assert_prints(&program, &entry);
    }
}

/// Lines without their indentation, so that an excerpt may stand at the margin.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

#[test]
fn the_code_of_an_entry_is_its_programs() {
    for entry in entries() {
        for (language, extension) in [("c", "c"), ("rust", "rs")] {
            let path = Path::new(HOME).join(format!("examples/{}.{extension}", entry.name));
            let program = fs::read_to_string(&path).expect("the program");
            let program = lines(&program);
            let those: Vec<_> = entry.blocks.iter().filter(|b| b.language == language).collect();
            assert!(!those.is_empty(), "{}: no {language}", entry.name);
            for block in those {
                let code = lines(&block.text);
                let stands = program.windows(code.len()).any(|window| window == code);
                assert!(stands, "not in {}:\n{}", path.display(), block.text);
            }
        }
    }
}

#[test]
fn an_entry_names_every_place_where_its_pitfall_was_seen() {
    for entry in entries() {
        let fault = fault::find(entry.name).expect("in the registry");
        let (_, seen) = entry.text.split_once("\n## Seen in\n").expect("a section Seen in");
        for place in fault.seen_in {
            let stands = seen.contains(&format!("`{place}`"));
            assert!(stands, "{}: `{place}` is not in Seen in", entry.name);
        }
    }
}
