//! Frames and their separators.

use highwater_examples::Outcome;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::{count, quoted};

impl Scene {
    /// Frames that end in one separator of two bytes, and in the first of several.
    pub(crate) async fn separators(&mut self) -> Outcome {
        let (mut reader, writer) = self.connect(Request::Bytes).await?;

        self.transcript.title("A two-byte separator: read_until(b\"\\r\\n\")")?;
        writer.write("a \r alone and a \n alone are data\r\nthe next frame\r\n")?;
        for sent in ["a \r alone and a \n alone are data\r\n", "the next frame\r\n"] {
            let frame = reader.read_until(b"\r\n").await?;
            ensure(frame == sent, || format!("{sent:?} was sent, and {frame:?} was read"))?;
            self.transcript.line("read", Frame(&frame))?;
        }

        self.transcript.title("One of several separators: read_until((b\"\\r\\n\", b\"\\n\", b\";\"))")?;
        writer.write("alpha\r\nbeta;gamma\ndelta\r;\n")?;
        for sent in ["alpha\r\n", "beta;", "gamma\n", "delta\r;", "\n"] {
            let frame = reader.read_until((b"\r\n", b"\n", b";")).await?;
            ensure(frame == sent, || format!("{sent:?} was sent, and {frame:?} was read"))?;
            self.transcript.line("read", Frame(&frame))?;
        }
        Ok(())
    }
}

struct Frame<'a>(&'a [u8]);

impl std::fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8}  {}", count(self.0.len(), "byte"), quoted(self.0))
    }
}
