//! What a person sees: the bytes that came, on stdout, and both directions on stderr.

use std::io::{self, IsTerminal};

use highwater_examples::Outcome;
use highwater_examples::talk::{Escaper, Lines, dump};
use tokio::io::{AsyncWrite, AsyncWriteExt, Stderr, Stdout};

/// Standard output.
pub(crate) struct Screen {
    out: Stdout,
    shape: Shape,
}

/// How bytes are shown there.
enum Shape {
    AsTheyAre,
    Escaped(Escaper),
    Hex { offset: u64 },
}

impl Screen {
    /// What a stranger sends is no command to a terminal, unless that is wanted; a file gets every byte.
    pub(crate) fn new(hex: bool, raw: bool) -> Self {
        let shape = match () {
            () if hex => Shape::Hex { offset: 0 },
            () if raw || !io::stdout().is_terminal() => Shape::AsTheyAre,
            () => Shape::Escaped(Escaper::default()),
        };
        Self { out: tokio::io::stdout(), shape }
    }

    pub(crate) async fn show(&mut self, bytes: &[u8]) -> Outcome {
        match &mut self.shape {
            Shape::AsTheyAre => print(&mut self.out, bytes).await,
            Shape::Escaped(escaper) => print(&mut self.out, escaper.feed(bytes).as_bytes()).await,
            Shape::Hex { offset } => {
                let rows = dump(*offset, bytes);
                *offset = offset.saturating_add(bytes.len() as u64);
                print(&mut self.out, rows.as_bytes()).await
            }
        }
    }

    pub(crate) async fn finish(&mut self) -> Outcome {
        match &mut self.shape {
            Shape::Escaped(escaper) => print(&mut self.out, escaper.finish().as_bytes()).await,
            Shape::AsTheyAre | Shape::Hex { .. } => Ok(()),
        }
    }
}

/// One direction on standard error, if that is wanted.
pub(crate) enum Told {
    Nothing,
    Lines(Stderr, Lines),
    Hex { err: Stderr, mark: char, offset: u64 },
}

impl Told {
    pub(crate) fn new(mark: char, show: bool, hex: bool) -> Self {
        match hex {
            true if show => Told::Hex { err: tokio::io::stderr(), mark, offset: 0 },
            _ => Self::lines(mark, show),
        }
    }

    pub(crate) fn lines(mark: char, show: bool) -> Self {
        if show { Told::Lines(tokio::io::stderr(), Lines::new(mark)) } else { Told::Nothing }
    }

    pub(crate) async fn tell(&mut self, bytes: &[u8]) -> Outcome {
        match self {
            Told::Nothing => Ok(()),
            Told::Lines(err, lines) => print(err, lines.feed(bytes).as_bytes()).await,
            Told::Hex { err, mark, offset } => {
                let rows = dump(*offset, bytes);
                *offset = offset.saturating_add(bytes.len() as u64);
                let marked: String = rows.lines().map(|row| format!("{mark} {row}\n")).collect();
                print(err, marked.as_bytes()).await
            }
        }
    }

    pub(crate) async fn finish(&mut self) -> Outcome {
        match self {
            Told::Lines(err, lines) => print(err, lines.finish().as_bytes()).await,
            Told::Nothing | Told::Hex { .. } => Ok(()),
        }
    }
}

async fn print(out: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Outcome {
    let printed = async {
        out.write_all(bytes).await?;
        out.flush().await
    };
    printed.await.map_err(|error: io::Error| format!("nobody takes the output: {error}").into())
}
