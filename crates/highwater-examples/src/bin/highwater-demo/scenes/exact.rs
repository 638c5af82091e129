//! A message of a length that is told in front of it.

use highwater_examples::Outcome;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::{count, grouped, hex, quoted};

impl Scene {
    /// A message that says in its first two bytes how long it is.
    pub(crate) async fn exact(&mut self) -> Outcome {
        self.transcript.title("An exact read: read_exactly(2), then read_exactly(length)")?;
        let (mut reader, writer) = self.connect(Request::Bytes).await?;

        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(1000).collect();
        let length = u16::try_from(payload.len())?;
        writer.write_lines([&length.to_be_bytes()[..], &payload, b"and what follows\n"])?;

        let head = reader.read_exactly(2).await?;
        let length = u16::from_be_bytes([head[0], head[1]]);
        self.transcript.line("length", format_args!("{}, which is {}", hex(&head), grouped(length)))?;
        let received = reader.read_exactly(length.into()).await?;
        ensure(received == payload, || "the payload came back changed".into())?;
        let (size, first, last) =
            (count(received.len(), "byte"), &received[..4], &received[received.len() - 4..]);
        self.transcript
            .line("payload", format_args!("{size}, {} … {}, each as sent", hex(first), hex(last)))?;
        let next = reader.read_line().await?.unwrap_or_default();
        ensure(next == "and what follows\n", || format!("{next:?} followed the payload"))?;
        self.transcript.line("next", quoted(&next))?;
        Ok(())
    }
}
