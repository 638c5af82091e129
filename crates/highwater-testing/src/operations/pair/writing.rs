//! What writers do, alone and in several tasks, and what was accepted of it, in which order.

use super::life::{Writer, at_most, joined};
use super::{Ending, PairCounts, PairWrite};
use highwater_stream::TransportError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What all clones of a writer have done.
#[derive(Default)]
pub(super) struct Log {
    /// In the order in which it was accepted, whoever wrote it: a write and its note are one step, in which no
    /// other task runs.
    pub(super) accepted: Vec<u8>,
    /// How many of these were flushed, for all that anybody was told.
    pub(super) flushed: usize,
    /// A write was refused although no clone had ended the stream.
    pub(super) was_refused: bool,
    pub(super) counts: PairCounts,
    has_ended: bool,
    has_refused: bool,
    error: Option<io::ErrorKind>,
}

impl Log {
    fn note(&mut self, message: &[u8], is_accepted: bool) {
        assert!(!(is_accepted && self.has_refused), "an error is kept: no write comes after it");
        self.counts.writes += 1;
        if is_accepted {
            self.accepted.extend_from_slice(message);
        } else {
            self.counts.refused += 1;
            self.has_refused = true;
            self.was_refused |= !self.has_ended;
        }
    }

    fn note_error(&mut self, error: &TransportError) {
        let kept = *self.error.get_or_insert(error.kind());
        assert_eq!(error.kind(), kept, "an error is kept: none comes in its place");
    }

    fn note_flush(&mut self, up_to: usize) {
        self.flushed = self.flushed.max(up_to);
    }

    /// Where halves start over, all that was accepted `up_to` then is flushed.
    pub(super) fn note_start_over(&mut self, up_to: usize, is_new: bool) {
        self.counts.restarts += 1;
        if is_new {
            self.note_flush(up_to);
        } else {
            self.counts.refused += 1;
        }
    }

    fn note_end(&mut self, ending: Ending) {
        self.counts.endings += 1;
        // Where the writer is dropped, clones may go on.
        self.has_ended |= ending != Ending::Drop;
    }
}

#[derive(Clone, Default)]
pub(super) struct Logged(Arc<Mutex<Log>>);

impl Logged {
    pub(super) fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A writer at work, and the tasks in which clones of it are.
pub(super) struct Hand {
    pub(super) writer: Writer,
    pub(super) log: Logged,
    pub(super) tasks: Vec<JoinHandle<()>>,
}

impl Hand {
    /// Boxed, because a task that it starts does the same.
    pub(super) fn perform(&mut self, steps: Vec<PairWrite>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            for step in steps {
                self.step(step).await;
            }
        })
    }

    async fn step(&mut self, step: PairWrite) {
        match step {
            PairWrite::Write(message) => {
                let queued = self.writer.write(&message);
                self.log.lock().note(&message, queued.is_ok());
            }
            PairWrite::WriteLines(lines) => {
                let queued = self.writer.write_lines(&lines);
                self.log.lock().note(&lines.concat(), queued.is_ok());
            }
            PairWrite::Drain => {
                self.log.lock().counts.drains += 1;
                match self.writer.drain().await {
                    Ok(()) => {
                        let (queued, high) = (self.writer.queued(), self.writer.watermarks().high());
                        assert!(queued <= high, "{queued} bytes are queued after a drain, above {high}");
                    }
                    Err(error) => self.log.lock().note_error(&error),
                }
            }
            PairWrite::Flush => self.flush(None).await,
            PairWrite::GiveUpFlush(polls) => self.flush(Some(polls)).await,
            PairWrite::Clone => {
                self.log.lock().counts.clones += 1;
                self.writer = self.writer.clone();
            }
            PairWrite::Spawn(steps) => {
                self.log.lock().counts.clones += 1;
                let mut hand = Hand { writer: self.writer.clone(), log: self.log.clone(), tasks: Vec::new() };
                self.tasks.push(tokio::spawn(async move {
                    hand.perform(steps).await;
                    hand.join().await;
                }));
            }
            PairWrite::Join => self.join().await,
            PairWrite::Sleep(millis) => sleep(Duration::from_millis(millis)).await,
        }
    }

    async fn flush(&self, polls: Option<usize>) {
        // What others write while it waits is not promised.
        let before = self.log.lock().accepted.len();
        let flushed = at_most(polls, self.writer.flush()).await;
        let mut log = self.log.lock();
        log.counts.flushes += 1;
        match flushed {
            Some(Ok(())) => {
                let sent = log.accepted.len() - self.writer.queued();
                assert!(sent >= before, "{before} bytes were to be flushed, and {sent} were taken");
                log.note_flush(before);
            }
            Some(Err(error)) => log.note_error(&error),
            None => log.counts.given_up += 1,
        }
    }

    async fn join(&mut self) {
        for task in self.tasks.drain(..) {
            joined(task).await;
        }
    }

    /// Ends the stream, and then waits for clones that may go on. The writer, unless it was dropped.
    pub(super) async fn end(mut self, ending: Ending) -> Option<Writer> {
        self.log.lock().note_end(ending);
        match ending {
            Ending::WriteEof => {
                let ended = self.writer.write_eof();
                assert!(ended.is_err() || self.writer.write("late").is_err(), "a write after the end");
            }
            Ending::Drop => {
                let Self { writer, tasks, .. } = self;
                drop(writer);
                for task in tasks {
                    joined(task).await;
                }
                return None;
            }
            Ending::Close => self.writer.close(),
            Ending::Abort => self.writer.abort(),
        }
        self.join().await;
        Some(self.writer)
    }
}
