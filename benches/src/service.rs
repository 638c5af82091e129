//! What the servers of the socket benches do, each of them the same on the wire.

use clap::ValueEnum;

/// What a server does with each connection.
///
/// Every line has 64 bytes, its newline included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Each line is sent back, until the client ends.
    Echo,
    /// One line is sent back, and the server closes first.
    EchoOnce,
    /// Lines are read until the client ends, and the answer is how many they were and how many bytes.
    ReadLines,
    /// The client asks for a number of lines, and is sent so many.
    WriteLines,
    /// The client tells a number of blocks of 64 KiB, which are read in pieces of at most that; the answer is how
    /// many bytes they were, and the server closes. It does not wait for the client's end, after which asyncio
    /// could not answer in TLS.
    Sink,
    /// The client asks for a number of blocks of 64 KiB, and is sent so many.
    Source,
    /// The same from a block that is shared, where there is a way to say so.
    SourceOwned,
}

impl Service {
    /// How it is called on a command line.
    ///
    /// ```
    /// assert_eq!(highwater_benches::Service::EchoOnce.name(), "echo-once");
    /// ```
    pub fn name(self) -> String {
        self.to_possible_value().expect("no variant is skipped").get_name().to_owned()
    }
}
