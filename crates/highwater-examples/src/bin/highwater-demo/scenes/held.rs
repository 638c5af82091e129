//! Backpressure: what `drain` is for.

use std::pin::pin;
use std::time::{Duration, Instant};

use highwater_examples::Outcome;
use highwater_net::Bytes;
use tokio::time::timeout;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::{count, grouped};

/// A `drain` that has waited for this long is held back; then the reader is told to go on.
const HELD: Duration = Duration::from_millis(200);

/// More than any kernel keeps for one connection.
const MOST: usize = 1024 * 1024 * 1024;

impl Scene {
    /// A writer that is held back at its high mark for as long as nobody reads.
    pub(crate) async fn held(&mut self) -> Outcome {
        self.transcript.title("A slow reader: the server reads nothing until it is told to")?;
        let (mut reader, writer) = self.connect(Request::Later).await?;
        let marks = writer.watermarks();
        let (high, low) = (grouped(marks.high()), grouped(marks.low()));
        self.transcript.line("marks", format_args!("high {high} bytes, low {low} bytes"))?;

        let block = Bytes::from(vec![b'.'; 48 * 1024]);
        let mut written = 0;
        loop {
            ensure(written < MOST, || format!("no drain was held back for {written} bytes"))?;
            writer.write(&block)?;
            written += block.len();

            let queued = writer.queued();
            let started = Instant::now();
            let mut drain = pin!(writer.drain());
            if let Ok(drained) = timeout(HELD, &mut drain).await {
                drained?;
                continue;
            }
            ensure(queued > marks.high(), || format!("drain waits for a queue of only {queued} bytes"))?;
            let taken = grouped(written - queued);
            let queued = grouped(queued);
            self.transcript
                .line("queued", format_args!("{queued} bytes behind {taken} that the kernel took"))?;

            self.connect(Request::Resume).await?;
            drain.await?;
            let (held, left) = (started.elapsed().as_millis(), writer.queued());
            ensure(left <= marks.low(), || format!("drain went on with {left} bytes queued"))?;
            self.transcript
                .line("held", format_args!("{held} ms by drain; then {} queued", count(left, "byte")))?;
            break;
        }

        writer.write_eof()?;
        let answer = reader.read_until(b"\r\n").await?;
        ensure(answer == format!("received {written}\r\n"), || {
            format!("{written} bytes were written, and the server answered {answer:?}")
        })?;
        self.transcript.line("arrived", format_args!("{} bytes, all that was written", grouped(written)))?;
        Ok(())
    }
}
