//! How fast short lines go there and back.

use std::time::Instant;

use highwater_examples::Outcome;
use highwater_net::Bytes;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::grouped;

/// How many lines are sent; a build that is not optimised is given a tenth.
const LINES: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// How many of them differ.
const DIFFERENT: usize = 10_000;

/// Bytes in a line, its newline included.
const LENGTH: usize = 64;

impl Scene {
    /// Short lines, sent without waiting for their echo, which is compared as it comes back.
    pub(crate) async fn throughput(&mut self) -> Outcome {
        self.transcript.title("Throughput")?;
        let (mut reader, writer) = self.connect(Request::Lines { limit: LENGTH }).await?;
        let block: String = (0..DIFFERENT).map(|number| format!("{number:0>0$}\n", LENGTH - 1)).collect();
        let block = Bytes::from(block);

        let started = Instant::now();
        let sending = tokio::spawn({
            let block = block.clone();
            async move {
                for line in block.chunks_exact(LENGTH).cycle().take(LINES) {
                    writer.write(line)?;
                    writer.drain().await?;
                }
                Outcome::Ok(())
            }
        });
        for (number, line) in block.chunks_exact(LENGTH).cycle().take(LINES).enumerate() {
            let echo = reader.read_line_ref().await?;
            ensure(echo == Some(line), || format!("line {number} came back changed, or not at all"))?;
        }
        sending.await??;
        let seconds = started.elapsed().as_secs_f64();

        let (lines_per_second, bytes_per_second) =
            (LINES as f64 / seconds, (LINES * LENGTH) as f64 / seconds);
        self.transcript.line(
            "echoed",
            format_args!(
                "{} lines of {LENGTH} bytes, pipelined, in {seconds:.2} s: {} lines/s, {:.1} MB/s each way",
                grouped(LINES),
                grouped(lines_per_second as u64),
                bytes_per_second / 1e6,
            ),
        )?;
        Ok(())
    }
}
