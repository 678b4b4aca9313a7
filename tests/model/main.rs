//! The modelled kernels, call by call: what accept and accept4 return, write and leave behind.
#![cfg(target_os = "linux")]

mod aborts;
mod boundaries;
mod call;
mod concurrency;
mod native;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

rstall::interpose_accept!();

/// Most tests do not mind their neighbours; those that count descriptors or fork do.
static QUIET: RwLock<()> = RwLock::new(());

fn beside_others() -> RwLockReadGuard<'static, ()> {
    QUIET.read().unwrap_or_else(PoisonError::into_inner)
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    QUIET.write().unwrap_or_else(PoisonError::into_inner)
}
