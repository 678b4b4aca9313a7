//! Where no abort is involved, a modelled kernel is the native one: every answer, every
//! out-parameter, everything left behind.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use rstall::kernel;
use rstall::listener::{Family, Mode};
use socket2::SockRef;

use super::call::Client::{Alive, Closed, Reset};
use super::call::{Client, Queue, Symbol, call, kernel, raw, read};

/// All that can be seen of one call, with ports as places in the queue.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// FD_CLOEXEC and O_NONBLOCK of the new descriptor, or the errno.
    result: Result<(bool, bool), Errno>,
    /// Whose address was written; `None` where the port was not.
    whose: Option<usize>,
    /// What else of the buffer was written.
    written: Vec<usize>,
    length: u32,
    queued: usize,
    ready: bool,
    /// What the first client reads: nothing yet, or the end of a connection that was lost.
    client: Option<Result<usize, Errno>>,
}

fn flags(fd: &OwnedFd) -> (bool, bool) {
    let of = |arg| fcntl(fd, arg).expect("fcntl");
    (of(FcntlArg::F_GETFD) & libc::FD_CLOEXEC != 0, of(FcntlArg::F_GETFL) & libc::O_NONBLOCK != 0)
}

fn see(queue: &Queue, symbol: Symbol, room: u32) -> Seen {
    let returned = call(symbol, queue.fd(), room);
    let written = |&at: &usize| returned.address[at] != 0xa5;
    Seen {
        whose: queue.index(returned.port()),
        // The port's own bytes differ from run to run.
        written: (0..64).filter(|at| ![2, 3].contains(at)).filter(written).collect(),
        length: returned.length,
        queued: queue.length(),
        ready: queue.is_ready(),
        result: returned.result.as_ref().map(flags).map_err(|&errno| errno),
        client: queue.streams.first().map(|stream| {
            let stream = OwnedFd::from(stream.try_clone().expect("a descriptor"));
            read(&stream)
        }),
    }
}

/// Every kernel comes to the same as the machine's own.
#[track_caller]
fn all_the_same<T: std::fmt::Debug + PartialEq>(what: &str, see: impl Fn(&str) -> T) -> T {
    let native = see("native");
    for kernel in kernel::ALL.iter().filter(|kernel| !kernel.is_native()) {
        assert_eq!(see(kernel.name), native, "{what} on {}", kernel.name);
    }
    native
}

#[test]
fn a_connection_is_given_with_the_same_flags_address_and_length() {
    let _beside = super::beside_others();
    let symbols = [
        Symbol::Accept,
        Symbol::Accept4(0),
        Symbol::Accept4(libc::SOCK_CLOEXEC),
        Symbol::Accept4(libc::SOCK_NONBLOCK),
        Symbol::Accept4(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK),
        // Flags that there are not: EINVAL, and the connection stays.
        Symbol::Accept4(libc::SOCK_CLOEXEC | 1),
        Symbol::Accept4(-1),
    ];
    // Nothing, less than a family, a port, both addresses' lengths and one less, a negative.
    let rooms = [0, 1, 4, 8, 15, 16, 27, 28, 64, u32::MAX];
    for family in Family::ALL {
        for mode in Mode::ALL {
            for clients in [&[Alive, Alive][..], &[Closed, Alive]] {
                for symbol in symbols {
                    for room in rooms {
                        let what = format!("{clients:?}, {family:?}, {mode:?}, {symbol:?}, {room}");
                        let seen = all_the_same(&what, |name| {
                            see(&Queue::of(kernel(name), mode, family, clients), symbol, room)
                        });
                        // Not all alike for want of trying.
                        let refused = matches!(symbol, Symbol::Accept4(flags) if flags & 1 != 0);
                        let expected = match (refused, room) {
                            (true, _) => Err(Errno::EINVAL),
                            (false, u32::MAX) => Err(Errno::EINVAL),
                            (false, _) => Ok(()),
                        };
                        assert_eq!(seen.result.map(drop), expected, "{what}");
                        assert_eq!(seen.queued, if refused { 2 } else { 1 }, "{what}");
                    }
                }
            }
        }
    }
}

/// A page that can be read and not written, and one that cannot even be read.
fn pages() -> [*mut libc::sockaddr; 2] {
    let page = std::num::NonZeroUsize::new(4096).expect("not zero");
    [ProtFlags::PROT_READ, ProtFlags::PROT_NONE].map(|protection| {
        // SAFETY: a new anonymous mapping, which nobody unmaps (mmap(2)).
        let mapped = unsafe { mmap_anonymous(None, page, protection, MapFlags::MAP_PRIVATE) };
        mapped.expect("a page").as_ptr().cast()
    })
}

/// What is bad, the two pointers (`None`: a good one), and what the call must come to.
type Case = (&'static str, *mut libc::sockaddr, Option<*mut u32>, Result<(), Errno>);

#[test]
fn bad_pointers_lose_the_connection_and_never_the_program() {
    let _beside = super::beside_others();
    let [read_only, no_access] = pages();
    let wild = ptr::without_provenance_mut::<libc::sockaddr>(1);
    let mut good = [0_u64; 16];
    let good: *mut libc::sockaddr = good.as_mut_ptr().cast();
    let cases: [Case; 9] = [
        ("no address", ptr::null_mut(), Some(ptr::null_mut()), Ok(())),
        ("no address, wild length", ptr::null_mut(), Some(wild.cast()), Ok(())),
        ("no length", good, Some(ptr::null_mut()), Err(Errno::EFAULT)),
        ("wild length", good, Some(wild.cast()), Err(Errno::EFAULT)),
        ("read-only length", good, Some(read_only.cast()), Err(Errno::EFAULT)),
        ("wild address", wild, None, Err(Errno::EFAULT)),
        ("read-only address", read_only, None, Err(Errno::EFAULT)),
        ("address without access", no_access, None, Err(Errno::EFAULT)),
        // The page behind it cannot be written: part of the address is.
        ("address at the end of a page", edge(), None, Err(Errno::EFAULT)),
    ];
    for symbol in [Symbol::Accept, Symbol::Accept4(libc::SOCK_CLOEXEC)] {
        for (what, address, length, expected) in cases {
            let what = format!("{what}, {symbol:?}");
            let seen = all_the_same(&what, |name| {
                let queue = Queue::v4(kernel(name), Mode::NonBlocking, &[Alive, Alive]);
                let mut room = 64_u32;
                let length = length.unwrap_or(&mut room);
                let result = raw(symbol, queue.fd(), address, length);
                // A connection that is lost is closed: its client reads the end.
                let client = OwnedFd::from(queue.streams[0].try_clone().expect("a descriptor"));
                let read = read(&client);
                (result.map(drop), room, queue.length(), read)
            });
            assert_eq!(seen.0, expected, "{what}");
            let kept = if expected.is_ok() { Err(Errno::EWOULDBLOCK) } else { Ok(0) };
            assert_eq!((seen.2, seen.3), (1, kept), "{what}");
        }
    }
}

/// Eight bytes before a page without access.
fn edge() -> *mut libc::sockaddr {
    let pages = std::num::NonZeroUsize::new(2 * 4096).expect("not zero");
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new anonymous mapping, which nobody unmaps (mmap(2)).
    let mapped = unsafe { mmap_anonymous(None, pages, protection, MapFlags::MAP_PRIVATE) };
    let mapped = mapped.expect("two pages");
    // SAFETY: the second page is inside the mapping, and nobody has a reference to it.
    unsafe {
        let second = mapped.add(4096);
        nix::sys::mman::mprotect(second, 4096, ProtFlags::PROT_NONE).expect("mprotect");
        second.as_ptr().cast::<u8>().sub(8).cast()
    }
}

#[test]
fn an_empty_queue_says_so_or_waits_for_its_time() {
    let _beside = super::beside_others();
    let none: &[Client] = &[];
    let seen = all_the_same("non-blocking", |name| {
        let queue = Queue::v4(kernel(name), Mode::NonBlocking, none);
        see(&queue, Symbol::Accept4(0), 64)
    });
    assert_eq!(seen.result, Err(Errno::EWOULDBLOCK));
    assert!(seen.written.is_empty() && seen.length == 64, "{seen:?}");
    let seen = all_the_same("SO_RCVTIMEO", |name| {
        let queue = Queue::v4(kernel(name), Mode::Blocking, none);
        let socket = SockRef::from(queue.listener.socket());
        socket.set_read_timeout(Some(Duration::from_millis(5))).expect("SO_RCVTIMEO");
        see(&queue, Symbol::Accept, 64)
    });
    assert_eq!(seen.result, Err(Errno::EWOULDBLOCK));
}

#[test]
fn what_is_no_listener_gets_the_native_errno() {
    let _beside = super::beside_others();
    // A model is in force for somebody else: these pass through it.
    let _other = Queue::v4(kernel("posix"), Mode::NonBlocking, &[Alive]);
    let socket = |kind| socket2::Socket::new(socket2::Domain::IPV4, kind, None).expect("a socket");
    let (pipe, _writer) = std::io::pipe().expect("a pipe");
    let (udp, unbound) = (socket(socket2::Type::DGRAM), socket(socket2::Type::STREAM));
    let cases: [(RawFd, Errno); 5] = [
        (-1, Errno::EBADF),
        (1 << 20, Errno::EBADF),
        (pipe.as_raw_fd(), Errno::ENOTSOCK),
        (udp.as_raw_fd(), Errno::EOPNOTSUPP),
        (unbound.as_raw_fd(), Errno::EINVAL),
    ];
    for (fd, errno) in cases {
        for symbol in [Symbol::Accept, Symbol::Accept4(0)] {
            let returned = call(symbol, fd, 64);
            assert!(returned.wrote_nothing(64), "{fd}");
            assert_eq!(returned.result.map(drop), Err(errno), "{fd}, {symbol:?}");
        }
    }
}

#[test]
fn a_listener_that_is_shut_down_says_einval() {
    let _beside = super::beside_others();
    for mode in Mode::ALL {
        let seen = all_the_same("shut down", |name| {
            let queue = Queue::v4(kernel(name), mode, &[]);
            let socket = SockRef::from(queue.listener.socket());
            socket.shutdown(std::net::Shutdown::Both).expect("shutdown");
            call(Symbol::Accept, queue.fd(), 64).result.map(drop)
        });
        assert_eq!(seen, Err(Errno::EINVAL), "{mode:?}");
    }
}

#[test]
fn the_last_descriptor_is_enough_for_a_call_that_discards() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let _alone = super::alone();
    let queue = Queue::v4(kernel("berkeley"), Mode::NonBlocking, &[Reset, Reset, Alive]);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let lowest = queue.listener.socket().as_fd().try_clone_to_owned().expect("a descriptor");
    let last = lowest.as_raw_fd();
    drop(lowest);
    setrlimit(Resource::RLIMIT_NOFILE, last as u64 + 1, hard).expect("setrlimit");
    let returned = call(Symbol::Accept, queue.fd(), 64);
    let none_left = call(Symbol::Accept, queue.fd(), 64).result.map(drop);
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("setrlimit");
    assert_eq!(queue.index(returned.port()), Some(2), "{returned:?}");
    assert_eq!(returned.result.expect("the living one").as_raw_fd(), last);
    assert_eq!(none_left, Err(Errno::EMFILE));
}

#[test]
fn a_program_without_descriptors_keeps_the_connection_queued() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let _alone = super::alone();
    let seen = all_the_same("EMFILE", |name| {
        let queue = Queue::v4(kernel(name), Mode::NonBlocking, &[Alive]);
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        let lowest = queue.listener.socket().as_fd().try_clone_to_owned().expect("a descriptor");
        let full = lowest.as_raw_fd() as u64;
        drop(lowest);
        setrlimit(Resource::RLIMIT_NOFILE, full, hard).expect("setrlimit");
        let result = call(Symbol::Accept, queue.fd(), 64);
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("setrlimit");
        let nothing = result.wrote_nothing(64);
        (result.result.map(drop), nothing, queue.length(), queue.is_ready())
    });
    assert_eq!(seen, (Err(Errno::EMFILE), true, 1, true));
}
