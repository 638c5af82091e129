//! What may handle a connection: an `async fn`, or a plain function that gives the halves away.

use crate::{StreamReader, StreamWriter};
use std::error::Error;
use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

/// What [`start_server`](crate::start_server) takes as its handler; implemented for functions and closures
/// of a reader and a writer.
///
/// | returns | is |
/// | --- | --- |
/// | a future of `()` | an `async fn` that cannot fail |
/// | a future of `Result<(), E>` | an `async fn` whose error is reported |
/// | `()` | a plain function, which gives the halves to somebody, or drops them |
///
/// `M` tells these apart and is always inferred.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
/// let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
/// let give_away = move |reader: StreamReader, writer: StreamWriter| {
///     give.send((reader, writer)).unwrap();
/// };
/// let server = start_server(give_away, ("127.0.0.1", 0)).await?;
/// let _client = open_connection(server.local_addrs()[0]).await?;
/// let (_reader, _writer) = take.recv().await.unwrap();
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle connections",
    label = "not a function of a reader and a writer, or what it returns is not `Send`",
    note = "a handler takes `(StreamReader, StreamWriter)` and returns `()`, or a future of `()` or `Result<(), E>`",
    note = "its future is `Send`: nothing that is not (an `Rc`, a `RefCell` guard) lives across an `.await`",
    note = "its error is `Into<Box<dyn Error + Send + Sync>>`, which `Box<dyn Error>` is not"
)]
pub trait Handler<M>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_serve(self) -> Serve;
}

/// A handler, its type forgotten.
#[doc(hidden)]
pub(super) type Serve = Box<dyn Fn(StreamReader, StreamWriter) -> Serving + Send + Sync>;

#[doc(hidden)]
pub(super) type Serving = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

type BoxError = Box<dyn Error + Send + Sync>;

/// What a handler may return: nothing, or a `Result` whose error becomes a `Box<dyn Error>`.
///
/// ```
/// use highwater_net::Outcome;
/// assert!(().into_result().is_ok());
/// assert!(Err::<(), _>("a reason").into_result().is_err());
/// ```
pub trait Outcome {
    /// As a result.
    ///
    /// # Errors
    /// What the handler failed with.
    ///
    /// ```
    /// use highwater_net::Outcome;
    /// let failed = Err::<(), _>(std::fmt::Error).into_result();
    /// assert!(failed.unwrap_err().is::<std::fmt::Error>());
    /// ```
    fn into_result(self) -> Result<(), BoxError>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError>> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct Waits;

#[doc(hidden)]
#[derive(Debug)]
pub struct Returns;

impl<H, S> Handler<(Waits, S)> for H
where
    H: Fn(StreamReader, StreamWriter) -> S + Send + Sync + 'static,
    S: Future<Output: Outcome> + Send + 'static,
{
    fn into_serve(self) -> Serve {
        Box::new(move |reader, writer| {
            let serving = self(reader, writer);
            Box::pin(async move { serving.await.into_result() })
        })
    }
}

impl<H> Handler<Returns> for H
where
    H: Fn(StreamReader, StreamWriter) + Send + Sync + 'static,
{
    fn into_serve(self) -> Serve {
        Box::new(move |reader, writer| {
            self(reader, writer);
            Box::pin(ready(Ok(())))
        })
    }
}

/// How a handler ended.
pub(super) enum Ended {
    Well,
    Failed(BoxError),
    Panicked(String),
    /// It was told to stop, and dropped.
    Stopped,
}

/// Runs a handler to its end, whichever it is, or until `stop`. What it held is dropped by then.
pub(super) async fn run(
    serve: &Serve,
    reader: StreamReader,
    writer: StreamWriter,
    stop: impl Future<Output = ()>,
) -> Ended {
    let mut stop = pin!(stop);
    let mut serving = match catch_unwind(AssertUnwindSafe(|| serve(reader, writer))) {
        Ok(serving) => Some(serving),
        Err(panic) => return Ended::Panicked(message(&*panic)),
    };
    let ended = std::future::poll_fn(|cx| {
        let Some(running) = &mut serving else { return Poll::Ready(Ended::Well) };
        if stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ended::Stopped);
        }
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(Ended::Well),
            Ok(Poll::Ready(Err(error))) => Poll::Ready(Ended::Failed(error)),
            Err(panic) => Poll::Ready(Ended::Panicked(message(&*panic))),
        }
    })
    .await;
    // A future that panicked may panic again as it is dropped; so may what it holds.
    match catch_unwind(AssertUnwindSafe(|| drop(serving.take()))) {
        Ok(()) => ended,
        Err(panic) => Ended::Panicked(message(&*panic)),
    }
}

/// What a future comes to, or what it said when it panicked.
#[cfg(feature = "tls")]
pub(super) async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

pub(super) fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
