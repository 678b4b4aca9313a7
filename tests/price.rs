//! Measures what the interposition costs, where it is: in a program that defines accept.
//!
//! ```sh
//! cargo test --release --test price -- --ignored --nocapture
//! ```
#![cfg(target_os = "linux")]

use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Mutex;

use fastrand::Rng;
use rstall::bench::{price, taker};
use rstall::listener::Mode;
use rstall::{clock, kernel, limits, stats};

rstall::interpose_accept!();

/// One measures at a time.
static TURN: Mutex<()> = Mutex::new(());

/// accept4(2) as a function.
type Accept4 = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t, i32) -> i32;

/// The C library's own, past this program's symbol (dlsym(3), RTLD_NEXT).
fn the_c_library_s() -> Accept4 {
    // SAFETY: the name is a C string, and the symbol is a function of this type.
    unsafe {
        let symbol = libc::dlsym(libc::RTLD_NEXT, c"accept4".as_ptr());
        assert!(!symbol.is_null(), "a static build has no other accept4");
        mem::transmute::<*mut libc::c_void, Accept4>(symbol)
    }
}

/// A burst of accepts on the machine's own kernel, in nanoseconds each.
fn burst(accept4: Accept4) -> f64 {
    const BURST: usize = 64;
    let listener = taker::listen(Mode::NonBlocking, BURST).expect("a listener");
    let clients = taker::fill(listener.socket(), BURST).expect("a full queue");
    let mut taken = Vec::with_capacity(BURST);
    let began = clock::now();
    for _ in 0..BURST {
        let mut address = [0_u64; 16];
        let mut length = mem::size_of_val(&address) as libc::socklen_t;
        let address = address.as_mut_ptr().cast();
        // SAFETY: the pointers and the length are those of `address` (accept(2)).
        let fd = unsafe { accept4(listener.socket().as_raw_fd(), address, &mut length, 0) };
        assert!(fd >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the descriptor is new and nobody else owns it.
        taken.push(unsafe { OwnedFd::from_raw_fd(fd) });
    }
    let took = clock::now() - began;
    taker::dismiss(clients);
    took.as_nanos() as f64 / BURST as f64
}

#[test]
#[ignore = "it measures: cargo test --release --test price -- --ignored --nocapture"]
fn a_native_accept_does_not_feel_the_symbol() {
    if cfg!(debug_assertions) {
        panic!("a debug build says nothing about speed: add --release");
    }
    let _turn = TURN.lock();
    limits::raise_open_files();
    let sides: [Accept4; 2] = [the_c_library_s(), libc::accept4];
    let mut rng = Rng::with_seed(1);
    let mut ratios = Vec::new();
    for pair in 0..=200 {
        let (mut times, mut order) = ([0.0; 2], [0, 1]);
        rng.shuffle(&mut order);
        for side in order {
            times[side] = burst(sides[side]);
        }
        // The first pair warms up.
        if pair > 0 {
            ratios.push(times[1] / times[0]);
        }
    }
    let ratio = stats::median_of(&ratios, &mut rng).expect("there are pairs");
    println!(
        "this program's accept4 over the C library's, native: {:.3} [{:.3}, {:.3}]",
        ratio.point, ratio.low, ratio.high
    );
    assert!(ratio.low <= 1.01, "{ratio:?}");
}

#[test]
#[ignore = "it measures: cargo test --release --test price -- --ignored --nocapture"]
fn a_model_adds_less_than_a_microsecond() {
    if cfg!(debug_assertions) {
        panic!("a debug build says nothing about speed: add --release");
    }
    let _turn = TURN.lock();
    limits::raise_open_files();
    for kernel in kernel::ALL.iter().filter(|kernel| !kernel.is_native()) {
        let model = kernel.model.expect("it is modelled");
        let price = price::measure(model, 1).expect("it can be measured");
        println!(
            "{}: native {:.0} ns; added {:.0} ns [{:.0}, {:.0}]",
            kernel.name,
            price.native_ns.point,
            price.added_ns.point,
            price.added_ns.low,
            price.added_ns.high
        );
        assert!(price.added_ns.low < 1_000.0, "{}: {price:?}", kernel.name);
    }
}
