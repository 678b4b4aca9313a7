//! The probe tells kernels apart by what they do, and says where that is not what is written.

use std::process::Command;

use rstall::interpose;
use rstall::kernel;
use rstall::outcome::Abort;
use rstall::probe::experiment::Answers;
use rstall::probe::verdict::{Answer, Verdict, is_as_modelled};
use rstall::probe::{self, Experiment, Probe};

rstall::interpose_accept!();

fn tcp(probe: &Probe) -> impl Iterator<Item = &Experiment> {
    probe.experiments.iter().filter(|experiment| experiment.transport.starts_with("tcp"))
}

#[test]
fn this_kernel_does_what_is_documented_of_it() {
    let probe = probe::run(kernel::NATIVE);
    assert!(tcp(&probe).count() >= 3, "{:#?}", probe.absent);
    for experiment in tcp(&probe) {
        assert_eq!(experiment.differs, [""; 0], "{experiment:#?}");
        assert!(experiment.documented.accept.is_some(), "nothing is documented: {experiment:#?}");
    }
    assert_eq!(probe.inherits_nonblocking, probe.inherits_nonblocking_documented);
    let answer = probe.verdict.answer.expect("the experiments agree");
    // Every backend's accept is told the same, io_uring's too.
    assert!(!probe.backends.is_empty());
    for backend in &probe.backends {
        let told = match answer {
            Answer::HandsOver => "accepted dead (ECONNRESET)".to_owned(),
            Answer::Fails(abort) => format!("aborted ({})", abort.name()),
            Answer::Vanishes => "no accept".to_owned(),
        };
        assert_eq!(backend.outcome, told, "{}", backend.backend);
    }
}

#[test]
fn a_connection_wakes_one_waiter_at_least_and_an_exclusive_one_not_all() {
    let probe = probe::run(kernel::NATIVE);
    if probe.wakeups.is_empty() {
        eprintln!("skipped: {:?}", probe.absent);
        return;
    }
    assert_eq!(probe.wakeups.len(), 6, "three triggers, two and four waiters: {:?}", probe.absent);
    for wakeups in &probe.wakeups {
        let connections: usize = wakeups.connections.values().sum();
        assert_eq!(connections, 20, "{wakeups:?}");
        let (fewest, most) = (wakeups.connections.keys().min(), wakeups.connections.keys().max());
        assert!(fewest >= Some(&1), "somebody has accepted: {wakeups:?}");
        assert!(most <= Some(&wakeups.waiters), "{wakeups:?}");
    }
}

#[test]
fn the_same_experiments_tell_the_modelled_kernels_apart() {
    if let Err(reason) = interpose::offered() {
        eprintln!("skipped: {reason}");
        return;
    }
    let mut families = Vec::new();
    for kernel in kernel::ALL.iter().copied().filter(|kernel| !kernel.is_native()) {
        let probe = probe::run(kernel);
        assert!(is_as_modelled(&probe.verdict, kernel), "{}: {:#?}", kernel.name, probe.verdict);
        assert_eq!(probe.verdict.family, kernel.name, "uname is the same for all of them");
        assert!(!probe.verdict.stale_readiness, "{}", kernel.name);
        for experiment in tcp(&probe) {
            assert_eq!(experiment.differs, [""; 0], "{}: {experiment:#?}", kernel.name);
        }
        let absent = |what: &str| probe.absent.iter().any(|absent| absent.what == what);
        assert!(absent("unix"), "the models answer for TCP: {:#?}", probe.absent);
        families.push(probe.verdict.family);
    }
    assert_eq!(families, ["berkeley", "svr4", "posix"]);
}

fn experiment(transport: &str, accept: &str, ready_after: &str, reads: &str) -> Experiment {
    let some = |text: &str| Some(text.to_owned());
    Experiment {
        transport: transport.to_owned(),
        ending: "reset".to_owned(),
        observed: Answers {
            ready_before: some("yes"),
            ready_after: some(ready_after),
            accept: some(accept),
            reads: some(reads),
            ..Answers::default()
        },
        documented: Answers::default(),
        differs: Vec::new(),
    }
}

#[test]
fn a_verdict_is_what_the_tcp_experiments_agree_in() {
    let dead = |transport| experiment(transport, "a descriptor", "yes", "ECONNRESET, 0, 0");
    let aborted = |transport| experiment(transport, "ECONNABORTED", "yes", "");
    let verdict = Verdict::of(&[dead("tcp4"), dead("tcp6"), aborted("unix")]);
    assert_eq!((verdict.answer, &*verdict.family), (Some(Answer::HandsOver), "linux"));
    let verdict = Verdict::of(&[aborted("tcp4"), aborted("tcp6")]);
    assert_eq!(verdict.answer, Some(Answer::Fails(Abort::Connection)));
    // macOS over IPv4 and FreeBSD over IPv6, say: no answer is made up.
    let verdict = Verdict::of(&[dead("tcp4"), aborted("tcp6")]);
    assert_eq!((verdict.answer, &*verdict.family), (None, "mixed"));
    let verdict = Verdict::of(&[aborted("unix")]);
    assert_eq!((verdict.answer, &*verdict.family), (None, "unknown"));
    // A reset that nobody noticed is no answer either.
    let alive = experiment("tcp4", "a descriptor", "yes", "2 bytes, EWOULDBLOCK, EWOULDBLOCK");
    assert_eq!(Verdict::of(&[alive]).answer, None);
}

#[test]
fn a_listener_that_is_ready_for_nothing_is_called_stale() {
    let gone = |ready| Verdict::of(&[experiment("tcp4", "EWOULDBLOCK", ready, "")]);
    assert_eq!(gone("no").family, "berkeley");
    assert!(!gone("no").stale_readiness);
    assert!(gone("yes").stale_readiness);
}

#[test]
fn what_differs_is_named_and_alternatives_are_allowed() {
    let documented = Answers {
        accept: Some("a descriptor".to_owned()),
        so_error: Some("ECONNRESET or 0".to_owned()),
        ..Answers::default()
    };
    let seen = |so_error: &str| Answers {
        ready_before: Some("yes".to_owned()),
        accept: Some("ECONNABORTED".to_owned()),
        so_error: Some(so_error.to_owned()),
        ..Answers::default()
    };
    assert_eq!(seen("0").differences(&documented), ["accept"]);
    assert_eq!(seen("EPIPE").differences(&documented), ["accept", "SO_ERROR"]);
}

/// Runs `rstall probe --json`, behind the words of `prefix`.
fn probe_of_the_program(prefix: &[&str]) -> Probe {
    let program = env!("CARGO_BIN_EXE_rstall");
    let words: Vec<&str> = prefix.iter().copied().chain([program, "probe", "--json"]).collect();
    let output = Command::new(words[0]).args(&words[1..]).output().expect("it starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {error}"))
}

/// gVisor's own TCP stack, which calls itself Linux: `.ci/gvisor` installs runsc and runs this.
#[test]
#[ignore = "it needs gVisor's runsc, and root: .ci/gvisor"]
fn another_stack_under_the_same_name_is_known_by_what_it_does() {
    let here = probe_of_the_program(&[]);
    let runsc = ["runsc", "--platform=ptrace", "--network=none", "do"];
    let there = probe_of_the_program(&runsc);
    println!("here:  {} {}: {}", here.system, here.release, here.verdict.words());
    println!("there: {} {}: {}", there.system, there.release, there.verdict.words());
    assert_eq!(there.system, here.system, "uname does not tell them apart");
    // Alike where they are alike: three endings over IPv4 at least, field by field.
    let observed = |probe: &Probe| -> Vec<Experiment> {
        tcp(probe).filter(|experiment| experiment.transport == "tcp4").cloned().collect()
    };
    assert_eq!(observed(&there), observed(&here));
    assert_eq!(there.verdict.family, here.verdict.family);
    // Apart where they are not: it has no Multipath TCP, and no /proc that tells who waits.
    let absent = |probe: &Probe, what: &str| probe.absent.iter().any(|a| a.what == what);
    for absence in &there.absent {
        println!("there, not probed: {}: {}", absence.what, absence.why);
    }
    assert!(absent(&there, "mptcp"), "{:#?}", there.absent);
    assert!(there.wakeups.is_empty());
}
