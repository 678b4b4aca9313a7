//! The map of pitfalls in a run's record: every loop under every fault, once each.

use std::path::Path;

use crate::clock;
use crate::record::map::Map;
use crate::trial::Timing;
use crate::verdict::sweep::{self, DISCIPLINES, Plan};

/// How often each cell is tried: `rstall verify` tries more.
const TRIALS: usize = 1;

/// Tries all that this machine has. `program` is started for the trials that need a process of
/// their own; `tick` is told of how many cells one more was tried. Takes a few seconds, and
/// ends with what it has once an interrupt was asked for.
///
/// # Errors
///
/// Why there is no map.
pub fn look(program: &Path, tick: impl Fn(usize) + Sync) -> Result<Map, String> {
    let (plan, absent) = Plan::of_this_machine(&DISCIPLINES, TRIALS);
    let cells = plan.cells();
    if cells.is_empty() {
        return Err("this machine has none of the backends".to_owned());
    }
    // It is asked for once a run, and lives as long as the process.
    let program: &'static Path = Box::leak(program.to_owned().into_boxed_path());
    let timing = Timing { program: Some(program), ..Timing::sweep() };
    let began = clock::now();
    let tried = sweep::run(&cells, plan.trials, timing, || tick(cells.len()))?;
    let took = (clock::now() - began).as_secs_f64();
    Ok(Map::of(&plan, &tried, absent, took))
}
