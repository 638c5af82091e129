//! R2, R3, R4: the table of reads, cut in several ways, and reads that are given up.

use super::check::{Check, checks};
use super::live::Live;
use super::maker::{Maker, Reset};
use crate::case::Case;
use crate::cases;
use crate::every_cut::{Cut, run_case};
use crate::net::Halves;
use crate::read_buffer::Form;
use crate::stream_reader::perform;
use crate::subject::{Call, End, Op, Outcome, byte_strings};
use bytes::Bytes;
use futures::FutureExt;
use highwater_net::{StreamReader, StreamWriter};
use std::collections::BTreeSet;
use tokio::task::yield_now;

/// In so many places at most the bytes of a case are cut in two, evenly spread, for each run makes a
/// connection. `ReadBuffer`, and `StreamReader` over memory, see every position elsewhere.
const POSITIONS: usize = 6;

/// The same where it takes long to make a connection.
const FEW_POSITIONS: usize = 1;

pub(super) fn checks() -> Vec<Check> {
    let table = cases::all().into_iter().map(read_of_the_table);
    table
        .chain(checks!["r3":
            reads_given_up_at_every_byte,
            a_read_given_up_takes_nothing,
            a_skip_given_up_stays_in_force,
        ])
        .collect()
}

fn read_of_the_table(case: Case) -> Check {
    let (contract, needs) =
        if case.end == End::Error { ("r4", Reset::WithUnreadInput) } else { ("r2", Reset::Never) };
    let name = case.name.clone();
    let check = Check::blocking(contract, &name, move |runtime, maker| {
        for cut in cuts(case.bytes.len(), if maker.is_slow { FEW_POSITIONS } else { POSITIONS }) {
            run_case(&case, cut, &mut Live::new(runtime, maker, case.limit));
        }
    });
    check.needs(needs)
}

/// Ahead of all reads, whole, byte by byte, and split at so many positions.
fn cuts(length: usize, positions: usize) -> impl Iterator<Item = Cut> {
    // Behind the first byte and before the last, if there is more than one position, which is in the middle.
    let gaps = length.saturating_sub(1);
    let positions: BTreeSet<_> = match positions {
        1 => BTreeSet::from([length / 2]),
        _ => (0..positions).map(|step| 1 + gaps.saturating_sub(1) * step / (positions - 1)).collect(),
    };
    let positions = positions.into_iter().filter(move |position| (1..length).contains(position));
    [Cut::Ahead, Cut::Whole, Cut::ByteByByte].into_iter().chain(positions.map(Cut::At))
}

// ---- given up -------------------------------------------------------------------------------------

const LINES: &[u8] = b"0123456789\nabc\r\n";

/// Each read that can wait while bytes are there, and what it gives at last. The end follows the bytes.
fn reads() -> Vec<(Op, &'static [u8])> {
    vec![
        (Op::ReadLine, &LINES[..11]),
        (Op::ReadExactly(15), &LINES[..15]),
        (Op::ReadUntil(byte_strings(&["\r\n"])), LINES),
        (Op::Peek(16), LINES),
        (Op::ReadToEnd(100), LINES),
    ]
}

async fn reads_given_up_at_every_byte(on: Maker) {
    for (op, expected) in reads() {
        let (near, far) = on.pairs().await;
        given_up_at_every_byte(near, far, &op.into(), expected).await;
    }
}

async fn given_up_at_every_byte((mut reader, writer): Halves, far: Halves, call: &Call, expected: &[u8]) {
    // Each byte but the last that counts arrives while a read waits for more, which is then given up.
    let waited_for = if call.op == Op::ReadToEnd(100) { LINES.len() } else { expected.len() - 1 };
    for (index, byte) in LINES[..waited_for].chunks(1).enumerate() {
        is_given_up(&mut reader, call);
        send(&far.1, byte).await;
        while reader.buffered() <= index {
            is_given_up(&mut reader, call);
            yield_now().await;
        }
        is_given_up(&mut reader, call);
    }
    send(&far.1, &LINES[waited_for..]).await;
    far.1.write_eof().expect("the connection is open");
    let got = perform(&mut reader, call, Form::Owned).await;
    assert_eq!(got, Outcome::Bytes(Bytes::copy_from_slice(expected)), "{call:?}");
    let is_taken = !matches!(call.op, Op::Peek(_));
    let rest = reader.read_to_end(100).await.expect("a clean end");
    assert_eq!(rest, LINES[if is_taken { expected.len() } else { 0 }..], "{call:?}");
    drop((writer, far));
}

async fn a_read_given_up_takes_nothing(on: Maker) {
    let ((mut reader, writer), far) = on.pairs().await;
    for byte in LINES.chunks(1) {
        is_given_up(&mut reader, &Op::Read(9).into());
        send(&far.1, byte).await;
        assert_eq!(reader.read(9).await.expect("the connection is open"), byte);
    }
    drop((writer, far));
}

async fn a_skip_given_up_stays_in_force(on: Maker) {
    let ((mut reader, writer), far) = on.pairs().await;
    let skip = Call::from(Op::SkipUntil(byte_strings(&["\r\n"])));
    for byte in b"junk\r and more\n".chunks(1) {
        is_given_up(&mut reader, &skip);
        send(&far.1, byte).await;
        // What it skips does not show: some of these polls meet the byte.
        for _ in 0..4 {
            is_given_up(&mut reader, &skip);
            yield_now().await;
        }
    }
    send(&far.1, b"\r\nok\n").await;
    assert_eq!(reader.read_line().await.expect("the connection is open").as_deref(), Some(&b"ok\n"[..]));
    drop((writer, far));
}

/// Polls a read once, which has to wait, and drops it.
fn is_given_up(reader: &mut StreamReader, call: &Call) {
    let read = perform(reader, call, Form::Owned).now_or_never();
    assert_eq!(read, None, "{call:?} has to wait");
}

async fn send(writer: &StreamWriter, bytes: &[u8]) {
    writer.write(bytes).expect("the connection is open");
    writer.flush().await.expect("the transport takes this much");
}
