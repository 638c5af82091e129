//! How a check is written down: what it belongs to, a sentence, what it does with the connections it is given.

use super::maker::{Making, Reset};
use std::future::Future;
use std::rc::Rc;

/// Something that holds for every connection that a maker `M` makes.
pub(super) struct Check<M> {
    /// `w4: drain holds above the high mark until the low one`: the contract, or `bare` for the transport by
    /// itself, and the rule.
    pub(super) name: String,
    pub(super) needs: Needs,
    body: Body<M>,
}

/// What a check does; it panics where the rule does not hold.
type Body<M> = Rc<dyn Fn(M) -> Making<()>>;

/// What a transport has to be able to do, or the check does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// To end one direction while the other goes on.
    HalfClose,
    /// To tell the peer of an abort.
    Reset(Reset),
}

impl<M: 'static> Check<M> {
    pub(super) fn new<R: Future<Output = ()> + 'static>(
        part: &str,
        name: &str,
        body: impl Fn(M) -> R + 'static,
    ) -> Self {
        Self {
            name: format!("{part}: {}", name.replace('_', " ")),
            needs: Needs::Nothing,
            // On the heap: some hold several waits at a time.
            body: Rc::new(move |on| Box::pin(body(on))),
        }
    }

    /// The same, for transports alone that can do this.
    pub(super) fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    pub(super) fn run(&self, on: M) -> Making<()> {
        (self.body)(on)
    }
}

/// Checks, each an `async fn` of a maker by whose name it goes.
macro_rules! checks {
    ($part:literal: $($name:ident),* $(,)?) => {
        [$(super::check::Check::new($part, stringify!($name), $name)),*]
    };
}
pub(super) use checks;
