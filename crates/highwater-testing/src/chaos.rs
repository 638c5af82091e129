//! A transport that does everything that it may, in an order that a seed decides: it takes and gives bytes in
//! bits, waits although it need not, wakes late, pauses, and fails at a byte that was chosen.

mod dice;
mod late;

use dice::Dice;
use late::late;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A wake comes at most so many turns late.
const LATEST: u64 = 4;

/// Any transport, made difficult.
///
/// What it does follows from its seed and its settings alone, for each direction from how often that direction
/// was polled. `Display` and `Debug` tell both: whoever prints it on a failure can run the same again.
///
/// | setting | at first |
/// | --- | --- |
/// | [`most`](Self::most) bytes at a time | 16 |
/// | [`waits`](Self::waits): `Pending` although it need not | once in 4 polls |
/// | [`wakes_late`](Self::wakes_late): from another task, after up to 4 turns | one wake in 4 |
/// | [`interrupts`](Self::interrupts): `Interrupted`, which tokio's own methods do not take | never |
/// | [`pauses`](Self::pauses) in time | never |
/// | failures at a chosen byte: [`end_reads_at`](Self::end_reads_at), [`fail_reads_at`](Self::fail_reads_at), [`fail_writes_at`](Self::fail_writes_at), [`reset_at_read`](Self::reset_at_read), [`reset_at_written`](Self::reset_at_written) | none |
///
/// ```
/// use highwater_stream::pair;
/// use highwater_testing::Chaos;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (near, far) = tokio::io::duplex(64);
/// let near = Chaos::new(near, 42);
/// println!("{near}"); // chaos from seed 42: at most 16 bytes, waits once in 4, wakes late once in 4
/// let ((mut reader, writer), (mut peer, reply)) = (pair(near), pair(far));
///
/// writer.write("what goes through it\n").unwrap();
/// assert_eq!(peer.read_line().await.unwrap().unwrap(), "what goes through it\n");
/// reply.write("is what goes back\n").unwrap();
/// assert_eq!(reader.read_line().await.unwrap().unwrap(), "is what goes back\n");
/// # });
/// ```
pub struct Chaos<T> {
    transport: T,
    settings: Settings,
    reading: Direction,
    writing: Direction,
    /// Nothing goes in either direction any more.
    was_reset: bool,
}

#[derive(Clone, Debug)]
struct Settings {
    seed: u64,
    most: usize,
    waits: u32,
    wakes_late: u32,
    interrupts: u32,
    pauses: Option<(u32, Duration)>,
}

/// One direction: each has dice of its own, so that neither depends on how often the other is polled.
struct Direction {
    dice: Dice,
    passed: u64,
    fault: Option<Fault>,
    pause: Option<Pin<Box<Sleep>>>,
    /// Of whoever polled last: a reset is news for both directions.
    waker: Option<Waker>,
}

/// What happens at which byte of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    at: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    End,
    Error(io::ErrorKind),
    Reset,
}

impl<T> Chaos<T> {
    /// `transport`, made difficult in the ways that harm nobody.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// let chaos = Chaos::new(tokio::io::empty(), 7);
    /// assert_eq!(chaos.to_string(), "chaos from seed 7: at most 16 bytes, waits once in 4, wakes late once in 4");
    /// ```
    pub fn new(transport: T, seed: u64) -> Self {
        let settings = Settings { seed, most: 16, waits: 4, wakes_late: 4, interrupts: 0, pauses: None };
        let (reading, writing) = (Direction::new(seed, 1), Direction::new(seed, 2));
        Self { transport, settings, reading, writing, was_reset: false }
    }

    /// Gives and takes at most so many bytes at a time, at least one.
    ///
    /// ```
    /// use highwater_testing::Chaos;
    /// use tokio::io::AsyncReadExt;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut one_by_one = Chaos::new(&b"abc"[..], 7).most(1);
    /// assert_eq!(one_by_one.read(&mut [0; 9]).await.unwrap(), 1);
    /// # });
    /// ```
    pub fn most(mut self, bytes: usize) -> Self {
        self.settings.most = bytes.max(1);
        self
    }

    /// Once in so many polls it returns `Pending` although it need not, and wakes. 0: never. With 1 it would
    /// never do anything, so that counts as 2.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// let chaos = Chaos::new(tokio::io::empty(), 7).waits(0).wakes_late(0);
    /// assert_eq!(chaos.to_string(), "chaos from seed 7: at most 16 bytes");
    /// ```
    pub fn waits(mut self, once_in: u32) -> Self {
        self.settings.waits = if once_in == 1 { 2 } else { once_in };
        self
    }

    /// One wake in so many comes late: another task wakes, after it has let others go first up to 4 times. 0:
    /// none. Outside of a runtime none does.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// let chaos = Chaos::new(tokio::io::empty(), 7).wakes_late(1);
    /// assert!(chaos.to_string().ends_with("wakes late once in 1"));
    /// ```
    pub fn wakes_late(mut self, once_in: u32) -> Self {
        self.settings.wakes_late = once_in;
        self
    }

    /// Once in so many polls a read or a write fails with `Interrupted`, which means: call again. 0: never.
    /// highwater's pairs do call again; `AsyncReadExt` and `AsyncWriteExt` return it. 1 counts as 2.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let chaos = Chaos::new(&b"a line\n"[..], 7).interrupts(2);
    /// let mut reader = highwater_stream::StreamReader::new(chaos);
    /// assert_eq!(reader.read_line().await.unwrap().unwrap(), "a line\n");
    /// # });
    /// ```
    pub fn interrupts(mut self, once_in: u32) -> Self {
        self.settings.interrupts = if once_in == 1 { 2 } else { once_in };
        self
    }

    /// Once in so many polls a direction stands still for up to `longest`, on tokio's clock, which tests
    /// pause. 0: never. 1 counts as 2.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # use std::time::Duration;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    /// # runtime.unwrap().block_on(async {
    /// let chaos = Chaos::new(&b"a line\n"[..], 7).most(1).pauses(2, Duration::from_secs(60));
    /// let mut reader = highwater_stream::StreamReader::new(chaos);
    /// let start = tokio::time::Instant::now();
    /// assert_eq!(reader.read_line().await.unwrap().unwrap(), "a line\n");
    /// assert!(start.elapsed() > Duration::from_secs(1));
    /// # });
    /// ```
    pub fn pauses(mut self, once_in: u32, longest: Duration) -> Self {
        let once_in = if once_in == 1 { 2 } else { once_in };
        self.settings.pauses = (once_in > 0).then_some((once_in, longest));
        self
    }

    /// After `offset` bytes reads see the end of the stream. Writes go on.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let chaos = Chaos::new(&b"a line\n"[..], 7).end_reads_at(4);
    /// let mut reader = highwater_stream::StreamReader::new(chaos);
    /// assert_eq!(reader.read_to_end(100).await.unwrap(), "a li");
    /// # });
    /// ```
    pub fn end_reads_at(mut self, offset: u64) -> Self {
        self.reading.fault = Some(Fault { at: offset, kind: Kind::End });
        self
    }

    /// After `offset` bytes every read fails so. Writes go on.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # use std::io;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let chaos = Chaos::new(&b"a line\n"[..], 7).fail_reads_at(4, io::ErrorKind::TimedOut);
    /// let mut reader = highwater_stream::StreamReader::new(chaos);
    /// assert_eq!(reader.read_to_end(100).await.unwrap_err().to_string(), "timed out after 4 bytes read");
    /// assert_eq!(reader.unread_bytes(), b"a li");
    /// # });
    /// ```
    pub fn fail_reads_at(mut self, offset: u64, error: io::ErrorKind) -> Self {
        self.reading.fault = Some(Fault { at: offset, kind: Kind::Error(error) });
        self
    }

    /// After `offset` bytes every write fails so, and so do flushes and a shutdown. Reads go on.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # use std::io;
    /// use tokio::io::AsyncWriteExt;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut chaos = Chaos::new(Vec::new(), 7).fail_writes_at(4, io::ErrorKind::TimedOut);
    /// assert!(chaos.write_all(b"a line\n").await.is_err());
    /// assert_eq!(chaos.into_inner(), b"a li");
    /// # });
    /// ```
    pub fn fail_writes_at(mut self, offset: u64, error: io::ErrorKind) -> Self {
        self.writing.fault = Some(Fault { at: offset, kind: Kind::Error(error) });
        self
    }

    /// After `offset` bytes were read the connection is reset: everything fails with `ConnectionReset`, in both
    /// directions.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (near, far) = tokio::io::duplex(64);
    /// let (mut reader, writer) = highwater_stream::pair(Chaos::new(near, 7).reset_at_read(4));
    /// let (_, peer) = highwater_stream::pair(far);
    /// peer.write("a line\n").unwrap();
    /// assert!(reader.read_line().await.is_err());
    /// assert!(writer.write("lost").is_err());
    /// # });
    /// ```
    pub fn reset_at_read(mut self, offset: u64) -> Self {
        self.reading.fault = Some(Fault { at: offset, kind: Kind::Reset });
        self
    }

    /// The same after `offset` bytes were written.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (near, far) = tokio::io::duplex(64);
    /// let (_reader, writer) = highwater_stream::pair(Chaos::new(near, 7).reset_at_written(4));
    /// let (mut peer, _reply) = highwater_stream::pair(far);
    /// writer.write("a line\n").unwrap();
    /// assert!(writer.flush().await.is_err());
    /// assert_eq!(peer.read_exactly(4).await.unwrap(), "a li");
    /// # });
    /// ```
    pub fn reset_at_written(mut self, offset: u64) -> Self {
        self.writing.fault = Some(Fault { at: offset, kind: Kind::Reset });
        self
    }

    /// The seed, with which and with the same settings everything happens again.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// assert_eq!(Chaos::new(tokio::io::empty(), 7).seed(), 7);
    /// ```
    pub fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// The transport.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// assert_eq!(Chaos::new(Vec::<u8>::new(), 7).get_ref().len(), 0);
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.transport
    }

    /// The transport, to be changed: for the hook of `Pair::on_abort`.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// let mut chaos = Chaos::new(Vec::<u8>::new(), 7);
    /// chaos.get_mut().push(1);
    /// assert_eq!(chaos.into_inner(), [1]);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The transport alone.
    ///
    /// ```
    /// # use highwater_testing::Chaos;
    /// assert_eq!(Chaos::new(vec![1_u8], 7).into_inner(), [1]);
    /// ```
    pub fn into_inner(self) -> T {
        self.transport
    }

    /// What became of a fault: nothing where the direction has not got there.
    fn meet(&mut self, fault: Option<Kind>, passed: u64, what: &str) -> io::Result<()> {
        if fault == Some(Kind::Reset) && !self.was_reset {
            self.was_reset = true;
            let wakers = [self.reading.waker.take(), self.writing.waker.take()];
            wakers.into_iter().flatten().for_each(Waker::wake);
        }
        match fault {
            _ if self.was_reset => {
                Err(io::Error::new(io::ErrorKind::ConnectionReset, format!("reset by {}", self.settings)))
            }
            Some(Kind::Error(kind)) => {
                Err(io::Error::new(kind, format!("{kind} after {passed} bytes {what}")))
            }
            Some(Kind::End | Kind::Reset) | None => Ok(()),
        }
    }

    fn meet_writing(&mut self) -> io::Result<()> {
        self.meet(self.writing.due(), self.writing.passed, "written")
    }
}

impl Direction {
    fn new(seed: u64, purpose: u64) -> Self {
        Self { dice: Dice::new(seed, purpose), passed: 0, fault: None, pause: None, waker: None }
    }

    /// The fault at the byte that is next.
    fn due(&self) -> Option<Kind> {
        self.fault.filter(|fault| fault.at <= self.passed).map(|fault| fault.kind)
    }

    /// A pause, or a wait for nothing; otherwise the waker for whoever comes next.
    fn delay(&mut self, cx: &mut Context<'_>, settings: &Settings) -> Poll<Waker> {
        self.waker = Some(cx.waker().clone());
        if self.pause.is_none() {
            let pause = settings.pauses.filter(|(once_in, _)| self.dice.once_in(*once_in));
            self.pause = pause.map(|(_, longest)| {
                let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).max(1);
                Box::pin(sleep(Duration::from_millis(1 + self.dice.below(millis))))
            });
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let waker = if self.dice.once_in(settings.wakes_late) {
            late(cx.waker(), 1 + self.dice.below(LATEST))
        } else {
            cx.waker().clone()
        };
        if self.dice.once_in(settings.waits) {
            waker.wake();
            return Poll::Pending;
        }
        Poll::Ready(waker)
    }

    /// How many of `offered` bytes go at once, and the waker for whoever waits for them.
    fn some(
        &mut self,
        cx: &mut Context<'_>,
        settings: &Settings,
        offered: usize,
    ) -> Poll<io::Result<(usize, Waker)>> {
        let waker = ready!(self.delay(cx, settings));
        if self.dice.once_in(settings.interrupts) {
            return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
        }
        let most = 1 + self.dice.below(settings.most as u64) as usize;
        let until_fault = self.fault.map_or(u64::MAX, |fault| fault.at.saturating_sub(self.passed));
        let until_fault = usize::try_from(until_fault).unwrap_or(usize::MAX);
        Poll::Ready(Ok((offered.min(most).min(until_fault), waker)))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Chaos<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let chaos = &mut *self;
        let (most, waker) = ready!(chaos.reading.some(cx, &chaos.settings, into.remaining()))?;
        let due = chaos.reading.due();
        chaos.meet(due, chaos.reading.passed, "read")?;
        if due == Some(Kind::End) {
            return Poll::Ready(Ok(()));
        }
        let mut bits = vec![0; most];
        let mut part = ReadBuf::new(&mut bits);
        ready!(Pin::new(&mut chaos.transport).poll_read(&mut Context::from_waker(&waker), &mut part))?;
        chaos.reading.passed += part.filled().len() as u64;
        into.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Chaos<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let chaos = &mut *self;
        let offered = slices.iter().map(|slice| slice.len()).sum();
        let (most, waker) = ready!(chaos.writing.some(cx, &chaos.settings, offered))?;
        chaos.meet_writing()?;
        let front = front_of(slices, most);
        let cx = &mut Context::from_waker(&waker);
        let taken = ready!(Pin::new(&mut chaos.transport).poll_write_vectored(cx, &front))?;
        chaos.writing.passed += taken as u64;
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let chaos = &mut *self;
        let waker = ready!(chaos.writing.delay(cx, &chaos.settings));
        chaos.meet_writing()?;
        Pin::new(&mut chaos.transport).poll_flush(&mut Context::from_waker(&waker))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let chaos = &mut *self;
        let waker = ready!(chaos.writing.delay(cx, &chaos.settings));
        chaos.meet_writing()?;
        Pin::new(&mut chaos.transport).poll_shutdown(&mut Context::from_waker(&waker))
    }
}

/// The first `most` bytes of these slices.
fn front_of<'a>(slices: &'a [IoSlice<'_>], mut most: usize) -> Vec<IoSlice<'a>> {
    let mut front = Vec::new();
    for slice in slices {
        let now = slice.len().min(most);
        front.push(IoSlice::new(&slice[..now]));
        most -= now;
        if most == 0 {
            break;
        }
    }
    front
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chaos from seed {}: at most {} bytes", self.seed, self.most)?;
        for (what, once_in) in
            [("waits", self.waits), ("wakes late", self.wakes_late), ("interrupts", self.interrupts)]
        {
            if once_in > 0 {
                write!(f, ", {what} once in {once_in}")?;
            }
        }
        if let Some((once_in, longest)) = self.pauses {
            write!(f, ", pauses once in {once_in} for up to {longest:?}")?;
        }
        Ok(())
    }
}

impl<T> fmt::Display for Chaos<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)?;
        for (what, direction) in [("read", &self.reading), ("written", &self.writing)] {
            if let Some(Fault { at, kind }) = direction.fault {
                write!(f, ", {kind:?} after {at} bytes {what}")?;
            }
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Chaos<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chaos({self}; {} bytes read, {} written)", self.reading.passed, self.writing.passed)
    }
}
