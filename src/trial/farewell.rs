//! The end of the loop's thread, however it stands.

use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::conductor::Conductor;
use super::log::What;
use super::stage::{Message, end_of};
use crate::clock;
use crate::peer::Peer;

/// How long a loop that was told to stop may take before its thread is left behind.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

impl<'a> Conductor<'a> {
    /// Ends the loop: by flag, by the bystander's hang-up, by the clients' and by one more
    /// client, since it may be waiting for any of them. A thread that does not end is left
    /// behind.
    pub(super) fn stop(mut self) -> Conductor<'a> {
        self.note(What::Stopping);
        // Whoever ends the loop needs descriptors.
        drop(self.shortage.take());
        let Some(stage) = self.stage.take() else {
            return self;
        };
        stage.stop();
        drop(self.bystander.take());
        let last_clients = if self.ended { Vec::new() } else { self.last_clients() };
        let mut farewell = clock::now().after(FAREWELL);
        let mut shut = false;
        while !self.ended {
            match stage.next(farewell.remaining()) {
                Some(Message::Did(event)) => {
                    self.ended = end_of(&event).is_some();
                    self.log.push(event);
                }
                Some(Message::Panicked(_) | Message::NotOpened(_)) => self.ended = true,
                Some(Message::Opened(_) | Message::InWindow | Message::AtBystander) => {}
                None if shut => break,
                None => {
                    // Linux wakes an accept that is parked on a listener which is shut down.
                    let _ = SockRef::from(self.listener.socket()).shutdown(Shutdown::Both);
                    shut = true;
                    farewell = clock::now().after(FAREWELL);
                }
            }
        }
        if self.ended {
            stage.join();
        }
        drop(last_clients);
        // Everybody else resets too, so that no TIME_WAIT is left behind.
        for client in self.clients.drain(..).chain(self.rescue.take()) {
            let _ = client.reset();
        }
        self
    }

    /// Where two listeners have the port, the kernel chooses one for each client: one of so
    /// many will do.
    fn last_clients(&mut self) -> Vec<Peer> {
        for client in self.clients.drain(..) {
            // A read that is parked ends with its client.
            let _ = client.reset();
        }
        let clients = if self.other.is_some() { 32 } else { 1 };
        let deadline = clock::now().after(FAREWELL);
        let connect = |_| {
            let addr = self.listener.addr();
            let mut client = Peer::connect_within(addr, deadline.remaining()).ok()?;
            // For a loop that reads from whomever it accepts.
            let _ = client.send();
            Some(client)
        };
        (0..clients).filter_map(connect).collect()
    }
}
