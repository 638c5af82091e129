//! How far a long transfer has come, for a person who waits for it.

use std::cell::{Cell, OnceCell};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// What takes less needs no bar.
const AFTER: Duration = Duration::from_secs(1);

/// A line on stderr, if that is a terminal and stdout is not: there, the line would stand amid the text.
pub(crate) struct Progress {
    is_wanted: bool,
    begun: Instant,
    sent: Cell<u64>,
    received: Cell<u64>,
    bar: OnceCell<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(show: bool) -> Self {
        Self {
            is_wanted: !show && io::stderr().is_terminal() && !io::stdout().is_terminal(),
            begun: Instant::now(),
            sent: Cell::new(0),
            received: Cell::new(0),
            bar: OnceCell::new(),
        }
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes as u64);
        self.tick();
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received.set(self.received.get() + bytes as u64);
        self.tick();
    }

    fn tick(&self) {
        if !self.is_wanted || self.begun.elapsed() < AFTER {
            return;
        }
        let (sent, received) = (self.sent.get(), self.received.get());
        let bar = self.bar.get_or_init(|| {
            let style = ProgressStyle::with_template("{elapsed_precise}  {msg}  {binary_bytes_per_sec}");
            let bar = ProgressBar::new_spinner().with_elapsed(self.begun.elapsed());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        bar.set_message(format!("{} out, {} in", HumanBytes(sent), HumanBytes(received)));
        bar.set_position(sent + received);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.abandon();
        }
    }
}
