//! Duels, fought in a made-up group whose samples are drawn: what ends them, and how often
//! their intervals hold the truth.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use fastrand::Rng;
use rstall::backend;
use rstall::bench::duel::{Account, Duel, End, Look};
use rstall::bench::{Context, Group, Miss, Rig, Sample, Series, Subject};
use rstall::kernel;
use rstall::listener::Mode;

static GROUP: Group = Group {
    name: "made_up",
    about: "samples by lot",
    value: "nothing real",
    reference: "poll",
    rounds: 10,
    parameters: &[None],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| Vec::new(),
    counts_cost: false,
    rig: |context, _, _| Ok(Box::new(ByLot { rng: Rng::with_seed(context.seed), samples: 0 })),
};

/// One of the two; a backend's name carries what it does into the rig.
fn side(carrier: &'static str) -> Series {
    let driver = backend::find("poll").and_then(|entry| entry.built()).expect("poll is built");
    let subject = Subject::Backend { name: carrier, driver, mode: Mode::NonBlocking };
    Series { name: carrier.to_owned(), subject: Ok(subject) }
}

struct ByLot {
    rng: Rng,
    samples: u64,
}

impl Rig for ByLot {
    fn sample(&mut self, subject: Subject, round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { name, .. } = subject else { panic!("no floor was asked for") };
        self.samples += 1;
        // All of a round share its weather, and each sample has noise of its own: 5 % or so.
        let weather = 1.0 + 0.5 * (round % 7) as f64;
        let noise = (0..12).map(|_| self.rng.f64()).sum::<f64>() - 6.0;
        let typical = match name {
            "epoll" => 1.2,
            "mio" if self.samples > 40 => {
                return Err(Miss::Broken("5 offered, 4 answered for".to_owned()));
            }
            "select" => return Ok(Sample::default()),
            _ => 1.0,
        };
        let value_ns = 1e4 * typical * weather * (0.05 * noise).exp();
        Ok(Sample { value_ns, ..Sample::default() })
    }
}

fn duel(sides: [&'static str; 2], precision: f64, most: usize) -> Duel {
    Duel { group: &GROUP, parameter: None, sides: sides.map(side), precision, most }
}

fn fight(duel: &Duel, seed: u64) -> Result<Account, String> {
    let context = Context::new(PathBuf::from("/nobody"), seed);
    let mut seen = Vec::new();
    let account = duel.fight(&context, |look: &Look| seen.push(look.rounds))?;
    let rounds: Vec<usize> = account.looks.iter().map(|look| look.rounds).collect();
    assert_eq!(seen, rounds, "each look is told as it is made");
    Ok(account)
}

#[test]
fn the_looks_are_fixed_beforehand() {
    let looks = |most| duel(["epoll", "poll"], 0.02, most).looks();
    assert_eq!(looks(10), [10]);
    assert_eq!(looks(40), [10, 20, 40]);
    assert_eq!(looks(100), [10, 20, 40, 80, 100]);
}

#[test]
fn it_ends_at_the_first_look_that_is_precise_enough() {
    let account = fight(&duel(["epoll", "poll"], 0.05, 640), 3).expect("fought");
    assert_eq!(account.end, End::Precise);
    let (last, before) = account.looks.split_last().expect("a look");
    let width = |look: &Look| look.ratio.raw.high / look.ratio.raw.point - 1.0;
    assert!(width(last) <= 0.05, "{last:?}");
    assert!(!before.is_empty() && before.iter().all(|look| width(look) > 0.05), "{before:?}");
    assert!(last.rounds < 640, "{last:?}");
    assert!(last.ratio.raw.low > 1.0 && last.ratio.raw.point > 1.1, "{last:?}");
}

#[test]
fn one_against_itself_is_a_tie() {
    let account = fight(&duel(["poll", "poll"], 0.05, 640), 4).expect("fought");
    let last = account.looks.last().expect("a look");
    assert!(account.end == End::Precise && last.ratio.is_tie(), "{account:?}");
}

#[test]
fn where_it_cannot_get_there_it_says_so_and_how_far_it_is() {
    let account = fight(&duel(["epoll", "poll"], 0.001, 40), 5).expect("fought");
    assert_eq!(account.looks.iter().map(|look| look.rounds).collect::<Vec<_>>(), [10, 20, 40]);
    let End::Imprecise(why) = &account.end else { panic!("{account:?}") };
    assert!(why.contains("after 40 rounds") && why.contains("not within 0.1 %"), "{why}");
    let needed = why.rsplit_once("about ").and_then(|(_, rest)| rest.split_once(' '));
    let needed: u64 = needed.expect("a number").0.parse().expect("of rounds");
    assert!(needed > 4_000, "{why}");
}

#[test]
fn a_side_that_fails_ends_it() {
    let why = fight(&duel(["mio", "poll"], 0.001, 640), 6).expect_err("one side is broken");
    assert_eq!(why, "mio failed: 5 offered, 4 answered for");
    let why = fight(&duel(["select", "select"], 0.02, 20), 7).expect_err("no time passes");
    assert!(why.contains("0 ns"), "{why}");
    let mut absent = duel(["epoll", "poll"], 0.02, 20);
    absent.sides[0].subject = Err("not on this machine".to_owned());
    assert_eq!(fight(&absent, 8).expect_err("absent"), "epoll: not on this machine");
}

#[test]
fn all_looks_of_nineteen_duels_in_twenty_hold_the_truth() {
    let mut missed = 0;
    for seed in 0..120 {
        let account = fight(&duel(["epoll", "poll"], 0.0, 80), seed).expect("fought");
        // The mean of two runs is on average a little more than their typical value.
        let truth = 1.2 / (0.05_f64.powi(2) / 4.0).exp();
        missed += usize::from(!account.looks.iter().all(|look| look.ratio.raw.holds(truth)));
    }
    assert!(missed <= 120 / 20, "{missed} of 120");
}

fn rstall(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rstall"))
        .arg("duel")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_duel_on_the_command_line() {
    let rough = ["--precision", "1000%", "--seed", "7"];
    let asked = ["select", "poll", "--bench", "accept_burst/16"];
    let (code, out, err) = rstall(&[&asked[..], &rough[..]].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("accept_burst/16, select against poll, seed 7"), "{out}");
    assert!(out.contains("of what poll takes."), "{out}");
    let fine = ["--precision", "0%", "--rounds", "10"];
    let (code, out, err) = rstall(&[&asked[..], &fine[..]].concat());
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("Not as narrow as asked: after 10 rounds"), "{out}");
    let (code, out, _) = rstall(&[&asked[..], &fine[..], &["--json"]].concat());
    let account: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &account["looks"][0]["rounds"]), (Some(1), &10.into()));
    // Processes share a listener here: the program plays them itself.
    let sides = ["poll-blocking", "poll-nonblocking", "--bench", "stall_natural/2"];
    let (code, out, err) = rstall(&[&sides[..], &fine[..]].concat());
    assert_eq!(code, Some(1), "{out}{err}");
}

#[test]
fn what_cannot_be_fought_says_why() {
    for (arguments, why) in [
        (["poll", "select", "--bench", "accept_brust"], "there are accept_burst"),
        (["poll", "select", "--bench", "accept_burst/7"], "it has 1, 16, 256"),
        (["poll", "select", "--bench", "connect_to_accept/7"], "has no parameters"),
        (["poll", "selekt", "--bench", "accept_burst"], "it has floor, blocking, select"),
        (["poll", "select", "--bench", "stall/2"], "name one of poll-blocking, poll-nonblocking"),
        (["blocking", "poll-blocking", "--bench", "stall/2"], "no window"),
    ] {
        let (code, out, err) = rstall(&arguments);
        assert_eq!((code, out), (Some(2), String::new()), "{arguments:?}: {err}");
        assert!(err.contains(why), "{arguments:?}: {err}");
    }
}
