//! Systems on which no modelled kernel is offered.

use std::io;
use std::os::fd::AsFd;

use super::{Vanished, offered};
use crate::kernel::Model;

/// Puts no kernel in force here.
///
/// # Errors
///
/// Always `Unsupported`, with the reason.
pub fn put_in_force(_listener: &impl AsFd, _model: Model) -> io::Result<InForce> {
    let why = offered().err().unwrap_or_default();
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// A modelled kernel in force: there is none here.
#[derive(Debug)]
pub enum InForce {}

impl InForce {
    /// How many calls of accept have come to the model.
    pub fn captured(&self) -> u64 {
        match *self {}
    }

    /// The connections that the model has discarded.
    pub fn vanished(&self) -> Vec<Vanished> {
        match *self {}
    }

    /// Takes the aborted connection at the head of the queue off.
    ///
    /// # Errors
    ///
    /// None: there is nothing to call it on.
    pub fn reap(&self, _listener: &impl AsFd) -> io::Result<u16> {
        match *self {}
    }
}
