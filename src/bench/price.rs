//! What the interposition of a modelled kernel adds to one accept, where it is used.

use fastrand::Rng;

use super::{Miss, taker};
use crate::interpose;
use crate::kernel::Model;
use crate::listener::Mode;
use crate::record::Price;
use crate::stats;

/// How many accepts one time is the mean of.
const BURST: usize = 64;

/// How many pairs of times are taken.
const PAIRS: usize = 25;

/// Measures the price in this program, in pairs of random order: the floor on two full
/// queues. Takes a tenth of a second.
///
/// # Errors
///
/// Why there is none.
pub fn measure(model: Model, seed: u64) -> Result<Price, Miss> {
    interpose::offered().map_err(|reason| Miss::Unfit(reason.to_owned()))?;
    let mut rng = Rng::with_seed(seed);
    let (mut native, mut added) = (Vec::new(), Vec::new());
    // The first pair warms up.
    for pair in 0..=PAIRS {
        let mut times = [0.0; 2];
        let mut order = [0, 1];
        rng.shuffle(&mut order);
        for which in order {
            times[which] = one((which == 1).then_some(model))?;
        }
        if pair > 0 {
            native.push(times[0]);
            added.push(times[1] - times[0]);
        }
    }
    let native_ns = stats::median_of(&native, &mut rng);
    // One pair of many may well say that the model makes it quicker.
    let added_ns = stats::median_difference(&added, &mut rng);
    let nothing = || Miss::Void("no pair was measured".to_owned());
    Ok(Price { native_ns: native_ns.ok_or_else(nothing)?, added_ns: added_ns.ok_or_else(nothing)? })
}

/// The mean of a burst, in nanoseconds an accept.
fn one(model: Option<Model>) -> Result<f64, Miss> {
    let listener = taker::listen(Mode::NonBlocking, BURST)?;
    let in_force = model.map(|model| interpose::put_in_force(listener.socket(), model));
    let in_force = in_force.transpose().map_err(Miss::of("a modelled kernel"))?;
    let clients = taker::fill(listener.socket(), BURST)?;
    let (took, taken) = taker::floor(listener.socket(), BURST)?;
    if in_force.is_some_and(|in_force| in_force.captured() != BURST as u64) {
        let message = "this program's accepts do not come to the model";
        return Err(Miss::Unfit(message.to_owned()));
    }
    taker::dismiss(clients);
    drop(taken);
    Ok(taker::value(took) / BURST as f64)
}
