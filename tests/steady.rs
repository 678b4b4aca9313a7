//! The whole map, twice: once as it is, once with every core kept busy by other work. No cell
//! comes to anything else.
//!
//! ```sh
//! cargo test --release --test steady -- --ignored
//! ```

use std::hint;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rstall::trial::Timing;
use rstall::verdict::Verdict;
use rstall::verdict::sweep::{self, Plan, Tried};

rstall::interpose_accept!();

/// What each cell came to, all of them as expected.
fn verdicts(plan: &Plan) -> Vec<Option<Vec<Verdict>>> {
    let program = Some(Path::new(env!("CARGO_BIN_EXE_rstall")));
    let timing = Timing { program, ..Timing::sweep() };
    let tried = sweep::run(&plan.cells(), plan.trials, timing, || {}).expect("nothing panics");
    let wrong: Vec<&Tried> = tried.iter().filter(|tried| !tried.is_as_expected()).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), tried.len());
    let counted = |tried: &Tried| {
        let seen = tried.result.as_ref().ok()?;
        Some(seen.counts.keys().copied().collect())
    };
    tried.iter().map(counted).collect()
}

#[test]
#[ignore = "it takes a minute: cargo test --release --test steady -- --ignored"]
fn no_cell_flips_when_every_core_is_busy() {
    let (plan, _) = Plan::of_this_machine(&sweep::DISCIPLINES, 1);
    let quiet = verdicts(&plan);
    let stop = AtomicBool::new(false);
    let busy = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        // A panic must not leave the cores spinning.
        let busy = std::panic::catch_unwind(|| verdicts(&plan));
        stop.store(true, Ordering::Relaxed);
        busy
    });
    let busy = busy.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let cells = plan.cells();
    let by_race = |at: &usize| rstall::verdict::rules::of(&cells[*at]).verdicts.len() > 1;
    let flipped: Vec<usize> = (0..cells.len()).filter(|&at| quiet[at] != busy[at]).collect();
    let flipped: Vec<_> = flipped.iter().filter(|at| !by_race(at)).map(|&at| cells[at]).collect();
    assert!(flipped.is_empty(), "{flipped:#?}");
}
