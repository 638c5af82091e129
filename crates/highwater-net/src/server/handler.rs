//! What may handle a connection: an `async fn`, or a plain function that gives the halves away.

use crate::{StreamReader, StreamWriter};
use pin_project_lite::pin_project;
use std::error::Error;
use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
#[cfg(feature = "tls")]
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

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

/// A handler, its type forgotten. It is not called before the first poll of what this makes, which is in the task of
/// that connection.
#[doc(hidden)]
pub(super) type Serve = Box<dyn Fn(StreamReader, StreamWriter) -> Pin<Box<dyn Serving>> + Send + Sync>;

/// A handler at work on a connection.
#[doc(hidden)]
pub trait Serving: Send {
    fn poll_serving(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>>;
}

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
        let handler = Arc::new(self);
        Box::new(move |reader, writer| {
            Box::pin(Work::Ahead { handler: Arc::clone(&handler), halves: Some((reader, writer)) })
        })
    }
}

impl<H> Handler<Returns> for H
where
    H: Fn(StreamReader, StreamWriter) + Send + Sync + 'static,
{
    fn into_serve(self) -> Serve {
        let handler = move |reader, writer| {
            self(reader, writer);
            ready(())
        };
        handler.into_serve()
    }
}

pin_project! {
    /// The halves lie where the handler's future will: an idle connection has no room for both.
    #[project = AtWork]
    enum Work<H, S> {
        Ahead { handler: Arc<H>, halves: Option<(StreamReader, StreamWriter)> },
        Begun { #[pin] future: S },
    }
}

impl<H, S> Serving for Work<H, S>
where
    H: Fn(StreamReader, StreamWriter) -> S + Send + Sync,
    S: Future<Output: Outcome> + Send,
{
    fn poll_serving(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            match self.as_mut().project() {
                AtWork::Begun { future } => return future.poll(cx).map(Outcome::into_result),
                AtWork::Ahead { handler, halves } => {
                    let (reader, writer) =
                        halves.take().expect("a handler that panicked is not polled again");
                    let future = handler(reader, writer);
                    self.set(Work::Begun { future });
                }
            }
        }
    }
}

/// How a handler ended.
pub(super) enum Ended {
    Well,
    Failed(BoxError),
    Panicked(String),
}

/// A handler in its task. What it held is dropped by the time it has ended, whichever way.
pub(super) struct Running(Option<Pin<Box<dyn Serving>>>);

impl Running {
    pub(super) fn new(serving: Pin<Box<dyn Serving>>) -> Self {
        Self(Some(serving))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let Some(serving) = &mut self.0 else { return Poll::Ready(Ended::Well) };
        let ended = match catch_unwind(AssertUnwindSafe(|| serving.as_mut().poll_serving(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => Ended::Well,
            Ok(Poll::Ready(Err(error))) => Ended::Failed(error),
            Err(panic) => Ended::Panicked(message(&*panic)),
        };
        Poll::Ready(self.stop(ended))
    }

    /// Drops it, because it has `ended` or is to. A future that panicked may panic again as it is dropped; so may
    /// what it holds.
    pub(super) fn stop(&mut self, ended: Ended) -> Ended {
        match catch_unwind(AssertUnwindSafe(|| drop(self.0.take()))) {
            Ok(()) => ended,
            Err(panic) => Ended::Panicked(message(&*panic)),
        }
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
