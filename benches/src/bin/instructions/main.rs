//! One operation, a given number of times, for callgrind to count: `cargo xtask bench --gate` runs it.
//!
//! ```text
//! instructions list                   the operations, one a line: `gated` or `peer`, and the name
//! instructions run OPERATION COUNT    performs it so often, and says nothing
//! ```
//!
//! The operations are public methods, called as the README calls them. What an operation costs is what a
//! run of 2n takes more than a run of n, divided by n: whatever is done once drops out.

mod echoing;
mod peers;
mod reading;
mod writing;

use std::process::ExitCode;

/// The most bytes that a read of the source brings.
const CHUNK: usize = 4096;

/// Something to count.
struct Operation {
    name: &'static str,
    /// Whether the gate holds it to what was recorded; the others stand beside for comparison.
    role: Role,
    /// Performs it so often.
    run: fn(usize),
}

#[derive(Clone, Copy)]
enum Role {
    Gated,
    Peer,
}

const fn gated(name: &'static str, run: fn(usize)) -> Operation {
    Operation { name, role: Role::Gated, run }
}

const fn peer(name: &'static str, run: fn(usize)) -> Operation {
    Operation { name, role: Role::Peer, run }
}

const OPERATIONS: &[Operation] = &[
    gated("reader/line/16/borrowed", reading::line_ref::<16>),
    gated("reader/line/16/owned", reading::line::<16>),
    gated("reader/line/16/buffer", reading::buffer_line_ref::<16>),
    peer("reader/line/16/tokio-read_until", peers::read_until::<16>),
    peer("reader/line/16/tokio-lines", peers::lines::<16>),
    peer("reader/line/16/tokio-fill_buf", peers::fill_buf::<16>),
    gated("reader/line/64/borrowed", reading::line_ref::<64>),
    gated("reader/line/64/owned", reading::line::<64>),
    gated("reader/line/64/buffer", reading::buffer_line_ref::<64>),
    peer("reader/line/64/tokio-read_until", peers::read_until::<64>),
    peer("reader/line/64/tokio-lines", peers::lines::<64>),
    peer("reader/line/64/tokio-fill_buf", peers::fill_buf::<64>),
    gated("reader/line/512/borrowed", reading::line_ref::<512>),
    gated("reader/line/512/owned", reading::line::<512>),
    gated("reader/line/512/buffer", reading::buffer_line_ref::<512>),
    peer("reader/line/512/tokio-read_until", peers::read_until::<512>),
    peer("reader/line/512/tokio-lines", peers::lines::<512>),
    peer("reader/line/512/tokio-fill_buf", peers::fill_buf::<512>),
    gated("reader/crlf/64/borrowed", reading::crlf_ref),
    gated("reader/crlf/64/with-lone-cr-and-lf", reading::crlf_lone_ref),
    peer("reader/crlf/64/tokio-read_until", peers::crlf),
    peer("reader/crlf/64/tokio-with-lone-cr-and-lf", peers::crlf_lone),
    gated("reader/three/64/borrowed", reading::three_ref),
    gated("reader/three/64/one-occurs", reading::three_one_occurs_ref),
    gated("reader/frame/100/borrowed", reading::frame_ref::<100>),
    gated("reader/frame/100/owned", reading::frame::<100>),
    gated("reader/frame/100/buffer", reading::buffer_frame_ref),
    peer("reader/frame/100/tokio-read_exact", peers::frame::<100>),
    gated("reader/frame/4096/owned", reading::frame::<4096>),
    peer("reader/frame/4096/tokio-read_exact", peers::frame::<4096>),
    gated("reader/head+body/borrowed", reading::head_and_body_ref),
    gated("reader/head+body/owned", reading::head_and_body),
    peer("reader/head+body/tokio-read_until", peers::head_and_body),
    gated("writer/64/write", writing::write),
    gated("writer/64/write+drain", writing::write_and_drain),
    peer("writer/64/tokio-buf_writer", peers::write),
    gated("echo/64/write+drain", echoing::ours),
    peer("echo/64/tokio-write+flush", echoing::tokios),
];

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for Operation { name, role, .. } in OPERATIONS {
                let role = match role {
                    Role::Gated => "gated",
                    Role::Peer => "peer",
                };
                println!("{role} {name}");
            }
        }
        ["run", name, count] => {
            let known = OPERATIONS.iter().find(|operation| operation.name == name);
            let (Some(operation), Ok(count)) = (known, count.parse()) else {
                eprintln!("there is no operation {name:?}, or {count:?} is no count");
                return ExitCode::FAILURE;
            };
            (operation.run)(count);
        }
        _ => {
            eprintln!("usage: instructions list | run OPERATION COUNT");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
