//! A time-out in the middle of a frame.

use std::time::{Duration, Instant};

use highwater_examples::Outcome;
use tokio::time::timeout;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::{count, quoted};

/// How long a read may wait before it is cancelled.
const PATIENCE: Duration = Duration::from_millis(50);

impl Scene {
    /// A read that is dropped with half a frame arrived, and the read after it, which returns all of it.
    pub(crate) async fn cancelled(&mut self) -> Outcome {
        self.transcript
            .title(format_args!("A read cancelled: timeout({PATIENCE:?}, reader.read_until(b\"\\r\\n\"))"))?;
        let (mut reader, writer) = self.connect(Request::Bytes).await?;
        let (half, rest) = ("half a frame, ", "and the rest of it\r\n");
        self.transcript
            .line("before", format_args!("{:>8} in the buffer", count(reader.buffered(), "byte")))?;

        // Once, unless this machine is so busy that not even a few bytes come back in that time.
        writer.write(half)?;
        while reader.buffered() < half.len() {
            let started = Instant::now();
            let read = timeout(PATIENCE, reader.read_until(b"\r\n")).await;
            ensure(read.is_err(), || format!("a read ended before its separator was sent: {read:?}"))?;
            let (kept, waited) = (count(reader.buffered(), "byte"), started.elapsed().as_millis());
            self.transcript.line("cancelled", format_args!("{kept:>8} in the buffer, after {waited} ms"))?;
        }

        writer.write(rest)?;
        let frame = reader.read_until(b"\r\n").await?;
        ensure(frame == format!("{half}{rest}"), || format!("the completed frame is {frame:?}"))?;
        ensure(reader.buffered() == 0, || format!("{} bytes are left over", reader.buffered()))?;
        let (size, left) = (count(frame.len(), "byte"), count(reader.buffered(), "byte"));
        self.transcript.line("completed", format_args!("{size:>8} by the next call: {}", quoted(&frame)))?;
        self.transcript.line("after", format_args!("{left:>8} in the buffer"))?;
        Ok(())
    }
}
