//! Runs the checks of a contract on each transport and each flavour of the runtime, and keeps count.

use super::check::{Check, contracts, table};
use super::maker::{Maker, makers};
use crate::bounded::{bounded, one_thread, two_workers};
use crate::net::descriptors;
use crate::report;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::runtime::{Handle, Runtime};

/// A flavour of the runtime, by the name under which it is reported.
type Flavour = (&'static str, fn() -> Runtime);

const RUNTIMES: [Flavour; 2] = [("one thread", one_thread), ("two workers", two_workers)];

/// What has run in this process. Who holds it runs: descriptors are counted, so one test runs at a time.
static LEDGER: Mutex<Ledger> =
    Mutex::new(Ledger { runs: 0, transports: BTreeMap::new(), contracts: BTreeSet::new() });

/// What has run where, by name.
#[derive(Debug)]
struct Ledger {
    runs: usize,
    transports: BTreeMap<&'static str, Ran>,
    contracts: BTreeSet<String>,
}

/// What has run on one transport.
#[derive(Debug, Default)]
struct Ran {
    held: BTreeSet<String>,
    excused: BTreeMap<String, String>,
}

/// Runs the checks of `contract` everywhere. The last contract of a process reports for all.
///
/// # Panics
/// Where one does not hold, leaves a descriptor or a task behind, or did not run on some transport.
pub fn run(contract: &'static str) {
    let mut ledger = LEDGER.lock().unwrap_or_else(PoisonError::into_inner);
    let checks: Vec<Check> = table().into_iter().filter(|check| check.contract == contract).collect();
    for maker in makers() {
        for check in &checks {
            let ran = ledger.transports.entry(maker.name).or_default();
            let outcomes = RUNTIMES.map(|runtime| run_on(runtime, check.clone(), maker));
            match outcomes.into_iter().collect::<Result<(), String>>() {
                Err(reason) => drop(ran.excused.insert(format!("{check:?}"), reason)),
                Ok(()) => {
                    ran.held.insert(format!("{check:?}"));
                    ledger.runs += RUNTIMES.len();
                }
            }
        }
    }
    compare(&ledger, &checks);
    ledger.contracts.insert(contract.to_owned());
    if ledger.contracts == contracts() {
        close(ledger);
    }
}

/// One check on a runtime of its own, bounded, with what is open counted before and after. Why it does not
/// apply, if so.
fn run_on((flavour, runtime): Flavour, check: Check, maker: Maker) -> Result<(), String> {
    let place = Place(format!("{check:?}, on {}, {flavour}", maker.name));
    let outcome = bounded(move || {
        let runtime = runtime();
        let before = what_is_open(&runtime);
        let outcome = check.run(&runtime, maker);
        assert_eq!(what_is_open(&runtime), before, "descriptors, when no task is left");
        outcome
    });
    drop(place);
    outcome
}

/// Waits until no task is left, and counts descriptors.
fn what_is_open(runtime: &Runtime) -> usize {
    runtime.block_on(async {
        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    });
    if cfg!(target_os = "linux") { descriptors() } else { 0 }
}

/// Fails where a transport ran fewer checks than there are, or others.
fn compare(ledger: &Ledger, checks: &[Check]) {
    assert!(!checks.is_empty(), "a contract without a check");
    for maker in makers() {
        let ran = &ledger.transports[maker.name];
        let missing: Vec<_> = checks
            .iter()
            .map(|check| format!("{check:?}"))
            .filter(|name| !ran.held.contains(name) && !ran.excused.contains_key(name))
            .collect();
        assert!(missing.is_empty(), "not run on {}: {missing:#?}", maker.name);
    }
}

/// Everything has run: compares all of it once more, and reports.
fn close(ledger: MutexGuard<'_, Ledger>) {
    let checks = table();
    compare(&ledger, &checks);
    let names: BTreeSet<_> = checks.iter().map(|check| format!("{check:?}")).collect();
    assert_eq!(names.len(), checks.len(), "a name tells one check from all others");
    let excused = ledger.transports.iter().filter(|(_, ran)| !ran.excused.is_empty());
    let excused: String = excused
        .map(|(transport, ran)| {
            let reasons: BTreeSet<_> = ran.excused.values().map(String::as_str).collect();
            let reasons: Vec<_> = reasons.into_iter().collect();
            format!("; {} not applicable to {transport}: {}", ran.excused.len(), reasons.join(", "))
        })
        .collect();
    let transports: Vec<_> = makers().iter().map(|maker| maker.name).collect();
    let held: usize = ledger.transports.values().map(|ran| ran.held.len()).sum();
    report(&format!(
        "every transport: {} cases x {} transports: {}; {held} hold{excused}; run {} with {} runtimes",
        checks.len(),
        transports.len(),
        transports.join(", "),
        ledger.runs,
        RUNTIMES.len(),
    ));
}

/// Says where a check did not hold.
struct Place(String);

impl Drop for Place {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("this was {}", self.0);
        }
    }
}
