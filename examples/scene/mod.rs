//! What the examples share: a listener on loopback, clients, and a next client who connects
//! once accept is seen parked. The pitfall of each example is in its own file, all of it.
//! Linux: it looks into /proc to tell that a thread is parked.

// No example needs all of it.
#![allow(dead_code)]

/// A program that is about a call of Linux; elsewhere it says so, and ends with 77.
#[allow(unused_macros)]
macro_rules! linux_only {
    ($($program:item)*) => {
        $(#[cfg(target_os = "linux")] $program)*

        #[cfg(not(target_os = "linux"))]
        fn main() {
            eprintln!("skipped: it shows what Linux does");
            std::process::exit(77);
        }
    };
}

#[cfg(target_os = "linux")]
pub mod ring;

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::{env, fs, process, thread};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

/// Whether the program was asked for its cured arm.
pub fn cured() -> bool {
    match env::args().nth(1).as_deref() {
        Some("bad") => false,
        Some("cured") => true,
        _ => {
            eprintln!("usage: {} bad|cured", env::args().next().unwrap_or_default());
            process::exit(2);
        }
    }
}

/// A listener on 127.0.0.1, on any free port. It blocks: std makes it so.
pub fn listening() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a listener")
}

/// A client of the listener, connected: its connection is in the accept queue, or soon is.
pub fn connected(listener: &TcpListener) -> TcpStream {
    TcpStream::connect(listener.local_addr().expect("an address")).expect("a client")
}

/// The client resets its connection instead of closing it (socket(7), SO_LINGER).
pub fn reset(client: TcpStream) {
    socket2::SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).expect("SO_LINGER");
}

/// Waits until a listener or a connection is reported readable. Errors and ends count.
pub fn wait_readable(what: &impl AsFd) {
    let mut one = [PollFd::new(what.as_fd(), PollFlags::POLLIN)];
    poll(&mut one, PollTimeout::NONE).expect("poll");
}

/// Waits until the listener is reported readable, and says so.
pub fn wait_for_report(listener: &TcpListener) {
    wait_readable(listener);
    println!("poll: the listener is readable");
}

static IN_CALL: AtomicBool = AtomicBool::new(false);
static WAS_PARKED: AtomicBool = AtomicBool::new(false);

/// Whether the main thread sleeps in the kernel (proc_pid_stat(5), the third field).
fn main_thread_sleeps() -> bool {
    let text = fs::read_to_string("/proc/self/stat").expect("/proc/self/stat");
    text.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('S'))
}

/// Whether the main thread is parked in [`accept_and_tell`] or in [`read_and_tell`].
pub fn is_parked() -> bool {
    IN_CALL.load(SeqCst) && main_thread_sleeps() && IN_CALL.load(SeqCst)
}

/// Has a next client connect, but only once the main thread is parked in [`accept_and_tell`].
pub fn next_client_once_parked(listener: &TcpListener) {
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        while !is_parked() {
            thread::yield_now();
        }
        WAS_PARKED.store(true, SeqCst);
        println!("accept is parked: nothing goes on until somebody connects");
        let _client = TcpStream::connect(address).expect("the next client");
        // It stays until the program ends.
        thread::park();
    });
}

/// accept(2), and in words what came of it. Gives what accept gave.
pub fn accept_and_tell(listener: &TcpListener) -> io::Result<TcpStream> {
    IN_CALL.store(true, SeqCst);
    let accepted = listener.accept();
    IN_CALL.store(false, SeqCst);
    match &accepted {
        Ok(_) if WAS_PARKED.load(SeqCst) => println!("accept: the next client's connection"),
        Ok(_) => println!("accept: a connection"),
        Err(error) => println!("accept: {}", name_of(error)),
    }
    accepted.map(|(connection, _)| connection)
}

/// The name of an errno, of those that the examples meet.
pub fn name_of(error: &io::Error) -> String {
    let name = match error.kind() {
        ErrorKind::WouldBlock => "EWOULDBLOCK",
        ErrorKind::ConnectionAborted => "ECONNABORTED",
        ErrorKind::ConnectionReset => "ECONNRESET",
        ErrorKind::InvalidInput => "EINVAL",
        _ if error.raw_os_error() == Some(libc::EMFILE) => "EMFILE",
        _ if error.raw_os_error() == Some(libc::EFAULT) => "EFAULT",
        _ if error.raw_os_error() == Some(libc::EBADF) => "EBADF",
        _ => return error.to_string(),
    };
    name.to_owned()
}

/// States of a connection, as /proc/net/tcp numbers them (include/net/tcp_states.h).
const ESTABLISHED: &str = "01";
const SYN_RECV: &str = "03";

/// Waits as long as /proc/net/tcp (proc(5)) has the server's end of a connection in a state. One
/// that was reset is not listed.
fn wait_while(state: &str, ends: &str) {
    let row = format!("{ends}{state} ");
    while fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp").contains(&row) {
        thread::yield_now();
    }
}

/// Both ends of a client's connection, as /proc/net/tcp writes them for the server's.
fn ends_of(client: &TcpStream) -> String {
    // The address as a number in memory's order, which is how the kernel prints it.
    let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
    let end = |address: SocketAddr| format!("{loopback:08X}:{:04X}", address.port());
    let own = client.local_addr().expect("an address");
    let peer = client.peer_addr().expect("a peer");
    format!(" {} {} ", end(peer), end(own))
}

/// As [`connected`], and waits until the server's end is in the accept queue.
pub fn connect_and_wait(listener: &TcpListener) -> TcpStream {
    let client = connected(listener);
    wait_while(SYN_RECV, &ends_of(&client));
    client
}

/// As [`reset`], and waits until the reset has arrived at the server's end.
pub fn reset_and_wait(client: TcpStream) {
    let ends = ends_of(&client);
    reset(client);
    wait_while(ESTABLISHED, &ends);
}

/// The client closes its connection; waits until its FIN has arrived at the server's end.
pub fn close_and_wait(client: TcpStream) {
    let ends = ends_of(&client);
    drop(client);
    wait_while(ESTABLISHED, &ends);
}

/// read(2), and in words what came of it.
pub fn read_and_tell(who: &str, mut from: &TcpStream) -> io::Result<usize> {
    let mut text = [0; 64];
    IN_CALL.store(true, SeqCst);
    let read = from.read(&mut text);
    IN_CALL.store(false, SeqCst);
    match &read {
        Ok(0) => println!("{who} reads: end of file"),
        Ok(size) => println!("{who} reads: {}", String::from_utf8_lossy(&text[..*size])),
        Err(error) => println!("{who} reads: {}", name_of(error)),
    }
    read
}

/// A listener on the port of another, or on any free one, with a queue of its own (SO_REUSEPORT,
/// socket(7)).
pub fn listening_beside(other: Option<&TcpListener>) -> TcpListener {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let at = other.map_or(any, |other| other.local_addr().expect("an address"));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    socket.set_reuse_port(true).expect("SO_REUSEPORT");
    socket.bind(&at.into()).expect("bind");
    socket.listen(128).expect("listen");
    socket.into()
}

/// Waits until all who have connected to the listener are in its accept queue.
pub fn wait_until_queued(listener: &TcpListener) {
    let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
    let port = listener.local_addr().expect("an address").port();
    let own = format!("{loopback:08X}:{port:04X}");
    let is_not = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some(&own) && fields.nth(1) == Some(SYN_RECV)
    };
    while fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp").lines().any(is_not) {
        thread::yield_now();
    }
}
