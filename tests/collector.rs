//! The collector, driven by a made-up group: whatever a sample does, the run goes on and its
//! record says what happened.

use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rstall::backend;
use rstall::bench::collect::{self, Collected, Rounds, Stopped};
use rstall::bench::{Context, Group, Miss, Rig, Sample, Series, Subject, summary};
use rstall::kernel;
use rstall::listener::Mode;
use rstall::record::{Collection, Status};

/// What each made-up series does; a backend's name carries it into the rig.
const SCRIPT: [(&str, &str); 8] = [
    ("steady", "poll"),
    ("twice", "select"),
    ("panics", "epoll"),
    ("hangs", "epoll_et"),
    ("unfit", "epoll_oneshot"),
    ("broken", "mio"),
    ("voids", "polling"),
    ("void once", "tokio"),
];

static GROUP: Group = Group {
    name: "made_up",
    about: "samples by script",
    value: "nothing real",
    reference: "steady",
    rounds: 10,
    parameters: &[None],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| series(&SCRIPT.map(|(name, _)| name)),
    counts_cost: false,
    rig: |_, _, _| Ok(Box::new(Scripted { samples: 0, voids: 0 })),
};

fn series(names: &[&str]) -> Vec<Series> {
    let driver = backend::find("poll").and_then(|entry| entry.built()).expect("poll is built");
    let one = |&(name, carrier): &(&str, &'static str)| Series {
        name: name.to_owned(),
        subject: Ok(Subject::Backend { name: carrier, driver, mode: Mode::NonBlocking }),
    };
    SCRIPT.iter().filter(|(name, _)| names.contains(name)).map(one).collect()
}

struct Scripted {
    samples: u64,
    voids: u64,
}

/// The order in which samples were taken.
static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());

impl Rig for Scripted {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { name, .. } = subject else { panic!("no floor was asked for") };
        let (script, _) = SCRIPT.iter().find(|(_, carrier)| *carrier == name).expect("scripted");
        ORDER.lock().expect("no panic holds it").push(script);
        self.samples += 1;
        let value = |value_ns| Ok(Sample { value_ns, ..Sample::default() });
        match *script {
            "steady" => value(100.0),
            "twice" => value(200.0),
            "panics" => panic!("a scripted panic"),
            "hangs" => loop {
                thread::park();
            },
            "unfit" => Err(Miss::Unfit("not on this machine".to_owned())),
            "broken" => Err(Miss::Broken("5 offered, 4 answered for".to_owned())),
            "voids" => Err(Miss::Void("ports have run out".to_owned())),
            _ if self.voids == 0 => {
                self.voids += 1;
                Err(Miss::Void("just once".to_owned()))
            }
            _ => value(100.0),
        }
    }
}

fn context(seed: u64) -> Context {
    Context { limit: Duration::from_secs(1), ..Context::new(PathBuf::new(), seed) }
}

fn collect(names: &[&str], seed: u64, rounds: usize) -> (Vec<Series>, Rounds) {
    let series = series(names);
    let rounds = collect::collect(&context(seed), &GROUP, None, &series, rounds, || ());
    (series, rounds.expect("the rig opens"))
}

/// The tests share `ORDER`.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn whatever_one_series_does_the_others_go_on() {
    let _guard = ONE_AT_A_TIME.lock();
    let names = SCRIPT.map(|(name, _)| name);
    let (series, rounds) = collect(&names, 1, 12);
    let of = |name: &str| -> &Collected {
        &rounds.series[series.iter().position(|series| series.name == name).expect("there")]
    };
    let failed = |name: &str, text: &str| match &of(name).stopped {
        Some(Stopped::Failed(reason)) => assert!(reason.contains(text), "{name}: {reason}"),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(of("steady").samples.len(), 12);
    assert_eq!(rounds.control.samples.len(), 12);
    assert_eq!(of("twice").samples.len(), 12);
    failed("panics", "a scripted panic");
    failed("hangs", "hung for 1.0 s");
    failed("broken", "5 offered, 4 answered for");
    failed("voids", "ports have run out");
    assert_eq!(of("unfit").stopped, Some(Stopped::Skipped("not on this machine".to_owned())));
    assert_eq!((of("void once").samples.len(), of("void once").stopped.clone()), (12, None));
    assert!(of("void once").voids.iter().all(|reason| reason == "just once"));
    assert!(!of("void once").voids.is_empty());
}

#[test]
fn the_summary_tells_a_ratio_from_a_tie_and_a_failure_from_both() {
    let _guard = ONE_AT_A_TIME.lock();
    let (series, rounds) = collect(&["steady", "twice", "broken", "void once"], 2, 12);
    let collection = summary::summarise(&GROUP, None, &series, &rounds, 2);
    let cell = |name: &str| {
        collection.cells.iter().find(|cell| cell.series == name).expect("every series has a cell")
    };
    let control = collection.control.expect("the reference ran");
    assert_eq!((control.point, control.low, control.high), (1.0, 1.0, 1.0));
    let twice = cell("twice").ratio.expect("both ran");
    assert_eq!((twice.raw.point, twice.is_tie()), (2.0, false));
    assert!(cell("void once").ratio.expect("both ran").is_tie());
    assert_eq!(cell("void once").voids.values().sum::<usize>(), 1);
    assert_eq!(cell("steady").ratio, None, "the reference is not compared with itself");
    assert!(matches!(cell("broken").status, Status::Failed(_)));
    assert_eq!(cell("broken").median, None, "what failed has no result");
}

#[test]
fn what_was_collected_of_a_round_or_two_can_be_read_again() {
    let _guard = ONE_AT_A_TIME.lock();
    for count in [1, 2, 3] {
        let (series, rounds) = collect(&["steady", "twice"], 2, count);
        let collection = summary::summarise(&GROUP, None, &series, &rounds, 2);
        let text = serde_json::to_string(&collection).expect("JSON");
        let again: Collection = serde_json::from_str(&text).expect("it can be read");
        assert_eq!(again, collection);
    }
}

#[test]
fn each_round_runs_everybody_once_and_the_reference_twice_in_the_seed_s_order() {
    let _guard = ONE_AT_A_TIME.lock();
    let order_of = |seed| {
        ORDER.lock().expect("no panic holds it").clear();
        collect(&["steady", "twice"], seed, 10);
        ORDER.lock().expect("no panic holds it").clone()
    };
    let order = order_of(7);
    for round in order.chunks(3) {
        assert_eq!(round.iter().filter(|name| **name == "steady").count(), 2, "{order:?}");
        assert_eq!(round.iter().filter(|name| **name == "twice").count(), 1, "{order:?}");
    }
    assert_eq!(order, order_of(7), "a seed gives one order");
    assert_ne!(order, order_of(8), "and another seed another");
    let firsts: Vec<_> = order.chunks(3).map(|round| round[0]).collect();
    assert!(firsts.contains(&"twice") && firsts.contains(&"steady"), "the order is shuffled");
}

#[test]
fn a_group_that_cannot_be_measured_says_why() {
    static NEVER: Group =
        Group { rig: |_, _, _| Err("no descriptors".to_owned()), ..GROUP_TEMPLATE };
    let series = series(&["steady"]);
    let why = collect::collect(&context(1), &NEVER, None, &series, 10, || ()).expect_err("no rig");
    let collection = summary::skipped(&NEVER, None, &series, &why);
    assert_eq!(collection.skipped.as_deref(), Some("no descriptors"));
    assert_eq!(collection.cells[0].status, Status::Skipped("no descriptors".to_owned()));
}

const GROUP_TEMPLATE: Group = Group {
    name: "never",
    about: "",
    value: "",
    reference: "steady",
    rounds: 10,
    parameters: &[None],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| Vec::new(),
    counts_cost: false,
    rig: |_, _, _| Err(String::new()),
};

#[test]
fn the_control_is_the_second_run_over_the_first_and_ratios_are_to_their_mean() {
    let collected = |values: &[f64]| Collected {
        samples: values.iter().map(|&value_ns| Sample { value_ns, ..Sample::default() }).collect(),
        ..Collected::default()
    };
    // The machine doubles its time from round to round: only pairing by round sees through.
    let drift = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let times = |factor: f64| collected(&drift.map(|d| d * factor));
    let rounds = Rounds {
        series: vec![times(100.0), times(220.0)],
        control: times(120.0),
        interrupted: false,
    };
    let collection = summary::summarise(&GROUP, None, &series(&["steady", "twice"]), &rounds, 5);
    let control = collection.control.expect("it ran");
    assert!((control.point - 1.2).abs() < 1e-12, "{control:?}");
    let ratio = collection.cells[1].ratio.expect("both ran");
    assert!((ratio.raw.point - 2.0).abs() < 1e-12, "220 to the mean of 100 and 120: {ratio:?}");
    assert!((ratio.raw.high - ratio.raw.low).abs() < 1e-12, "the drift is in no interval");
    assert!((ratio.judged.high - 2.4).abs() < 1e-12, "widened by the control: {ratio:?}");
}
