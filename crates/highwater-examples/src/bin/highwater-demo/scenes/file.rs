//! The echo of a file.

use std::path::Path;

use highwater_examples::Outcome;
use highwater_net::Bytes;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::{count, grouped};

impl Scene {
    /// Every line of a file, sent while the echo comes back, and compared byte for byte.
    pub(crate) async fn file(&mut self, path: &Path, file: Bytes) -> Outcome {
        self.transcript.title(format_args!("Every line of {}, there and back", path.display()))?;

        // The last line may lack its newline, and a line may hold any bytes and be of any length.
        let lines: Vec<&[u8]> = file.split_inclusive(|&byte| byte == b'\n').collect();
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let (mut reader, writer) = self.connect(Request::Lines { limit: longest }).await?;
        reader.set_limit(longest);

        let sending = async {
            for line in &lines {
                writer.write(file.slice_ref(line))?;
                writer.drain().await?;
            }
            writer.write_eof()?;
            Outcome::Ok(())
        };
        let receiving = async {
            let (mut number, mut bytes) = (0, 0);
            while let Some(echo) = reader.read_line_ref().await? {
                ensure(lines.get(number) == Some(&echo), || {
                    format!("line {} came back changed", number + 1)
                })?;
                number += 1;
                bytes += echo.len();
            }
            Outcome::Ok((number, bytes))
        };
        let ((), (echoed, bytes)) = tokio::try_join!(sending, receiving)?;
        ensure(echoed == lines.len(), || format!("{echoed} of {} lines came back", lines.len()))?;
        ensure(bytes == file.len(), || format!("{bytes} of {} bytes came back", file.len()))?;

        let sent = count(lines.len(), "line");
        let size = count(file.len(), "byte");
        self.transcript
            .line("sent", format_args!("{sent}, {size}, the longest line {}", grouped(longest)))?;
        let echoed = count(echoed, "line");
        self.transcript
            .line("echoed", format_args!("{echoed}, {}, each equal byte for byte", count(bytes, "byte")))?;
        Ok(())
    }
}
