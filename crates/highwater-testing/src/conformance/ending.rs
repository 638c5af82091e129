//! W6, W7, W8: our half ends, the connection ends, the connection is dropped.

use super::check::{Check, Needs, checks};
use super::maker::{Facts, PairOptions, Pairs, Reset, Transport};
use super::stream::{clog, expect, expect_end, in_a_while, once, payload};
use highwater_stream::{Linger, Source, StreamReader, WriteError};
use std::io;
use std::time::Duration;

pub(super) fn checks<T: Transport, F: Facts>() -> Vec<Check<Pairs<T, F>>> {
    let checks = checks!["w6":
        write_eof_ends_our_half_and_reading_goes_on,
        write_eof_comes_behind_a_long_queue,
    ];
    let checks = checks.map(|check| check.needs(Needs::HalfClose)).into_iter().chain(checks!["w7":
        close_delivers_although_input_was_unread,
        close_delivers_a_long_reply,
        close_wakes_a_waiting_read,
        dropped_halves_deliver_although_input_was_unread,
        wait_closed_tells_everybody_the_same,
    ]);
    let checks = checks.chain(checks!["w8":
        abort_drops_the_queue_and_ends_our_reads,
        abort_wakes_a_waiting_read,
    ]);
    let resets = checks!["w8": abort_resets].map(|check| check.needs(Needs::Reset(Reset::Always)));
    checks.chain(resets).collect()
}

/// What every transport holds although nobody reads it.
const LITTLE: usize = 50;

/// More than some transports hold at a time.
const LONG: usize = 1024 * 1024;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);

// ---- W6 -------------------------------------------------------------------------------------------

async fn write_eof_ends_our_half_and_reading_goes_on<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.pairs().await;
    assert!(writer.can_write_eof());
    writer.write("a request").expect("the connection is open");
    writer.write_eof().expect("the connection is open");
    writer.write_eof().expect("it may be said again");
    assert!(matches!(writer.write("more"), Err(WriteError::Ended)));
    assert_eq!(far.read_to_end(100).await.expect("a clean end"), "a request");
    reply.write(payload(0, LONG)).expect("this half is open");
    expect(&mut reader, 0, LONG).await;
    assert!(!writer.is_closing());
    drop((far, reply));
    expect_end(&mut reader).await;
}

async fn write_eof_comes_behind_a_long_queue<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    writer.write_eof().expect("the connection is open");
    expect(&mut far, 0, written).await;
    expect_end(&mut far).await;
    reply.write("a reply\n").expect("this half is open");
    assert_eq!(reader.read_line().await.expect("it is open").expect("a line"), "a reply\n");
}

// ---- W7 -------------------------------------------------------------------------------------------

async fn close_delivers_although_input_was_unread<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, upload)) = on.pairs().await;
    // Some of it is in the reader's buffer, some has not been taken from the transport.
    for _ in 0..2 {
        upload.write(payload(0, LITTLE)).expect("the connection is open");
        upload.flush().await.expect("the transport takes this much");
        reader.peek(1).await.expect("the connection is open");
    }
    writer.write(payload(0, LITTLE)).expect("the connection is open");
    writer.close();
    writer.close();
    assert!(matches!(writer.write("more"), Err(WriteError::Closed)));
    // The peer does not know yet, and goes on: that must not cost it the reply.
    upload.write(payload(0, 100_000)).expect("the connection is open");
    upload.flush().await.expect("it is read and thrown away");
    expect(&mut far, 0, LITTLE).await;
    expect_end(&mut far).await;
    drop((far, upload));
    writer.wait_closed().await.expect("all was delivered");
}

async fn close_delivers_a_long_reply<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    writer.close();
    expect(&mut far, 0, written).await;
    expect_end(&mut far).await;
    drop((far, reply, reader));
    writer.wait_closed().await.expect("all was delivered");
}

async fn close_wakes_a_waiting_read<T: Transport, F: Facts>(on: Pairs<T, F>) {
    // The end of the linger would wake it, too.
    let linger = Linger { silence: FOR_EVER, total: FOR_EVER, bytes: u64::MAX };
    let ((mut reader, writer), far) =
        on.pairs_with(PairOptions { linger: Some(linger), ..PairOptions::default() }).await;
    far.1.write("part").expect("the connection is open");
    reader.peek(4).await.expect("the connection is open");
    let mut waiting = tokio::spawn(async move {
        let line = reader.read_line().await.expect("an end, and no error");
        (line.expect("what was buffered"), reader.read_line().await.expect("a clean end"))
    });
    assert!(in_a_while(&mut waiting).await.is_none(), "there is neither a line nor an end");
    writer.close();
    let (line, end) = waiting.await.expect("it returns");
    assert_eq!((line.as_ref(), end), (&b"part"[..], None));
    drop(far);
    writer.wait_closed().await.expect("all was delivered");
}

async fn dropped_halves_deliver_although_input_was_unread<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let (near, (mut far, upload)) = on.pairs().await;
    upload.write(payload(0, LITTLE)).expect("the connection is open");
    upload.flush().await.expect("the transport takes this much");
    near.1.write(payload(0, LONG)).expect("the connection is open");
    drop(near);
    expect(&mut far, 0, LONG).await;
    expect_end(&mut far).await;
    drop(upload);
}

async fn wait_closed_tells_everybody_the_same<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let other = writer.clone();
    let before = tokio::spawn(async move { other.wait_closed().await });
    assert!(once(writer.wait_closed()).is_none(), "it does not close");
    let written = clog(&mut reader, &writer, &reply).await;
    writer.close();
    assert!(once(writer.wait_closed()).is_none(), "the peer has not read");
    expect(&mut far, 0, written).await;
    expect_end(&mut far).await;
    drop((far, reply, reader));
    before.await.expect("it returns").expect("all was delivered");
    for _ in 0..2 {
        writer.wait_closed().await.expect("all was delivered");
    }
}

// ---- W8 -------------------------------------------------------------------------------------------

async fn abort_drops_the_queue_and_ends_our_reads<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    reply.write("line\npart").expect("the connection is open");
    assert_eq!(reader.read_line().await.expect("it is open").expect("a line"), "line\n");
    reader.peek(4).await.expect("the connection is open");
    // Unread, without which some transports do not tell their peer.
    reply.write("unread").expect("the connection is open");
    reply.flush().await.expect("the transport takes this much");
    writer.abort();
    assert_eq!(writer.queued(), 0);

    assert_eq!(reader.read(10).await.expect("what was buffered"), "part");
    for _ in 0..2 {
        let error = reader.read(10).await.expect_err("an abort is no end");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }
    let error = writer.wait_closed().await.expect_err("an abort is no end");
    assert_eq!(error.cause().kind(), io::ErrorKind::ConnectionAborted);
    let sent = written - usize::try_from(error.unsent()).expect("no more than was written");
    assert!(sent < written, "{} were queued", error.unsent());

    // The peer may lose what was sent, and does not take it for the whole where it is told.
    let (got, end) = read_out(&mut far).await;
    assert!(got <= sent, "{got} of {sent}");
    if let Some(reset) = on.reset {
        assert_eq!(end, (reset > Reset::Never).then_some(io::ErrorKind::ConnectionReset));
    }
}

async fn abort_resets<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    writer.abort();
    let (got, end) = read_out(&mut far).await;
    assert!(got < written, "{got} of {written}");
    assert_eq!(end, Some(io::ErrorKind::ConnectionReset));
}

/// What comes until the end, how many bytes, and whether it is an error.
async fn read_out<R: Source>(far: &mut StreamReader<R>) -> (usize, Option<io::ErrorKind>) {
    let mut got = 0;
    loop {
        match far.read(64 * 1024).await {
            Ok(bytes) if bytes.is_empty() => return (got, None),
            Ok(bytes) => {
                assert!(bytes == payload(got, bytes.len()), "other bytes than those sent");
                got += bytes.len();
            }
            Err(error) => return (got, Some(error.kind())),
        }
    }
}

async fn abort_wakes_a_waiting_read<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), far) = on.pairs().await;
    let mut waiting = tokio::spawn(async move { reader.read_line().await });
    assert!(in_a_while(&mut waiting).await.is_none());
    writer.abort();
    let error = waiting.await.expect("it returns").expect_err("an abort is no end");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionAborted);
    drop(far);
}
