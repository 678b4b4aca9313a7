//! One million connections in one run: nothing runs out, nothing is left open, nothing grows.
//!
//! ```sh
//! cargo test --release --test endurance -- --ignored --nocapture
//! ```
//!
//! The connections go through the rig of `accept_burst`, 256 at a time, one backend after the
//! other. What is open and what is resident is counted after the first 50,000, when every
//! backend has run and every library has what it keeps for the life of the process, and
//! again at the end.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;

use rstall::bench::{self, Context, Series};
use rstall::{clock, limits};

const CONNECTIONS: usize = 1_000_000;
const WARM_UP: usize = 50_000;
const BURST: usize = 256;

/// What the resident set may grow by, in KiB: arenas and the kernel's count of pages, which
/// it keeps per CPU and in batches, move by some hundreds. A leak of four bytes a
/// connection would be found.
const SLACK_KIB: u64 = 4 * 1024;

#[test]
#[ignore = "it takes a minute: cargo test --release --test endurance -- --ignored --nocapture"]
fn a_million_connections_leave_nothing_behind() {
    limits::raise_open_files();
    let group = bench::find("accept_burst").expect("the group is registered");
    let parameter = BURST.to_string();
    // No benchmark of this group starts a worker.
    let context = Context::new(PathBuf::new(), 1);
    let mut rig = (group.rig)(&context, group.kernel, Some(&parameter)).expect("a rig");
    let runs = |series: Series| series.subject.ok().map(|subject| (series.name, subject));
    let series: Vec<_> = group.series(Some(&parameter)).into_iter().filter_map(runs).collect();
    assert!(WARM_UP / BURST > series.len(), "every series takes part in the warm-up");

    let began = clock::now();
    let (mut connections, mut warm) = (0, None);
    for (name, subject) in series.iter().cycle() {
        // A void sample is as much a failure as a broken one: EADDRNOTAVAIL is one.
        let sample = rig.sample(*subject, 0).unwrap_or_else(|miss| {
            panic!("{name}, after {connections} connections: {miss:?}");
        });
        let offered = sample.counts["offered"];
        assert_eq!(offered, BURST as u64, "one burst a sample");
        connections += BURST;
        if warm.is_none() && connections >= WARM_UP {
            warm = Some(Footprint::now());
        }
        if connections >= CONNECTIONS {
            break;
        }
    }
    let (took, end) = (clock::now() - began, Footprint::now());

    let warm = warm.expect("the warm-up is shorter than the run");
    println!("{connections} connections in {took:.1?}, {} series", series.len());
    println!("after {WARM_UP}: {warm:?}\nat the end:  {end:?}");
    assert_eq!(end.descriptors, warm.descriptors, "descriptors were left open");
    assert!(end.resident_kib <= warm.resident_kib + SLACK_KIB, "memory was left behind");
}

/// What a process holds at one moment.
#[derive(Debug)]
struct Footprint {
    descriptors: usize,
    resident_kib: u64,
}

impl Footprint {
    fn now() -> Footprint {
        let status = fs::read_to_string("/proc/self/status").expect("procfs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|rest| rest.trim().strip_suffix(" kB"));
        Footprint {
            // The folder being read is among them, each time.
            descriptors: fs::read_dir("/proc/self/fd").expect("procfs").count(),
            resident_kib: resident.expect("VmRSS").parse().expect("a number"),
        }
    }
}
