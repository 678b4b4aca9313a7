//! One experiment: a connection is queued, ended by its client, and accepted; every answer of
//! the kernel is kept as it is.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};
use socket2::Socket;

use super::transport::{Endpoint, Transport};
use super::verdict::Answer;
use crate::clock;
use crate::evidence::queue;
use crate::evidence::reset::{self, Ended};
use crate::interpose;
use crate::kernel::Kernel;
use crate::outcome::{self, Abort};

/// How long anything may take here: a safety net.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often an accepted connection is read.
const READS: usize = 3;

/// What the client does to its connection while that is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It resets: SO_LINGER {on, 0 s}, then close (socket(7)).
    Reset,
    /// It sends two bytes, then resets.
    DataThenReset,
    /// It sends a FIN (shutdown(2)), then resets.
    FinThenReset,
}

impl Ending {
    /// All of them.
    pub const ALL: [Ending; 3] = [Ending::Reset, Ending::DataThenReset, Ending::FinThenReset];

    /// What it is called in reports and records.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Reset => "reset",
            Ending::DataThenReset => "data, reset",
            Ending::FinThenReset => "FIN, reset",
        }
    }
}

/// What a kernel answers, each field in its own words; `None` where it was not asked, where
/// there was nothing to ask, or, in what is documented, where no source says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Whether poll(2) reported the listener once the connection was queued: `yes` or `no`.
    pub ready_before: Option<String>,
    /// Whether it did after the client had ended the connection.
    pub ready_after: Option<String>,
    /// What accept gave: `a descriptor`, or an errno's name.
    pub accept: Option<String>,
    /// The length of the peer's address that accept wrote, in bytes.
    pub address_length: Option<String>,
    /// SO_ERROR of the accepted socket, asked before anything is read.
    pub so_error: Option<String>,
    /// Its TCP state (TCP_INFO).
    pub tcp_state: Option<String>,
    /// What reads gave, in a second experiment: whoever asks for the pending error first gets
    /// it, SO_ERROR or a read.
    pub reads: Option<String>,
}

impl Answers {
    /// The fields by name.
    pub fn fields(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("ready before", self.ready_before.as_deref()),
            ("ready after", self.ready_after.as_deref()),
            ("accept", self.accept.as_deref()),
            ("address length", self.address_length.as_deref()),
            ("SO_ERROR", self.so_error.as_deref()),
            ("TCP state", self.tcp_state.as_deref()),
            ("reads", self.reads.as_deref()),
        ]
    }

    /// The names of the fields that both have and that differ. What is documented may leave
    /// a kernel the choice, between alternatives with an ` or ` between them.
    pub fn differences(&self, documented: &Answers) -> Vec<String> {
        let pairs = self.fields().into_iter().zip(documented.fields());
        let differ = pairs.filter(|((_, seen), (_, documented))| match (seen, documented) {
            (Some(seen), Some(documented)) => documented.split(OR).all(|one| one != *seen),
            (None, _) | (_, None) => false,
        });
        differ.map(|((name, _), _)| name.to_owned()).collect()
    }

    /// Which of the classic answers this is; `None` where the reset was not noticed, or the
    /// error is none of theirs.
    pub fn answer(&self) -> Option<Answer> {
        let accept = self.accept.as_deref()?;
        let named = |abort: &Abort| accept == abort.name();
        if let Some(abort) = [Abort::Connection, Abort::Protocol].into_iter().find(named) {
            return Some(Answer::Fails(abort));
        }
        match accept {
            EMPTY => Some(Answer::Vanishes),
            // A connection that is alive would have nothing to read, and no end.
            DESCRIPTOR => (!self.reads.as_deref()?.ends_with(EMPTY)).then_some(Answer::HandsOver),
            _ => None,
        }
    }
}

/// What stands between the alternatives of something documented.
pub(super) const OR: &str = " or ";

/// What accept gave where it gave a connection.
pub(super) const DESCRIPTOR: &str = "a descriptor";

/// What accept and read say of nothing.
pub(super) const EMPTY: &str = "EWOULDBLOCK";

/// Makes the experiment, twice: once to ask for SO_ERROR, once to read.
///
/// # Errors
///
/// Where the harness failed: the connection was not queued, the reset did not arrive, or the
/// two did not come to the same.
pub fn observe(transport: Transport, ending: Ending, kernel: &Kernel) -> io::Result<Answers> {
    let asked = once(transport, ending, kernel, ask)?;
    let read = once(transport, ending, kernel, read)?;
    let differ = asked.differences(&read);
    if !differ.is_empty() {
        let message = format!("two experiments differ in: {}", differ.join(", "));
        return Err(io::Error::other(message));
    }
    Ok(Answers { reads: read.reads, ..asked })
}

fn once(
    transport: Transport,
    ending: Ending,
    kernel: &Kernel,
    look: fn(&Socket, &mut Answers) -> io::Result<()>,
) -> io::Result<Answers> {
    let endpoint = transport.listen()?;
    let model = kernel.model.map(|model| interpose::put_in_force(&endpoint.socket, model));
    let in_force = model.transpose()?;
    let client = endpoint.connect()?;
    let ready_before = yes(is_ready(&endpoint.socket, PATIENCE)?);
    end(client, ending, &endpoint)?;
    if let (true, Some(in_force)) = (kernel.drops_aborted(), &in_force) {
        in_force.reap(&endpoint.socket)?;
    }
    let ready_after = yes(queue::readable(&endpoint.socket)?);
    let mut answers = Answers {
        ready_before: Some(ready_before),
        ready_after: Some(ready_after),
        ..Answers::default()
    };
    match endpoint.socket.accept() {
        Ok((socket, address)) => {
            answers.accept = Some(DESCRIPTOR.to_owned());
            answers.address_length = Some(address.len().to_string());
            look(&socket, &mut answers)?;
        }
        Err(error) => answers.accept = Some(name(&error)),
    }
    Ok(answers)
}

/// Ends the client's connection, and returns once that is known to have arrived.
fn end(client: Socket, ending: Ending, endpoint: &Endpoint) -> io::Result<()> {
    match ending {
        Ending::Reset => {}
        Ending::DataThenReset => drop(client.send(b"hi")?),
        Ending::FinThenReset => client.shutdown(std::net::Shutdown::Write)?,
    }
    let local = client.local_addr()?.as_socket();
    let remote = endpoint.socket.local_addr()?.as_socket();
    client.set_linger(Some(Duration::ZERO))?;
    drop(client);
    if let (Some(local), Some(remote)) = (local, remote) {
        let deadline = clock::now().after(PATIENCE);
        reset::await_ended(Ended::Reset, local, remote, deadline)?;
    }
    // An AF_UNIX socket is closed with its peer's close, at once.
    Ok(())
}

fn ask(socket: &Socket, answers: &mut Answers) -> io::Result<()> {
    let error = socket.take_error()?;
    answers.so_error = Some(error.map_or_else(|| "0".to_owned(), |error| name(&error)));
    #[cfg(target_os = "linux")]
    {
        use crate::evidence::tcp_info;
        let state = tcp_info::of(socket).map(|info| tcp_info::state_name(info.tcpi_state));
        answers.tcp_state = state.ok().map(str::to_owned);
    }
    Ok(())
}

fn read(socket: &Socket, answers: &mut Answers) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let mut seen = Vec::new();
    for _ in 0..READS {
        seen.push(match (&*socket).read(&mut [0; 16]) {
            Ok(0) => "0".to_owned(),
            Ok(n) => format!("{n} bytes"),
            Err(error) => name(&error),
        });
    }
    answers.reads = Some(seen.join(", "));
    Ok(())
}

/// Whether the listener becomes ready within `limit`.
fn is_ready(listener: &Socket, limit: Duration) -> io::Result<bool> {
    let due = clock::now().after(limit);
    loop {
        let timeout =
            PollTimeout::try_from(due.remaining().as_millis()).unwrap_or(PollTimeout::MAX);
        let mut entry = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        match poll(&mut entry, timeout).map_err(io::Error::from) {
            Err(error) if outcome::is_interrupted(&error) => {}
            result => return Ok(result? > 0),
        }
    }
}

fn yes(ready: bool) -> String {
    if ready { "yes" } else { "no" }.to_owned()
}

/// An errno as the man pages of accept and read spell it: EAGAIN is EWOULDBLOCK there.
fn name(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock => EMPTY.to_owned(),
        _ => outcome::errno_name(error),
    }
}
