//! Measures what the interposition costs, where it is: in a program that defines accept.
//!
//! ```sh
//! cargo test --release --test price -- --ignored --nocapture
//! ```
#![cfg(target_os = "linux")]

use rstall::bench::price;
use rstall::kernel;
use rstall::limits;

rstall::interpose_accept!();

#[test]
#[ignore = "it measures: cargo test --release --test price -- --ignored --nocapture"]
fn a_model_adds_less_than_a_microsecond() {
    if cfg!(debug_assertions) {
        panic!("a debug build says nothing about speed: add --release");
    }
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
