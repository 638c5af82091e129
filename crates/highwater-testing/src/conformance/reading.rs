//! R2 and R3: what reads give however the transport cuts, and reads that are given up.

use super::check::{Check, checks};
use super::maker::{Facts, Halves, Pairs, Transport};
use super::stream::once;
use crate::call::{Call, Op, Outcome};
use crate::cut::Cut;
use crate::model::ReadModel;
use crate::perform::Form;
use bytes::Bytes;
use highwater_stream::{DEFAULT_LIMIT, Source, StreamReader, StreamWriter};
use std::task::Poll;
use tokio::task::yield_now;

pub(super) fn checks<T: Transport, F: Facts>() -> Vec<Check<Pairs<T, F>>> {
    let checks = checks!["r2": reads_end_as_the_model_says];
    let checks = checks.into_iter().chain(checks!["r3":
        reads_given_up_at_every_byte,
        a_read_given_up_takes_nothing,
        a_skip_given_up_stays_in_force,
    ]);
    checks.collect()
}

// ---- R2 -------------------------------------------------------------------------------------------

/// Lines and frames of several kinds, some of them too long for a call's own limit.
const TEXT: &str = "one\ntwo\r\n;three;;\r\n\nfour five six\r\r\nx;seven\n";

fn until(separators: &[&'static str]) -> Vec<Bytes> {
    separators.iter().map(|separator| Bytes::from_static(separator.as_bytes())).collect()
}

async fn reads_end_as_the_model_says<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let calls = [
        Op::ReadLine.into(),
        Op::ReadUntil(until(&["\r\n", ";"])).into(),
        Op::Peek(9).into(),
        Op::ReadExactly(5).into(),
        Call { op: Op::ReadLine, limit: Some(3) },
        Op::SkipUntil(until(&["\n"])).into(),
        Call { op: Op::ReadUntil(until(&["\r\r\n"])), limit: Some(20) },
    ];
    let text = Bytes::from(TEXT.repeat(40));
    let mut model = ReadModel::new(DEFAULT_LIMIT);
    model.feed(&text);
    model.feed_eof();

    let ((mut reader, writer), (far, upload)) = on.pairs().await;
    let sending = tokio::spawn(async move {
        for part in Cut::Sizes(vec![1, 7, 3, 64, 2]).parts(text) {
            upload.write(part).expect("the connection is open");
            upload.flush().await.expect("it is read");
            yield_now().await;
        }
        upload.close();
        drop(far);
    });
    for (call, form) in calls.iter().cycle().zip([Form::Owned, Form::Borrowed].into_iter().cycle()) {
        let Poll::Ready(expected) = model.call(call) else { panic!("{call:?} waits after the end") };
        assert_eq!(call.on_reader(form, &mut reader).await, expected, "{call:?}");
        if model.at_eof() {
            break;
        }
    }
    sending.await.expect("it has sent all");
    drop(writer);
}

// ---- R3 -------------------------------------------------------------------------------------------

const LINES: &[u8] = b"0123456789\nabc\r\n";

/// Each read that can wait while bytes are there, and what it gives at last. The end follows the bytes.
fn reads() -> Vec<(Op, &'static [u8])> {
    vec![
        (Op::ReadLine, &LINES[..11]),
        (Op::ReadExactly(15), &LINES[..15]),
        (Op::ReadUntil(until(&["\r\n"])), LINES),
        (Op::Peek(16), LINES),
        (Op::ReadToEnd(100), LINES),
    ]
}

async fn reads_given_up_at_every_byte<T: Transport, F: Facts>(on: Pairs<T, F>) {
    for (op, expected) in reads() {
        let (near, far) = on.pairs().await;
        given_up_at_every_byte(near, far, &op.into(), expected).await;
    }
}

async fn given_up_at_every_byte<T: Transport, F: Facts>(
    (mut reader, writer): Halves<T, F>,
    far: Halves<T, F>,
    call: &Call,
    expected: &[u8],
) {
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
    far.1.close();
    let got = call.on_reader(Form::Owned, &mut reader).await;
    assert_eq!(got, Outcome::Bytes(Bytes::copy_from_slice(expected)), "{call:?}");
    let is_taken = !matches!(call.op, Op::Peek(_));
    let rest = reader.read_to_end(100).await.expect("a clean end");
    assert_eq!(rest, LINES[if is_taken { expected.len() } else { 0 }..], "{call:?}");
    drop((writer, far));
}

async fn a_read_given_up_takes_nothing<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), far) = on.pairs().await;
    for byte in LINES.chunks(1) {
        is_given_up(&mut reader, &Op::Read(9).into());
        send(&far.1, byte).await;
        assert_eq!(reader.read(9).await.expect("the connection is open"), byte);
    }
    drop((writer, far));
}

async fn a_skip_given_up_stays_in_force<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), far) = on.pairs().await;
    let skip = Call::from(Op::SkipUntil(until(&["\r\n"])));
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
fn is_given_up<R: Source>(reader: &mut StreamReader<R>, call: &Call) {
    let read = once(call.on_reader(Form::Owned, reader));
    assert_eq!(read, None, "{call:?} has to wait");
}

async fn send<T: Transport, F: Facts>(writer: &StreamWriter<T, F>, bytes: &[u8]) {
    writer.write(bytes).expect("the connection is open");
    writer.flush().await.expect("the transport takes this much");
}
