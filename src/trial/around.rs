//! Injects what happens around the accept queue: to its listener, to its flags and numbers, to
//! the process, to the loop as a whole.

use std::fs::File;
use std::net::Shutdown;

use socket2::SockRef;

use super::conductor::{Conductor, Stop};
use super::injection::accept_within;
use super::log::What;
use super::number;
use crate::evidence::queue;
use crate::fault::Step;
use crate::limits::Shortage;
use crate::listener::Listener;
use crate::peer::Peer;

impl Conductor<'_> {
    /// Does one of the steps that leave the queue to others.
    pub(super) fn around(&mut self, step: Step) -> Result<(), Stop> {
        match step {
            Step::ListenAgain => self.listen_again(),
            Step::ClearNonblock => self.clear_nonblock(true),
            Step::ClearNonblockOfAnother => {
                let another = self.listener.another().map_err(Stop::void("another listener"))?;
                self.other = Some(another);
                self.clear_nonblock(false)
            }
            Step::Renumber => self.renumber(),
            Step::Exhaust => self.exhaust(),
            Step::Relieve => {
                drop(self.shortage.take());
                self.note(What::Relieved);
                Ok(())
            }
            Step::StopByClose | Step::StopByShutdown | Step::StopByClient => self.stop_by(step),
            Step::Leave | Step::LeaveMigrating => self.leave(),
            // The queue's own steps are done by `inject`.
            _ => Ok(()),
        }
    }

    /// Shuts the listener down, which flushes the queue (net/ipv4/af_inet.c, `inet_shutdown`),
    /// and has it listen again. A port that the kernel chose may be another then.
    fn listen_again(&mut self) -> Result<(), Stop> {
        let backlog = self.cell.listener.backlog;
        let socket = SockRef::from(self.listener.socket());
        socket.shutdown(Shutdown::Read).map_err(Stop::void("shutting the listener down"))?;
        socket.listen(backlog).map_err(Stop::void("listening again"))?;
        self.listener.find_again().map_err(Stop::void("the listener's address"))?;
        self.note(What::Flushed);
        Ok(())
    }

    /// Clears O_NONBLOCK of the open file description that the loop's descriptor shares, or of
    /// another one's on the port.
    fn clear_nonblock(&mut self, ours: bool) -> Result<(), Stop> {
        let holder = if ours { Some(&self.listener) } else { self.other.as_ref() };
        if let Some(holder) = holder {
            let socket = SockRef::from(holder.socket());
            socket.set_nonblocking(false).map_err(Stop::void("clearing O_NONBLOCK"))?;
        }
        self.note(What::FlagCleared { ours });
        Ok(())
    }

    /// Gives the number of the loop's descriptor to a new listener. The old one is closed
    /// with that, since nobody else holds it.
    fn renumber(&mut self) -> Result<(), Stop> {
        let fresh = Listener::bind(self.cell.listener).map_err(Stop::void("a new listener"))?;
        number::give(self.number, fresh.socket()).map_err(Stop::void("reusing the number"))?;
        self.listener = fresh;
        self.stage.iter().for_each(|stage| stage.renumbered());
        self.note(What::Renumbered);
        Ok(())
    }

    fn exhaust(&mut self) -> Result<(), Stop> {
        self.shortage = Some(Shortage::begin().map_err(Stop::void("the limit on open files"))?);
        self.note(What::RanOut);
        Ok(())
    }

    fn stop_by(&mut self, step: Step) -> Result<(), Stop> {
        if step == Step::StopByClose {
            return self.stop_by_close();
        }
        self.note(What::StopAsked);
        self.stage.iter().for_each(|stage| stage.ask_to_stop());
        if step == Step::StopByShutdown {
            let socket = SockRef::from(self.listener.socket());
            return socket.shutdown(Shutdown::Both).map_err(Stop::void("shutting down"));
        }
        let client = Peer::connect_within(self.listener.addr(), self.deadline.remaining());
        self.clients.push_back(client.map_err(Stop::void("a client's connect"))?);
        Ok(())
    }

    /// Closes the loop's descriptor, which is the last one, and gives its number to another
    /// file at once: the backend still owns it. The loop is told afterwards, so that it is
    /// parked until then and the number is its own.
    fn stop_by_close(&mut self) -> Result<(), Stop> {
        let null = File::open("/dev/null").map_err(Stop::void("/dev/null"))?;
        self.listener.let_go().map_err(Stop::void("closing the other descriptor"))?;
        self.note(What::StopAsked);
        number::give(self.number, &null).map_err(Stop::void("closing the listener"))?;
        self.stage.iter().for_each(|stage| stage.ask_to_stop());
        Ok(())
    }

    /// Opens the listener that stays, keeps no descriptor of the loop's, and tells the loop to
    /// stop.
    fn leave(&mut self) -> Result<(), Stop> {
        let stays = self.listener.another().map_err(Stop::void("another listener"))?;
        self.other = Some(stays.duplicate().map_err(Stop::void("a descriptor"))?);
        self.listener = stays;
        self.note(What::StopAsked);
        self.stage.iter().for_each(|stage| stage.ask_to_stop());
        Ok(())
    }

    /// Where the loop has left: what became of the connections that it had not taken.
    pub(super) fn after_the_end(&mut self) -> Result<(), Stop> {
        if self.other.is_none() {
            return Ok(());
        }
        let mut ports: Vec<u16> = self.clients.iter().map(|client| client.local().port()).collect();
        while queue::readable(self.listener.socket()).map_err(Stop::void("looking at the queue"))? {
            let (_, peer) = accept_within(&self.listener, self.deadline)
                .map_err(Stop::void("the other's accept"))?;
            // A client that came later, to the rescue, has nothing to do with it.
            if ports.contains(&peer.port()) {
                ports.retain(|&port| port != peer.port());
                self.note(What::Migrated { port: peer.port() });
            }
        }
        let taken = |port: &u16| {
            self.log.iter().any(|event| match event.what {
                What::AcceptReturned { port: taken, .. } => taken == Some(*port),
                _ => false,
            })
        };
        let dropped: Vec<u16> = ports.into_iter().filter(|port| !taken(port)).collect();
        for port in dropped {
            let deadline = self.deadline;
            let client = self.clients.iter_mut().find(|client| client.local().port() == port);
            if let Some(client) = client {
                client.await_reset(deadline).map_err(Stop::void("a client that was left"))?;
            }
            self.note(What::Dropped { port });
        }
        Ok(())
    }
}
