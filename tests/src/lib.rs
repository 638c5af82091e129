//! What crosses crates: one set of recorded runs, cases and models, driven through one small door.
//!
//! | module | holds |
//! | --- | --- |
//! | [`subject`] | the door: what a suite drives, be it a buffer or a reader over a transport |
//! | [`read_buffer`] | `ReadBuffer` behind that door, in each of its forms |
//! | [`model`] | the model of `ReadBuffer` behind that door |
//! | [`stream_reader`] | `StreamReader` behind that door: fed, over a transport, as half of a pair |
//! | [`conformance`] | runs recorded from CPython, and their replay |
//! | [`case`](mod@case) | how a case is written down: bytes, reads, what each gives, what is left |
//! | [`cases`] | the table of cases |
//! | [`every_cut`] | runs cases with their bytes whole, byte by byte and split at each position |
//! | [`every_transport`] | one suite of stream behaviour over every kind of connection |
//! | [`faults`] | every operation meets every fault, at every byte and at every poll |
//! | [`transport`] | a transport that does what a test says |
//! | [`bounded`] | tests that fail where they would hang |
//! | [`counted`] | tests that leave neither a descriptor nor a task behind |
//! | [`tls`] | an authority, certificates, configurations by provider, connected pairs, a peer played by hand |
//! | [`memory`] | a listener whose connections are in memory |
//! | [`scratch`] | a directory for the files of a test |
//! | [`namespace`] | tests in a network namespace of their own |
//! | [`virtual_net`] | a network in memory that delays, partitions and resets |
//! | [`net`] | tests that run servers: handlers, hooks, and peers that are played by hand |
//! | [`usage`] | what a process holds: memory and descriptors, and how many of these it may have |
//! | [`schedules`] | one random schedule after the other, each from a seed that replays it |
//! | [`report`](mod@report) | what a test that has passed still wants to say |
//!
//! What users can run too (models, chaos, every poll, the checks of a transport) is in highwater-testing.
//!
//! A suite for another reader implements [`Subject`] and passes it to [`conformance::replay_all`] and
//! [`every_cut::run`].

pub mod bounded;
pub mod case;
pub mod cases;
pub mod conformance;
pub mod counted;
pub mod every_cut;
pub mod every_transport;
pub mod faults;
pub mod memory;
pub mod model;
pub mod namespace;
pub mod net;
pub mod read_buffer;
pub mod report;
pub mod schedules;
pub mod scratch;
pub mod stream_reader;
pub mod subject;
pub mod tls;
pub mod transport;
pub mod usage;
pub mod virtual_net;

pub use report::{property_cases, report, skip};
pub use subject::Subject;

/// The Rust programs of the documentation, compiled and run as doc tests: each page is the documentation of an
/// item here.
macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../", $page))]
            pub struct $name;
        )*

        /// Whose programs are compiled and run, from the root of the repository.
        pub const COMPILED_PAGES: &[&str] = &[$($page),*];
    };
}

pages! {
    Readme: "README.md",
    ReadmeOfBuffer: "crates/highwater-buffer/README.md",
    ReadmeOfNet: "crates/highwater-net/README.md",
    ReadmeOfStream: "crates/highwater-stream/README.md",
    ReadmeOfTesting: "crates/highwater-testing/README.md",
    ComingFromAsyncio: "docs/coming-from-asyncio.md",
    ComingFromTokio: "docs/coming-from-tokio.md",
    GuideBackpressure: "docs/guide/backpressure.md",
    GuideClosing: "docs/guide/closing.md",
    GuideCodecs: "docs/guide/codecs.md",
    GuideConnecting: "docs/guide/connecting.md",
    GuideFrames: "docs/guide/frames.md",
    GuideGettingStarted: "docs/guide/getting-started.md",
    GuideHandlers: "docs/guide/handlers.md",
    GuideLineServer: "docs/guide/line-server.md",
    GuideLines: "docs/guide/lines.md",
    GuideListeners: "docs/guide/listeners.md",
    GuideMixed: "docs/guide/mixed.md",
    GuideOverLongInput: "docs/guide/over-long-input.md",
    GuideServers: "docs/guide/servers.md",
    GuideTesting: "docs/guide/testing.md",
    GuideTimeOuts: "docs/guide/time-outs.md",
    GuideTls: "docs/guide/tls.md",
    GuideTransports: "docs/guide/transports.md",
    Security: "docs/security.md",
}
