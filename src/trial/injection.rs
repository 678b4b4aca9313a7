//! Injects a fault: what its steps do to the accept queue, and how that is known.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use socket2::SockRef;

use super::conductor::{Conductor, Stop};
use super::log::What;
use super::number;
use crate::clock::Moment;
use crate::connection::Connection;
use crate::evidence::reset::Ended;
use crate::evidence::{queue, reset};
use crate::fault::Step;
use crate::listener::Listener;
use crate::outcome;
use crate::peer::Peer;

impl Conductor<'_> {
    /// Does the steps, each known to have taken effect before the next begins.
    pub(super) fn inject(&mut self, steps: &[Step]) -> Result<(), Stop> {
        for step in steps {
            match step {
                Step::Connect => self.connect()?,
                Step::ConnectAll => self.connect_all(self.cell.count)?,
                Step::Storm(n) => self.connect_all(*n)?,
                Step::Reset => self.end_oldest(Ended::Reset)?,
                Step::Close => self.end_oldest(Ended::Closed)?,
                Step::Rival => self.rival()?,
                Step::Collect => self.collect()?,
                Step::Efault => self.efault()?,
                Step::Byte => self.send_byte(),
                around => self.around(*around)?,
            }
        }
        Ok(())
    }

    /// Where the kernel drops aborted connections: takes those off that are queued, before
    /// anybody asks for readiness. They stand at the head ([`crate::fault::Fault::unmodelled`]).
    pub(super) fn drop_aborted(&mut self) -> Result<(), Stop> {
        if !self.cell.kernel.drops_aborted() {
            return Ok(());
        }
        for reset in self.resets.clone() {
            let Some(in_force) = &self.in_force else { continue };
            let port = in_force
                .reap(self.listener.socket())
                .map_err(Stop::void("taking an aborted connection off the queue"))?;
            if port != reset {
                return Err(Stop::Void(format!("port {reset} was reset, and {port} was queued")));
            }
            self.note(What::Vanished { port: Some(port) });
        }
        Ok(())
    }

    fn connect_all(&mut self, n: usize) -> Result<(), Stop> {
        for _ in 0..n {
            self.connect()?;
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), Stop> {
        let queue = queue::look(self.listener.socket());
        // Linux lets one more in than the backlog says (include/net/sock.h, sk_acceptq_is_full).
        if let Some(queue) = queue.filter(|queue| queue.length > queue.limit) {
            return Err(Stop::Void(format!(
                "the accept queue is full with {} connections: a backlog of {} was asked for and \
                 the kernel took {} (see net.core.somaxconn)",
                queue.length, self.cell.listener.backlog, queue.limit
            )));
        }
        let queued = queue.map_or(self.clients.len(), |queue| queue.length);
        self.note(What::ConnectBegan);
        let client = Peer::connect_within(self.listener.addr(), self.deadline.remaining())
            .map_err(Stop::void("a client's connect"))?;
        let proof = queue::await_length(self.listener.socket(), queued + 1, self.deadline)
            .map_err(Stop::void("a client's connection is not queued"))?;
        self.rests_on(proof);
        self.note(What::Queued { port: client.local().port() });
        self.clients.push_back(client);
        Ok(())
    }

    fn end_oldest(&mut self, how: Ended) -> Result<(), Stop> {
        let Some(client) = self.clients.pop_front() else {
            return Ok(());
        };
        let (local, remote) = (client.local(), client.remote());
        let port = local.port();
        match how {
            Ended::Reset => {
                self.note(What::ResetSent { port });
                self.resets.push(port);
                client.reset().map_err(Stop::void("a client's reset"))?;
            }
            Ended::Closed => {
                self.note(What::CloseSent { port });
                client.close();
            }
        }
        let proof = reset::await_ended(how, local, remote, self.deadline)
            .map_err(Stop::void("a client's reset has not arrived"))?;
        self.rests_on(proof);
        self.note(What::EndSeen { port });
        Ok(())
    }

    /// Another acceptor of the same queue, where a connection is known to be.
    fn rival(&mut self) -> Result<(), Stop> {
        if !queue::readable(self.listener.socket()).map_err(Stop::void("looking at the queue"))? {
            return Err(Stop::Void("there is nothing for a rival to take".to_owned()));
        }
        let (stream, peer) = accept_within(&self.listener, self.deadline)
            .map_err(Stop::void("the rival's accept"))?;
        self.note(What::RivalTook { port: Some(peer.port()) });
        let connection = Connection::new(stream.into(), Some(peer));
        self.rival_took.push(connection);
        Ok(())
    }

    /// What is left is another holder's of the listener; where nothing is, somebody who has no
    /// right to it has taken it.
    fn collect(&mut self) -> Result<(), Stop> {
        if queue::readable(self.listener.socket()).map_err(Stop::void("looking at the queue"))? {
            return self.rival();
        }
        self.take_in()?;
        let taken = |port: u16| {
            self.log.iter().any(|event| match event.what {
                What::AcceptReturned { port: taken, .. } => taken == Some(port),
                _ => false,
            })
        };
        let port = self.clients.back().map(|client| client.local().port());
        if let Some(port) = port.filter(|&port| !taken(port)) {
            self.note(What::Swallowed { port });
        }
        Ok(())
    }

    /// Another acceptor, whose address pointer is bad.
    fn efault(&mut self) -> Result<(), Stop> {
        let error = number::accept_to_a_bad_address(self.listener.socket());
        if !outcome::is_bad_address(&error) {
            return Err(Stop::void("an accept with a bad address pointer")(error));
        }
        let left = queue::readable(self.listener.socket());
        if left.map_err(Stop::void("looking at the queue"))? {
            return Err(Stop::Void("EFAULT left the connection in the queue".to_owned()));
        }
        if let Some(port) = self.clients.front().map(|client| client.local().port()) {
            self.note(What::Swallowed { port });
        }
        Ok(())
    }
}

/// One accept on a listener where a connection is known to be: it returns at once, unless
/// somebody else is faster and the listener blocks. Then it is given up at the deadline, and
/// the listener is shut down, which on Linux ends the accept as well.
pub(super) fn accept_within(
    listener: &Listener,
    deadline: Moment,
) -> io::Result<(TcpStream, SocketAddr)> {
    // The flag itself: another holder may have changed what the listener was opened with.
    if SockRef::from(listener.socket()).nonblocking()? {
        return listener.socket().accept();
    }
    let own = listener.duplicate()?;
    let (done, told) = mpsc::channel();
    thread::Builder::new().name("another acceptor".to_owned()).spawn(move || {
        let taken = own.socket().accept();
        // A fault may want no descriptor left once the accept is done.
        drop(own);
        // Nobody listens any more once the deadline has passed.
        let _ = done.send(taken);
    })?;
    told.recv_timeout(deadline.remaining()).unwrap_or_else(|_| {
        let _ = SockRef::from(listener.socket()).shutdown(Shutdown::Both);
        Err(io::ErrorKind::TimedOut.into())
    })
}
