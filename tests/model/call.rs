//! A queue of known connections, and accept and accept4 as C calls them.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rstall::clock::{self, Moment};
use rstall::evidence::queue;
use rstall::evidence::reset::{Ended, await_ended};
use rstall::interpose::{self, InForce};
use rstall::kernel::{self, Kernel};
use rstall::listener::{Family, Listener, ListenerSpec, Mode};
use socket2::{Domain, SockRef, Socket, Type};

/// How a queued connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Alive.
    Alive,
    /// Closed with a FIN: still to be accepted.
    Closed,
    /// Reset.
    Reset,
    /// Reset after two bytes.
    DataThenReset,
    /// Reset after a FIN.
    FinThenReset,
}

/// A listener with a queue, on a kernel.
pub struct Queue {
    pub listener: Listener,
    pub in_force: Option<InForce>,
    /// The clients' addresses, in the order of the queue.
    pub addresses: Vec<SocketAddr>,
    /// Those that are alive.
    pub streams: Vec<TcpStream>,
}

pub fn kernel(name: &str) -> &'static Kernel {
    kernel::find(name).expect("in the registry")
}

/// A safety net for what must come.
pub fn soon() -> Moment {
    clock::now().after(Duration::from_secs(30))
}

impl Queue {
    pub fn open(kernel: &Kernel, mode: Mode, family: Family) -> Queue {
        let spec = ListenerSpec { mode, family, backlog: 64 };
        let listener = Listener::bind(spec).expect("a listener");
        let in_force = kernel
            .model
            .map(|model| interpose::put_in_force(listener.socket(), model).expect("a model"));
        Queue { listener, in_force, addresses: Vec::new(), streams: Vec::new() }
    }

    /// A queue of these, each known to be there and as it should be.
    pub fn of(kernel: &Kernel, mode: Mode, family: Family, clients: &[Client]) -> Queue {
        let mut queue = Queue::open(kernel, mode, family);
        clients.iter().for_each(|&client| queue.add(client));
        queue
    }

    pub fn v4(kernel: &Kernel, mode: Mode, clients: &[Client]) -> Queue {
        Queue::of(kernel, mode, Family::Ipv4, clients)
    }

    pub fn add(&mut self, client: Client) {
        let queued = self.length();
        let mut stream = TcpStream::connect(self.listener.addr()).expect("a client");
        queue::await_length(self.listener.socket(), queued + 1, soon()).expect("it is queued");
        let local = stream.local_addr().expect("an address");
        self.addresses.push(local);
        match client {
            Client::Alive => return self.streams.push(stream),
            Client::Closed => {
                drop(stream);
                await_ended(Ended::Closed, local, self.listener.addr(), soon()).expect("the FIN");
                return;
            }
            Client::Reset => {}
            Client::DataThenReset => stream.write_all(b"hi").expect("two bytes"),
            Client::FinThenReset => stream.shutdown(Shutdown::Write).expect("a FIN"),
        }
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
        drop(stream);
        await_ended(Ended::Reset, local, self.listener.addr(), soon()).expect("the RST");
    }

    /// A client that stays, of which nobody sees that it is queued: an accept waits for it.
    pub fn add_client_of_a_waiting_accept(&mut self) {
        let stream = TcpStream::connect(self.listener.addr()).expect("a client");
        self.addresses.push(stream.local_addr().expect("an address"));
        self.streams.push(stream);
    }

    pub fn fd(&self) -> RawFd {
        self.listener.socket().as_raw_fd()
    }

    pub fn length(&self) -> usize {
        queue::look(self.listener.socket()).expect("Linux tells").length
    }

    pub fn is_ready(&self) -> bool {
        let mut entry = [PollFd::new(self.listener.socket().as_fd(), PollFlags::POLLIN)];
        poll(&mut entry, PollTimeout::ZERO).expect("poll") > 0
    }

    /// Which of the clients has this port.
    pub fn index(&self, port: u16) -> Option<usize> {
        self.addresses.iter().position(|address| address.port() == port)
    }
}

/// Connects and resets. An accept that waits may be faster, and take it alive; mostly it is
/// not: only a close lies between.
pub fn reset_at_once(listener: SocketAddr) {
    let domain = Domain::for_address(listener);
    let client = Socket::new(domain, Type::STREAM, None).expect("a socket");
    client.set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    client.connect(&listener.into()).expect("a client");
}

/// Which symbol is called, and with what flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    Accept,
    Accept4(i32),
}

/// A byte that no address holds in all of its places.
const UNTOUCHED: u8 = 0xa5;

/// What a call returned and wrote.
#[derive(Debug)]
pub struct Returned {
    pub result: Result<OwnedFd, Errno>,
    /// The address buffer afterwards.
    pub address: [u8; 64],
    /// The length afterwards.
    pub length: u32,
}

impl Returned {
    /// Whether neither the address nor the length was written.
    pub fn wrote_nothing(&self, room: u32) -> bool {
        self.length == room && self.address.iter().all(|&byte| byte == UNTOUCHED)
    }

    /// The port in the address, in its place for both families.
    pub fn port(&self) -> u16 {
        u16::from_be_bytes([self.address[2], self.address[3]])
    }
}

/// Calls with room for an address of `room` bytes.
pub fn call(symbol: Symbol, listener: RawFd, room: u32) -> Returned {
    let (mut address, mut length) = ([UNTOUCHED; 64], room);
    let result = raw(symbol, listener, address.as_mut_ptr().cast(), &mut length);
    Returned { result, address, length }
}

/// Calls with these pointers, whatever they are.
pub fn raw(
    symbol: Symbol,
    listener: RawFd,
    address: *mut libc::sockaddr,
    length: *mut u32,
) -> Result<OwnedFd, Errno> {
    // SAFETY: the kernel checks the pointers (accept(2)); those that are valid belong to the
    // caller and are written no further than the length says.
    let fd = unsafe {
        match symbol {
            Symbol::Accept => libc::accept(listener, address, length),
            Symbol::Accept4(flags) => libc::accept4(listener, address, length, flags),
        }
    };
    // SAFETY: the descriptor is new and nobody else owns it.
    if fd == -1 { Err(Errno::last()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) }
}

/// What a read of an accepted socket gives: so many bytes, or an errno.
pub fn read(fd: &OwnedFd) -> Result<usize, Errno> {
    use std::io::Read;
    let socket = SockRef::from(fd);
    socket.set_nonblocking(true).expect("fcntl");
    let read: io::Result<usize> = (&*socket).read(&mut [0; 16]);
    read.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))
}
