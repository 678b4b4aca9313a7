//! What a run was measured on.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};

use crate::limits;

/// A machine, as far as a measurement depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The system: `Linux`, `FreeBSD`, `Darwin`.
    pub system: String,
    /// The kernel's release.
    pub kernel: String,
    /// The machine's architecture.
    pub architecture: String,
    /// The CPU's model, where the system tells.
    pub cpu: Option<String>,
    /// How many CPUs the process may use.
    pub cpus: usize,
    /// Limits and settings by name, as the system spells them; what it does not tell is not
    /// there.
    pub limits: BTreeMap<String, String>,
    /// The libraries under test, and their versions.
    pub versions: BTreeMap<String, String>,
}

/// The settings of Linux that an accept queue and its clients depend on.
const SETTINGS: &[&str] = &[
    "net/core/somaxconn",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/tcp_tw_reuse",
    "net/ipv4/tcp_syncookies",
    "net/ipv4/tcp_abort_on_overflow",
    "kernel/io_uring_disabled",
];

/// The libraries that every run stands on; those under test come with their backends.
const LIBRARIES: &[&str] = &["criterion", "libc", "socket2"];

/// The lock file of the checkout that this was built in.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));

impl Host {
    /// A machine of which nothing is known.
    pub fn unknown() -> Host {
        let unknown = || "unknown".to_owned();
        Host {
            system: unknown(),
            kernel: unknown(),
            architecture: unknown(),
            cpu: None,
            cpus: 0,
            limits: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    /// Whether anything is known of it.
    pub fn is_known(&self) -> bool {
        *self != Host::unknown()
    }

    /// Reads this machine, and the versions of these libraries. What cannot be read is left
    /// out.
    pub fn read(libraries: &[&str]) -> Host {
        let name = uname().ok();
        let field = |read: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
            name.as_ref().map_or_else(String::new, |name| read(name).to_string_lossy().into_owned())
        };
        Host {
            system: field(nix::sys::utsname::UtsName::sysname),
            kernel: field(nix::sys::utsname::UtsName::release),
            architecture: field(nix::sys::utsname::UtsName::machine),
            cpu: cpu_model(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            limits: read_limits(),
            versions: versions(LOCK, libraries),
        }
    }
}

fn cpu_model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim().to_owned())
}

fn read_limits() -> BTreeMap<String, String> {
    let setting = |path: &&str| {
        let text = fs::read_to_string(format!("/proc/sys/{path}")).ok()?;
        Some((path.replace('/', "."), text.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    let mut limits: BTreeMap<_, _> = SETTINGS.iter().filter_map(setting).collect();
    limits.extend(limits::open_files().map(|n| ("RLIMIT_NOFILE".to_owned(), n.to_string())));
    limits
}

/// The versions of the libraries under test, from a lock file: each `name` line of the
/// format is followed by its `version` line.
fn versions(lock: &str, libraries: &[&str]) -> BTreeMap<String, String> {
    let quoted = |line: &str, key: &str| {
        line.strip_prefix(key).map(|rest| rest.trim_matches([' ', '=', '"']).to_owned())
    };
    let lines: Vec<&str> = lock.lines().collect();
    let pairs = lines
        .windows(2)
        .filter_map(|pair| Some((quoted(pair[0], "name = ")?, quoted(pair[1], "version = ")?)));
    let known = |name: &str| LIBRARIES.contains(&name) || libraries.contains(&name);
    pairs.filter(|(name, _)| known(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_under_test_has_a_version() {
        let libraries: Vec<&str> = crate::backend::libraries().collect();
        let versions = versions(LOCK, &libraries);
        assert!(libraries.contains(&"mio"), "backends name their libraries");
        for library in LIBRARIES.iter().chain(&libraries) {
            assert!(versions.contains_key(*library), "{library} is not in Cargo.lock");
        }
    }
}
