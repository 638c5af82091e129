//! How a check is written down: a contract, a sentence, what it does on a transport.

use super::maker::{Maker, makers};
use super::reading;
use highwater_testing::{Conformance, Finding, Reset};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// What a check does, and why it does nothing, if so.
type Body = Arc<dyn Fn(&Runtime, Maker) -> Result<(), String> + Send + Sync>;

/// Something that holds on every transport.
#[derive(Clone)]
pub struct Check {
    /// The contract that it shows: `w4`.
    pub contract: String,
    /// The rule, told apart from all others of the contract.
    pub name: String,
    body: Body,
}

/// Every check: the table of reads, and what users can run too.
pub fn table() -> Vec<Check> {
    let conformance = makers()[0].conformance();
    reading::checks().into_iter().chain(conformance.names().map(Check::of_conformance)).collect()
}

/// The contracts that have checks.
pub fn contracts() -> BTreeSet<String> {
    table().into_iter().map(|check| check.contract).collect()
}

impl Check {
    /// A check that begins outside of the runtime, for transports alone that tell the peer of an abort so.
    pub(super) fn blocking(
        contract: &str,
        name: &str,
        needs: Reset,
        body: impl Fn(&Runtime, Maker) + Send + Sync + 'static,
    ) -> Self {
        let body: Body = Arc::new(move |runtime, maker| {
            if maker.reset < needs {
                return Err("an abort is an end".to_owned());
            }
            body(runtime, maker);
            Ok(())
        });
        Self { contract: contract.to_owned(), name: name.to_owned(), body }
    }

    fn of_conformance(full_name: &str) -> Self {
        let (contract, name) = full_name.split_once(": ").expect("a name begins with its contract");
        let full_name = full_name.to_owned();
        let body: Body = Arc::new(move |runtime, maker| {
            let conformance: Conformance = maker.conformance();
            match runtime.block_on(conformance.check(&full_name)).finding {
                Finding::Held => Ok(()),
                Finding::NotApplicable { reason } => Err(reason),
                Finding::Failed { seen } => panic!("{seen}"),
            }
        });
        Self { contract: contract.to_owned(), name: name.to_owned(), body }
    }

    /// Runs it; panics where it does not hold.
    ///
    /// # Errors
    /// Why it does not apply to `maker`, if so.
    pub fn run(&self, runtime: &Runtime, maker: Maker) -> Result<(), String> {
        (self.body)(runtime, maker)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.contract, self.name)
    }
}
