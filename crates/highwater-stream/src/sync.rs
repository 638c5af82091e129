//! The locks and flags that tasks share: the standard library's, or loom's, which tries them in every order.
//!
//! Loom is in charge under `--cfg highwater_loom`, a name of our own because `--cfg loom` takes tokio's net away.
//! What is model-checked with it is in `models`.

pub(crate) use imp::*;
use std::sync::PoisonError;

/// Locks, and goes on after a panic elsewhere: no invariant is broken between two statements here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(not(all(test, highwater_loom)))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicBool, fence};
    pub(crate) use std::sync::{Mutex, MutexGuard};

    /// Whether somebody has panicked with the lock in hand.
    pub(crate) fn is_poisoned<T>(mutex: &Mutex<T>) -> bool {
        mutex.is_poisoned()
    }

    /// Nothing, but in a model.
    #[inline(always)]
    pub(crate) fn before_release(_: &AtomicBool) {}
}

#[cfg(all(test, highwater_loom))]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicBool, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    /// In a model, a panic is the end.
    pub(crate) fn is_poisoned<T>(_: &Mutex<T>) -> bool {
        false
    }

    /// A thread may be interrupted here. Loom never does that between the last use of a lock and its release, and
    /// another's `try_lock`, before which `flag` is written, can tell.
    pub(crate) fn before_release(flag: &AtomicBool) {
        flag.load(std::sync::atomic::Ordering::Relaxed);
    }
}
