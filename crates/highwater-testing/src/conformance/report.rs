//! What became of each check.

use super::check::Needs;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};

/// What a suite found, check by check. `Display` lists what failed and what did not apply.
///
/// ```
/// use highwater_testing::Conformance;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
/// # runtime.unwrap().block_on(async {
/// let report = Conformance::of_transports(async || tokio::io::duplex(1024)).run().await;
/// assert!(report.holds(), "{report}");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The checks, in the order in which they ran.
    pub checked: Vec<Checked>,
}

/// A check, and what was found.
///
/// ```
/// use highwater_testing::{Checked, Finding};
///
/// let checked = Checked { name: "bare: bytes arrive in order".into(), finding: Finding::Held };
/// assert_eq!(checked.to_string(), "held            bare: bytes arrive in order");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name: the part that it is about, and the rule.
    pub name: String,
    /// What was found.
    pub finding: Finding,
}

/// What a check found.
///
/// ```
/// use highwater_testing::Finding;
/// assert_ne!(Finding::Held, Finding::Failed { seen: "an end after 3 of 9 bytes".into() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The rule holds.
    Held,
    /// It does not.
    Failed {
        /// What was seen instead.
        seen: String,
    },
    /// The rule says nothing about this transport.
    NotApplicable {
        /// Why.
        reason: String,
    },
}

impl Report {
    /// Whether no check failed.
    ///
    /// ```
    /// # use highwater_testing::Report;
    /// assert!(Report { checked: Vec::new() }.holds());
    /// ```
    pub fn holds(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The checks that failed.
    ///
    /// ```
    /// # use highwater_testing::{Checked, Finding, Report};
    /// let failed = Checked { name: "a rule".into(), finding: Finding::Failed { seen: "otherwise".into() } };
    /// assert_eq!(Report { checked: vec![failed.clone()] }.failed().next(), Some(&failed));
    /// ```
    pub fn failed(&self) -> impl Iterator<Item = &Checked> {
        self.checked.iter().filter(|checked| matches!(checked.finding, Finding::Failed { .. }))
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding {
            Finding::Held => write!(f, "held            {}", self.name),
            Finding::Failed { seen } => write!(f, "FAILED          {}: {seen}", self.name),
            Finding::NotApplicable { reason } => write!(f, "not applicable  {}: {reason}", self.name),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.checked.iter().filter(|checked| checked.finding != Finding::Held);
        for checked in told.clone() {
            writeln!(f, "{checked}")?;
        }
        let (failed, told) = (self.failed().count(), told.count());
        let held = self.checked.len() - told;
        write!(f, "{held} held, {failed} failed, {} not applicable", told - failed)
    }
}

/// What a check throws to say that it says nothing about this transport.
struct Excuse(&'static str);

/// Ends a check that turns out to say nothing about its transport.
pub(super) fn not_applicable(reason: &'static str) -> ! {
    resume_unwind(Box::new(Excuse(reason)))
}

impl Needs {
    /// What to say of a check whose transport is not able to do this.
    pub(super) fn excuse(self, reset: Option<super::Reset>, no_half_close: Option<&str>) -> Option<String> {
        match (self, reset) {
            (Needs::HalfClose, _) => no_half_close.map(str::to_owned),
            (Needs::Reset(needed), Some(reset)) if needed <= reset => None,
            (Needs::Reset(_), None) => {
                Some("it was not said whether an abort is told to the peer".to_owned())
            }
            (Needs::Reset(_), Some(super::Reset::Never)) => Some("an abort is an end".to_owned()),
            (Needs::Reset(_), Some(_)) => Some("without unread input an abort is an end".to_owned()),
            (Needs::Nothing, _) => None,
        }
    }
}

/// What the body of a check, which panics where the rule does not hold, comes to within `patience`.
pub(super) async fn finding(body: impl Future<Output = ()>, patience: Duration) -> Finding {
    let watched =
        Watched { body: Box::pin(body), patience, since: Instant::now(), clock: Box::pin(sleep(patience)) };
    watched.await
}

/// A body that may panic, wait for ever, or be woken for ever without getting anywhere.
struct Watched<B> {
    body: Pin<Box<B>>,
    patience: Duration,
    /// By the machine's clock, which goes on while the runtime's is paused because somebody is always busy.
    since: Instant,
    clock: Pin<Box<Sleep>>,
}

impl<B: Future<Output = ()>> Future for Watched<B> {
    type Output = Finding;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finding> {
        let watched = &mut *self;
        match catch_unwind(AssertUnwindSafe(|| watched.body.as_mut().poll(cx))) {
            Ok(Poll::Ready(())) => return Poll::Ready(Finding::Held),
            Err(panic) => return Poll::Ready(thrown(&*panic)),
            Ok(Poll::Pending) if watched.since.elapsed() > watched.patience => {}
            Ok(Poll::Pending) => ready!(watched.clock.as_mut().poll(cx)),
        }
        Poll::Ready(Finding::Failed { seen: format!("it still waits after {:?}", watched.patience) })
    }
}

fn thrown(panic: &(dyn Any + Send)) -> Finding {
    if let Some(Excuse(reason)) = panic.downcast_ref() {
        return Finding::NotApplicable { reason: (*reason).to_owned() };
    }
    let seen = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message.clone(),
        (None, Some(message)) => (*message).to_owned(),
        (None, None) => "a panic without a message".to_owned(),
    };
    Finding::Failed { seen }
}
