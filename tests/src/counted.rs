//! Tests that leave nothing behind: each runs again in a process of its own, where no other test has
//! anything open, and there twice, so that the second time counts what the first has left.

use crate::bounded::{bounded, one_thread, two_workers};
use std::env;
use std::future::Future;
use std::process::Command;
use tokio::runtime::{Builder, Handle, Runtime};

/// Set for the process that counts.
const COUNTS: &str = "HIGHWATER_TEST_COUNTS";

/// Runs `test` on a runtime of one thread.
///
/// # Panics
/// When `test` does, when it has not ended after a minute and a half, or when a descriptor or a task is left over.
pub fn on_one_thread<F: Future<Output = ()>>(test: impl Fn() -> F + Send + 'static) {
    counted(test, &[one_thread]);
}

/// The same on each flavour of the runtime.
pub fn on_each_runtime<F: Future<Output = ()>>(test: impl Fn() -> F + Send + 'static) {
    counted(test, &[one_thread, two_workers]);
}

/// The same on one thread with the clock paused: it moves on only when everybody waits.
pub fn run_paused<F: Future<Output = ()>>(test: impl Fn() -> F + Send + 'static) {
    counted(
        test,
        &[|| {
            let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
            runtime.expect("a runtime can be built")
        }],
    );
}

/// Gives each flavour of the runtime to `test`, which ends it, and its tasks with it.
pub fn with_each_runtime<T: Fn(Runtime) + Send + 'static>(test: T) {
    twice::<T, _>(move || {
        test(one_thread());
        test(two_workers());
    });
}

/// Runs `test`, which has its own runtime.
pub fn without_a_runtime<T: Fn() + Send + 'static>(test: T) {
    twice::<T, _>(test);
}

/// Runs `test` once, on one thread, in a process that is its own already.
///
/// # Panics
/// When `test` does, when it has not ended after a minute and a half, or when a descriptor or a task is left over.
pub fn once(test: impl AsyncFnOnce() + Send + 'static) {
    bounded(move || {
        // The first runtime of a process opens what all of them share.
        drop(one_thread());
        let before = descriptors();
        one_thread().block_on(async {
            test().await;
            no_task_is_left().await;
        });
        assert_eq!(descriptors(), before, "descriptors");
    });
}

fn counted<T, F>(test: T, runtimes: &'static [fn() -> Runtime])
where
    T: Fn() -> F + Send + 'static,
    F: Future<Output = ()>,
{
    twice::<T, _>(move || {
        for runtime in runtimes {
            runtime().block_on(async {
                test().await;
                no_task_is_left().await;
            });
        }
    });
}

/// `both` is found by `T`, the closure that the test has given.
fn twice<T, B: Fn() + Send + 'static>(both: B) {
    if env::var_os(COUNTS).is_none() {
        return in_a_process_of_its_own::<T>();
    }
    bounded(move || {
        both();
        let before = descriptors();
        both();
        assert_eq!(descriptors(), before, "descriptors, of one run more");
    });
}

/// The test is found by the type of its closure: `file::c1_name::{{closure}}`.
fn in_a_process_of_its_own<T>() {
    let path = std::any::type_name::<T>();
    let name = path.split("::").nth(1).expect("a test is a function of its file, and this a closure in it");
    let mut again = Command::new(env::current_exe().expect("this program is there"));
    let again = again.args(["--exact", name, "--nocapture"]).env(COUNTS, "1").output();
    let again = again.expect("it can be started again");
    let (out, err) = (String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&again.stderr));
    assert!(again.status.success(), "{name}, in a process of its own:\n{out}{err}");
    assert!(out.contains("1 passed"), "{name} was not found:\n{out}{err}");
}

/// A task that is left never ends, and the test neither.
async fn no_task_is_left() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    crate::net::descriptors()
}

#[cfg(not(target_os = "linux"))]
fn descriptors() -> usize {
    0
}

/// Runs `test` twice, the second time with what the first left behind counted. For files of a single test,
/// which have their process to themselves.
///
/// # Panics
/// Where a descriptor is left over.
pub fn leaves_nothing<F: Future<Output = ()>>(what: &str, runtime: &Runtime, test: impl Fn() -> F) {
    runtime.block_on(async {
        test().await;
        no_task_is_left().await;
        let before = descriptors();
        test().await;
        no_task_is_left().await;
        assert_eq!(descriptors(), before, "{what}");
    });
}
