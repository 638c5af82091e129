//! How a check is written down: a contract, a sentence, what it does on a transport.

use super::maker::{Maker, Reset};
use super::{ending, failing, reading, sending, waiting};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// What a check does.
type Body = Arc<dyn Fn(&Runtime, Maker) + Send + Sync>;

/// Something that holds on every transport.
#[derive(Clone)]
pub struct Check {
    /// The contract that it shows: `w4`.
    pub contract: &'static str,
    /// The rule, told apart from all others of the contract.
    pub name: String,
    /// What a transport has to tell the peer of an abort, or the check does not apply.
    pub needs: Reset,
    body: Body,
}

/// Every check.
pub fn table() -> Vec<Check> {
    [reading::checks(), sending::checks(), waiting::checks(), ending::checks(), failing::checks()].concat()
}

impl Check {
    /// A check that begins outside of the runtime.
    pub(super) fn blocking(
        contract: &'static str,
        name: &str,
        body: impl Fn(&Runtime, Maker) + Send + Sync + 'static,
    ) -> Self {
        Self { contract, name: name.to_owned(), needs: Reset::Never, body: Arc::new(body) }
    }

    /// A check that runs inside.
    pub(super) fn new<F: Future<Output = ()> + 'static>(
        contract: &'static str,
        name: &str,
        body: impl Fn(Maker) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::blocking(contract, &name.replace('_', " "), move |runtime, maker| {
            // On the heap: some hold several waits at a time.
            let body: Pin<Box<dyn Future<Output = ()>>> = Box::pin(body(maker));
            runtime.block_on(body);
        })
    }

    /// The same, for transports alone that tell the peer of an abort.
    pub(super) fn needs(self, needs: Reset) -> Self {
        Self { needs, ..self }
    }

    /// Why it does not apply to `maker`, if so.
    pub fn excuse(&self, maker: Maker) -> Option<&'static str> {
        match self.needs {
            needs if needs <= maker.reset => None,
            Reset::Always if maker.reset > Reset::Never => Some("without unread input an abort is an end"),
            _ => Some("an abort is an end"),
        }
    }

    /// Runs it; panics where it does not hold.
    pub fn run(&self, runtime: &Runtime, maker: Maker) {
        (self.body)(runtime, maker);
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.contract, self.name)
    }
}

/// The checks of one contract, each an `async fn` of a [`Maker`] by whose name it goes.
macro_rules! checks {
    ($contract:literal: $($name:ident),* $(,)?) => {
        vec![$($crate::every_transport::Check::new($contract, stringify!($name), $name)),*]
    };
}
pub(super) use checks;
