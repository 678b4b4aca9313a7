//! The rules of the house, as tests.

use std::fs;
use std::path::{Path, PathBuf};

use rstall::{backend, bench, fault, kernel};

/// Every Rust file below a folder of the crate, with its text.
fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("the file can be read");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no Rust file below {folder}");
    found
}

fn all_files() -> Vec<(PathBuf, String)> {
    ["src", "benches", "tests", "examples"].into_iter().flat_map(rust_files).collect()
}

/// The code of a line, without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

/// The lines of `files` whose code holds one of `words`, but for files that end in one of
/// `except`.
fn offenders(files: &[(PathBuf, String)], words: &[&str], except: &[&str]) -> Vec<String> {
    let allowed = |path: &Path| except.iter().any(|end| path.ends_with(end));
    let mut found = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !allowed(path)) {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| code(line).contains(word)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent: Vec<String> = all_files()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none(&silent, "a file begins with //! and one sentence");
}

#[test]
fn no_file_is_two_files() {
    let long: Vec<String> = all_files()
        .iter()
        .filter(|(_, text)| text.lines().count() > 400)
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none(&long, "a file has at most 400 lines");
}

#[test]
fn the_clock_is_read_in_one_place() {
    let words = ["Instant::now", "SystemTime::now", "clock_gettime", ".elapsed()"];
    let found = offenders(&rust_files("src"), &words, &["src/clock.rs"]);
    assert_none(&found, "only src/clock.rs reads a clock");
}

#[test]
fn errno_has_its_meaning_in_one_place() {
    let names = [
        "EINTR",
        "EAGAIN",
        "EWOULDBLOCK",
        "ECONNABORTED",
        "EPROTO",
        "EMFILE",
        "ENFILE",
        "ENOENT",
        "EINVAL",
        "ECANCELED",
        "ENOSYS",
        "EPERM",
        "EADDRNOTAVAIL",
    ];
    let words: Vec<String> =
        names.iter().flat_map(|name| [format!("libc::{name}"), format!("Errno::{name}")]).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push(".raw_os_error()");
    let found = offenders(&rust_files("src"), &words, &["src/outcome.rs"]);
    assert_none(&found, "only src/outcome.rs gives an errno a meaning");
}

#[test]
fn nothing_sleeps() {
    let words = ["thread::sleep", "time::sleep", "usleep", "nanosleep"];
    let found = offenders(&all_files(), &words, &["tests/tidy.rs"]);
    assert_none(&found, "a wait is on an event, never a sleep");
}

#[test]
fn nothing_that_a_user_runs_can_panic_by_intent() {
    let words = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
    let mut files = rust_files("src");
    for (_, text) in &mut files {
        // Unit tests stand at the end of their file.
        text.truncate(text.find("#[cfg(test)]").unwrap_or(text.len()));
    }
    files.extend(rust_files("benches"));
    assert_none(&offenders(&files, &words, &[]), "no panic reaches a user");
}

#[test]
fn each_unsafe_block_says_what_it_rests_on() {
    let mut bare = Vec::new();
    for (path, text) in rust_files("src") {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if !code(line).contains("unsafe {") {
                continue;
            }
            // The comment stands above the statement that holds the block.
            let above = lines[..at].iter().rev().take(6);
            if !above.clone().any(|line| line.trim_start().starts_with("// SAFETY: ")) {
                bare.push(format!("{}:{}", path.display(), at + 1));
            }
        }
        let fenced = text.contains("#![allow(unsafe_code)]");
        let unsafe_code = lines.iter().any(|line| code(line).contains("unsafe {"));
        assert_eq!(fenced, unsafe_code, "{}: the fence and the unsafe go together", path.display());
    }
    assert_none(&bare, "an unsafe block has a // SAFETY: comment");
}

#[test]
fn faults_and_benchmarks_name_no_backend() {
    // The reference is a backend by name, and the floor is none.
    let names: Vec<String> = backend::ALL
        .iter()
        .map(|entry| entry.name)
        .filter(|name| !["poll", "blocking", "select"].contains(name))
        .flat_map(|name| ["\"", "-blocking", "-nonblocking"].map(|end| format!("\"{name}{end}")))
        .collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    for folder in ["src/fault", "src/bench", "src/trial", "src/kernel", "src/probe"] {
        let found = offenders(&rust_files(folder), &words, &[]);
        assert_none(&found, "what a backend can do is data, not its name");
    }
}

#[test]
fn a_group_on_a_modelled_kernel_says_so_in_its_name_and_its_first_word() {
    for group in bench::GROUPS {
        let kernel = group.kernel;
        let named = group.name.ends_with(&format!("_{}", kernel.name));
        let told = group.about.starts_with("Modelled.");
        assert_eq!((named, told), (!kernel.is_native(), !kernel.is_native()), "{}", group.name);
    }
}

#[test]
fn the_library_defines_no_accept_of_its_own() {
    let found = offenders(&rust_files("src"), &["interpose_accept!()"], &["src/main.rs"]);
    assert_none(&found, "only programs are interposed");
}

#[test]
fn the_registries_and_their_files_agree() {
    let stems = |folder: &str, except: &[&str]| {
        let mut stems: Vec<String> = rust_files(folder)
            .iter()
            .filter_map(|(path, _)| path.file_stem()?.to_str().map(str::to_owned))
            .filter(|stem| !except.contains(&stem.as_str()))
            .collect();
        stems.sort();
        stems
    };
    let sorted = |names: Vec<&str>| {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort();
        names
    };
    let backends = backend::ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(stems("src/backend", &["mod"]), sorted(backends));
    let faults = fault::ALL.iter().map(|fault| fault.name).collect();
    assert_eq!(stems("src/fault", &["mod", "fit", "steps"]), sorted(faults));
    let kernels = kernel::ALL.iter().map(|kernel| kernel.name).collect();
    assert_eq!(stems("src/kernel", &["mod"]), sorted(kernels));
    let files = stems("src/bench", &[]);
    for group in bench::GROUPS {
        assert!(files.contains(&group.name.to_owned()), "{} has no file", group.name);
        assert!(group.rounds >= 10, "{}: Criterion takes no fewer than 10 samples", group.name);
    }
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = [
        "README.md",
        "METHODOLOGY.md",
        "BIAS.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    ];
    let mut files = all_files();
    files.extend(documents.iter().filter_map(|name| {
        let path = root.join(name);
        fs::read_to_string(&path).ok().map(|text| (path, text))
    }));
    let words = ["/work/", "/root/", "/home/"];
    let found: Vec<String> = files
        .iter()
        .filter(|(path, _)| !path.ends_with("tests/tidy.rs"))
        .flat_map(|(path, text)| {
            let hits = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
            hits.map(|line| format!("{}: {}", path.display(), line.trim())).collect::<Vec<_>>()
        })
        .collect();
    assert_none(&found, "no path of a machine");
}

#[test]
fn the_documents_have_a_row_for_every_fault_and_backend() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| fs::read_to_string(root.join(name)).expect("the document is there");
    let (readme, methodology) = (text("README.md"), text("METHODOLOGY.md"));
    for fault in fault::ALL {
        let row = format!("\n| `{}` |", fault.name);
        assert!(readme.contains(&row) && methodology.contains(&row), "{}", fault.name);
        let told = readme.split(&row).nth(1).and_then(|rest| rest.lines().next());
        assert!(told.is_some_and(|told| told.contains(fault.cure)), "the cure of {}", fault.name);
        for arm in fault.arms.iter().filter(|arm| !arm.name.is_empty()) {
            let (fault, arm) = (fault.name, format!("`{}`", arm.name));
            let told = methodology.split(&row).nth(1).and_then(|rest| rest.lines().next());
            assert!(told.is_some_and(|told| told.contains(&arm)), "{fault}/{arm}");
        }
    }
    for entry in backend::ALL {
        assert!(methodology.contains(&format!("\n| `{}` |", entry.name)), "{}", entry.name);
    }
}
