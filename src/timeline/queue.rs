//! Which connections wait to be accepted, as far as a log tells.

use crate::trial::What;

/// The connections that have come and have not been seen to leave, by their clients' ports; of
/// a herd in which each loop has a queue of its own, those of all queues. What two threads have
/// logged may be in the other order by some microseconds: a connection that was told to have
/// left before it was told to have come is not counted.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    ports: Vec<u16>,
    left: Vec<u16>,
}

impl Waiting {
    pub(super) fn count(&self) -> usize {
        self.ports.len()
    }

    pub(super) fn take_in(&mut self, what: &What) {
        match what {
            What::Queued { port } | What::RescueConnected { port } => self.comes(*port),
            What::RivalTook { port } | What::Vanished { port } => self.leaves(*port),
            What::AcceptReturned { outcome, port } if outcome.answers() => self.leaves(*port),
            What::Swallowed { port } | What::Migrated { port } | What::Dropped { port } => {
                self.leaves(Some(*port));
            }
            What::Flushed | What::Renumbered => self.ports.clear(),
            _ => {}
        }
    }

    fn comes(&mut self, port: u16) {
        match self.left.iter().position(|&left| left == port) {
            Some(at) => drop(self.left.swap_remove(at)),
            None => self.ports.push(port),
        }
    }

    /// Where the port is not known, it was the oldest.
    fn leaves(&mut self, port: Option<u16>) {
        let at = match port {
            Some(port) => self.ports.iter().position(|&known| known == port),
            None => (!self.ports.is_empty()).then_some(0),
        };
        match (at, port) {
            (Some(at), _) => drop(self.ports.remove(at)),
            (None, Some(port)) => self.left.push(port),
            (None, None) => {}
        }
    }
}
