//! One suite for any stream transport, after Trio's idea: whoever can make two connected ends can have them
//! checked, as they are and under highwater's pair.

mod bare;
mod check;
mod ending;
mod failing;
mod maker;
mod reading;
mod report;
mod sending;
mod stream;
mod waiting;

use check::{Check, Needs};
use maker::{Ends, Facts, MakeEnds, Making, Pairs, Transport};
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

pub use maker::{Halves, PairOptions, Reset};
pub use report::{Checked, Finding, Report};

/// Checks of a transport, and what is known of it.
///
/// A check is named after the rule that it shows. Those that begin with `bare` look at `AsyncRead` and
/// `AsyncWrite`: bytes in order, ends that stay, waits that are woken, backpressure, reads and writes that are
/// given up. All others hold highwater's pair over the transport to its contracts, whose number they bear.
/// Each makes a connection of its own, and each runs from either end. A connection is taken to hold 50 bytes that
/// nobody reads, and to be full at some point.
///
/// A check that fails panics, and the panic is caught: what the panic hook prints is part of the report. One
/// that waits for ever is given up after [`patience`](Self::patience), on tokio's clock. Pause that clock for
/// transports in memory, and a hang shows at once; never for sockets, whose events a paused clock overtakes.
///
/// ```
/// use highwater_testing::Conformance;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
/// # runtime.unwrap().block_on(async { // in a test: #[tokio::test(start_paused = true)]
/// let conformance = Conformance::of_transports(async || tokio::io::duplex(1024));
/// let report = conformance.run().await;
/// assert!(report.holds(), "{report}");
/// # });
/// ```
#[must_use = "nothing is checked until `run`"]
pub struct Conformance {
    checks: Vec<Bound>,
    settings: Settings,
}

/// What is known of the transport.
struct Settings {
    reset: Option<Reset>,
    /// Why one direction cannot end alone, if so.
    no_half_close: Option<String>,
    patience: Duration,
}

/// A check and what it is to run on.
struct Bound {
    name: String,
    needs: Needs,
    /// From the one end, and from the other.
    ways: Vec<Way>,
}

type Way = Box<dyn Fn(Option<Reset>) -> Making<()>>;

impl Conformance {
    /// All checks, of the ends that `connected` makes: two ends of a fresh connection each time it is called.
    ///
    /// ```
    /// use highwater_testing::{Chaos, Conformance};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let conformance = Conformance::of_transports(async || {
    ///     let (near, far) = tokio::io::duplex(64);
    ///     (Chaos::new(near, 7).most(9000), far)
    /// });
    /// let checked = conformance.check("bare: bytes arrive in order").await;
    /// assert_eq!(checked.to_string(), "held            bare: bytes arrive in order");
    /// # });
    /// ```
    pub fn of_transports<A, B, M>(connected: impl Fn() -> M + 'static) -> Self
    where
        A: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        B: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        M: Future<Output = (A, B)> + 'static,
    {
        let connected = make_ends(connected);
        Self::over(Ends { clogged: Rc::clone(&connected), connected })
    }

    /// The same, where connections whose peer does not read come from `clogged`: those of small buffers, which
    /// are soon full. A check fills them itself. Without this it fills those of the other maker, up to 64 MiB.
    ///
    /// ```
    /// use highwater_testing::Conformance;
    /// use tokio::io::duplex;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let conformance = Conformance::of_transports_that_clog(async || duplex(1 << 30), async || duplex(100));
    /// let checked = conformance.check("bare: a clogged write waits and is woken").await;
    /// assert!(checked.to_string().starts_with("held"), "{checked}");
    /// # });
    /// ```
    pub fn of_transports_that_clog<A, B, M, C, D, N>(
        connected: impl Fn() -> M + 'static,
        clogged: impl Fn() -> N + 'static,
    ) -> Self
    where
        A: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        B: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        M: Future<Output = (A, B)> + 'static,
        C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        D: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        N: Future<Output = (C, D)> + 'static,
    {
        Self::over(Ends { connected: make_ends(connected), clogged: make_ends(clogged) })
    }

    /// The checks of pairs alone, of pairs that `connected` makes, for those who make them in a way of their own.
    /// The options are the first one's.
    ///
    /// ```
    /// use highwater_stream::Pair;
    /// use highwater_testing::Conformance;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let conformance = Conformance::of_pairs(async |options| {
    ///     let (near, far) = tokio::io::duplex(1024);
    ///     (options.apply(Pair::new(near)).split(), Pair::new(far).split())
    /// });
    /// assert!(conformance.run().await.holds());
    /// # });
    /// ```
    pub fn of_pairs<T, F, M>(connected: impl Fn(PairOptions) -> M + 'static) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Send + Sync + 'static,
        M: Future<Output = (Halves<T, F>, Halves<T, F>)> + 'static,
    {
        Self::new(pair_checks(&[Pairs::new(connected)]))
    }

    /// Says that one direction cannot end alone, and why: checks that need it do not apply.
    ///
    /// ```
    /// use highwater_testing::Conformance;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let conformance = Conformance::of_transports(async || tokio::io::duplex(64))
    ///     .without_half_close("the protocol below has one end for both");
    /// let checked = conformance.check("bare: a shutdown ends one direction alone").await;
    /// assert!(checked.to_string().starts_with("not applicable"), "{checked}");
    /// # });
    /// ```
    pub fn without_half_close(mut self, reason: &str) -> Self {
        self.settings.no_half_close = Some(reason.to_owned());
        self
    }

    /// Says when the peer of an abort is told so, and has that checked.
    ///
    /// ```
    /// use highwater_testing::{Conformance, Reset};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let conformance = Conformance::of_transports(async || tokio::io::duplex(64)).resets(Reset::Always);
    /// let checked = conformance.check("w8: abort resets").await;
    /// assert!(checked.to_string().starts_with("FAILED"), "a pipe in memory only ends: {checked}");
    /// # });
    /// ```
    pub fn resets(mut self, when: Reset) -> Self {
        self.settings.reset = Some(when);
        self
    }

    /// How long a check may take, instead of 10 s.
    ///
    /// ```
    /// # use highwater_testing::Conformance;
    /// # use std::time::Duration;
    /// let conformance = Conformance::of_transports(async || tokio::io::duplex(64));
    /// let conformance = conformance.patience(Duration::from_secs(60));
    /// # assert!(conformance.names().count() > 0);
    /// ```
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// The names of all checks, in the order in which they run.
    ///
    /// ```
    /// # use highwater_testing::Conformance;
    /// let conformance = Conformance::of_transports(async || tokio::io::duplex(64));
    /// assert!(conformance.names().any(|name| name == "w7: close wakes a waiting read"));
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().map(|check| &check.name[..])
    }

    /// Runs all checks, one after the other.
    ///
    /// # Panics
    /// Outside of a tokio runtime that has its clock enabled.
    ///
    /// # Cancel safety
    /// Dropped, it drops the connections of the check that is in course; the report is lost.
    ///
    /// ```
    /// # use highwater_testing::Conformance;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let report = Conformance::of_transports(async || tokio::io::duplex(500)).run().await;
    /// assert!(report.holds(), "{report}");
    /// # });
    /// ```
    pub async fn run(&self) -> Report {
        let mut checked = Vec::new();
        for check in &self.checks {
            checked.push(self.checked(check).await);
        }
        Report { checked }
    }

    /// Runs one check, by its name.
    ///
    /// # Panics
    /// When there is none of this name, and outside of a tokio runtime that has its clock enabled.
    ///
    /// # Cancel safety
    /// Dropped, it drops the connections of the check.
    ///
    /// ```
    /// use highwater_testing::{Conformance, Finding};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let conformance = Conformance::of_transports(async || tokio::io::duplex(64));
    /// assert_eq!(conformance.check("w8: abort wakes a waiting read").await.finding, Finding::Held);
    /// # });
    /// ```
    pub async fn check(&self, name: &str) -> Checked {
        let check = self.checks.iter().find(|check| check.name == name);
        self.checked(check.unwrap_or_else(|| panic!("there is no check {name:?}"))).await
    }

    async fn checked(&self, check: &Bound) -> Checked {
        let Settings { reset, no_half_close, patience } = &self.settings;
        let name = check.name.clone();
        if let Some(reason) = check.needs.excuse(*reset, no_half_close.as_deref()) {
            return Checked { name, finding: Finding::NotApplicable { reason } };
        }
        let mut finding = Finding::Held;
        for (way, from) in check.ways.iter().zip(["", "from the other end: "]) {
            finding = match report::finding(way(*reset), *patience).await {
                Finding::Held => continue,
                Finding::Failed { seen } => Finding::Failed { seen: format!("{from}{seen}") },
                excused => excused,
            };
            break;
        }
        Checked { name, finding }
    }

    /// All checks over these ends.
    fn over(ends: Ends) -> Self {
        let ways = [ends.clone(), ends.swapped()];
        let bare = bare::checks().into_iter().map(|check| bound(check, &ways, |ends, _| ends.clone()));
        Self::new(bare.chain(pair_checks(&ways.each_ref().map(Pairs::over))).collect())
    }

    fn new(checks: Vec<Bound>) -> Self {
        let settings = Settings { reset: None, no_half_close: None, patience: Duration::from_secs(10) };
        Self { checks, settings }
    }
}

fn pair_checks<T: Transport, F: Facts>(ways: &[Pairs<T, F>]) -> Vec<Bound> {
    let checks =
        [reading::checks(), sending::checks(), waiting::checks(), ending::checks(), failing::checks()];
    checks.into_iter().flatten().map(|check| bound(check, ways, Pairs::that_reset)).collect()
}

/// A check, and the makers it runs on, each of which is told when an abort is a reset.
fn bound<M: Clone + 'static>(
    check: Check<M>,
    ways: &[M],
    with: impl Fn(&M, Option<Reset>) -> M + Copy + 'static,
) -> Bound {
    let (name, needs, check) = (check.name.clone(), check.needs, Rc::new(check));
    let way = |on: &M| -> Way {
        let (check, on) = (Rc::clone(&check), on.clone());
        Box::new(move |reset| check.run(with(&on, reset)))
    };
    Bound { name, needs, ways: ways.iter().map(way).collect() }
}

fn make_ends<A, B, M>(maker: impl Fn() -> M + 'static) -> MakeEnds
where
    A: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    M: Future<Output = (A, B)> + 'static,
{
    Rc::new(move || {
        let making = maker();
        Box::pin(async {
            let (near, far) = making.await;
            let (near, far): (maker::End, maker::End) = (Box::new(near), Box::new(far));
            (near, far)
        })
    })
}

impl fmt::Debug for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance")
            .field("checks", &self.names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
