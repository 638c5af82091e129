//! What makes the connections that are checked: two ends of a transport, and two pairs over them.

use highwater_stream::{Linger, Pair, ReadHalf, StreamReader, StreamWriter};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// The reader and the writer of a pair over `T`.
///
/// ```
/// use highwater_testing::Halves;
/// use tokio::io::DuplexStream;
///
/// let halves: Halves<DuplexStream> = highwater_stream::pair(tokio::io::duplex(64).0);
/// ```
pub type Halves<T, F = ()> = (StreamReader<ReadHalf<T, F>>, StreamWriter<T, F>);

/// What a check asks of a pair. Whoever makes the pair applies it.
///
/// ```
/// use highwater_stream::Pair;
/// use highwater_testing::PairOptions;
///
/// let (near, _far) = tokio::io::duplex(64);
/// let (reader, _writer) = PairOptions::default().apply(Pair::new(near)).split();
/// assert_eq!(reader.limit(), highwater_stream::DEFAULT_LIMIT);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PairOptions {
    /// The hard cap of its queue.
    pub max_buffered: Option<usize>,
    /// How long a read may wait.
    pub read_timeout: Option<Duration>,
    /// How long the transport may take nothing.
    pub write_timeout: Option<Duration>,
    /// How long a delivery may stand still, if it is not to be the default.
    pub delivery_timeout: Option<Duration>,
    /// How it lingers, if it is not to be the default.
    pub linger: Option<Linger>,
}

impl PairOptions {
    /// `pair`, with these options.
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// # use highwater_testing::PairOptions;
    /// let mut options = PairOptions::default();
    /// options.max_buffered = Some(3);
    /// let (_reader, writer) = options.apply(Pair::new(tokio::io::duplex(64).0)).split();
    /// assert!(writer.write("four").is_err());
    /// ```
    pub fn apply<T, F>(&self, pair: Pair<T, F>) -> Pair<T, F>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Send + Sync + 'static,
    {
        let pair = pair
            .max_buffered(self.max_buffered)
            .read_timeout(self.read_timeout)
            .write_timeout(self.write_timeout);
        let pair = match self.delivery_timeout {
            Some(after) => pair.delivery_timeout(after),
            None => pair,
        };
        match self.linger {
            Some(linger) => pair.linger(linger),
            None => pair,
        }
    }
}

/// When the peer of a connection that was aborted is told so.
///
/// ```
/// use highwater_testing::Reset;
/// assert!(Reset::Never < Reset::WithUnreadInput && Reset::WithUnreadInput < Reset::Always);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reset {
    /// Never: it sees an end.
    Never,
    /// When the aborted side had input that it did not read.
    WithUnreadInput,
    /// Always.
    Always,
}

/// What a pair can be over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for T {}

/// What can be known of a pair's connection.
pub(super) trait Facts: Send + Sync + 'static {}
impl<F: Send + Sync + 'static> Facts for F {}

/// One end of a connection, whatever it is.
pub(super) type End = Box<dyn Transport>;

/// What is being made.
pub(super) type Making<V> = Pin<Box<dyn Future<Output = V>>>;

/// Makes two ends that are connected.
pub(super) type MakeEnds = Rc<dyn Fn() -> Making<(End, End)>>;

/// Makes two pairs that are connected, the near one with these options.
type MakePairs<T, F> = Rc<dyn Fn(PairOptions) -> Making<(Halves<T, F>, Halves<T, F>)>>;

/// Makes connections between bare ends.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) connected: MakeEnds,
    /// Those that are soon full.
    pub(super) clogged: MakeEnds,
}

impl Ends {
    pub(super) async fn connected(&self) -> (End, End) {
        (self.connected)().await
    }

    pub(super) async fn clogged(&self) -> (End, End) {
        (self.clogged)().await
    }

    /// The same connections, seen from the other end.
    pub(super) fn swapped(&self) -> Self {
        Self { connected: swapped(&self.connected), clogged: swapped(&self.clogged) }
    }
}

fn swapped(make: &MakeEnds) -> MakeEnds {
    let make = Rc::clone(make);
    Rc::new(move || {
        let making = make();
        Box::pin(async {
            let (near, far) = making.await;
            (far, near)
        })
    })
}

/// Makes connections between pairs.
pub(super) struct Pairs<T: Transport, F: Facts> {
    connected: MakePairs<T, F>,
    clogged: MakePairs<T, F>,
    /// When the peer of an abort is told, where that is known.
    pub(super) reset: Option<Reset>,
}

impl Pairs<End, ()> {
    /// The pairs over bare ends.
    pub(super) fn over(ends: &Ends) -> Self {
        let over = |make: &MakeEnds| -> MakePairs<End, ()> {
            let make = Rc::clone(make);
            Rc::new(move |options| {
                let making = make();
                Box::pin(async move {
                    let (near, far) = making.await;
                    (options.apply(Pair::new(near)).split(), Pair::new(far).split())
                })
            })
        };
        Self { connected: over(&ends.connected), clogged: over(&ends.clogged), reset: None }
    }
}

impl<T: Transport, F: Facts> Pairs<T, F> {
    pub(super) fn new<M>(maker: impl Fn(PairOptions) -> M + 'static) -> Self
    where
        M: Future<Output = (Halves<T, F>, Halves<T, F>)> + 'static,
    {
        let connected: MakePairs<T, F> = Rc::new(move |options| Box::pin(maker(options)));
        Self { clogged: Rc::clone(&connected), connected, reset: None }
    }

    /// The same, for which is known when the peer of an abort is told.
    pub(super) fn that_reset(&self, reset: Option<Reset>) -> Self {
        Self { reset, ..self.clone() }
    }

    pub(super) async fn pairs(&self) -> (Halves<T, F>, Halves<T, F>) {
        self.pairs_with(PairOptions::default()).await
    }

    pub(super) async fn pairs_with(&self, near: PairOptions) -> (Halves<T, F>, Halves<T, F>) {
        (self.connected)(near).await
    }

    /// For checks whose peer does not read.
    pub(super) async fn clogged(&self) -> (Halves<T, F>, Halves<T, F>) {
        self.clogged_with(PairOptions::default()).await
    }

    pub(super) async fn clogged_with(&self, near: PairOptions) -> (Halves<T, F>, Halves<T, F>) {
        (self.clogged)(near).await
    }
}

impl<T: Transport, F: Facts> Clone for Pairs<T, F> {
    fn clone(&self) -> Self {
        Self { connected: Rc::clone(&self.connected), clogged: Rc::clone(&self.clogged), reset: self.reset }
    }
}
