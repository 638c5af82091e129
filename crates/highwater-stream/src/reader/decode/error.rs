//! Why a decoder gave no item.

use crate::TransportError;
use std::error::Error;
use std::fmt;
use std::io;

/// Why [`decode`](crate::StreamReader::decode) returned no item. `E` is the decoder's own error.
///
/// ```
/// use highwater_stream::{DecodeError, StreamReader};
/// use tokio_util::codec::{LinesCodec, LinesCodecError};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(&b"a long line\nok\n"[..]);
/// let mut lines = LinesCodec::new_with_max_length(4);
/// let error = reader.decode(&mut lines).await.unwrap_err();
/// assert!(matches!(error, DecodeError::Decoder(LinesCodecError::MaxLineLengthExceeded)));
/// assert_eq!(reader.decode(&mut lines).await.unwrap().unwrap(), "ok"); // that codec knows a way on
/// # });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DecodeError<E> {
    /// The decoder's own. What it has left of the bytes is still buffered.
    Decoder(E),
    /// The decoder has seen as many bytes as the limit allows, and wants more. What it has not used is still
    /// buffered: go on with it under a larger limit, or read the bytes otherwise, and then take a new decoder.
    LimitOverrun {
        /// The most bytes that it may be shown at once.
        limit: usize,
    },
    /// The connection failed, or a read time-out ran out. What came before stays buffered.
    Transport(TransportError),
}

impl<E: fmt::Display> fmt::Display for DecodeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decoder(error) => error.fmt(f),
            Self::LimitOverrun { limit } => write!(f, "no item within the limit of {limit} bytes"),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl<E: Error> Error for DecodeError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Decoder(error) => error.source(),
            Self::LimitOverrun { .. } => None,
            Self::Transport(error) => error.source(),
        }
    }
}

/// `Decoder` and `LimitOverrun` are `InvalidData`; this error stays inside.
impl<E: Error + Send + Sync + 'static> From<DecodeError<E>> for io::Error {
    fn from(error: DecodeError<E>) -> Self {
        match error {
            DecodeError::Transport(error) => error.into(),
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}
