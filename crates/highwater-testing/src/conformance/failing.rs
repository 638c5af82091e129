//! W9, W11: the first error is kept, and no wait is without an end.
//!
//! The time-outs are short and the clock is the real one: what happens is asserted, never when.

use super::check::{Check, checks};
use super::maker::{Facts, PairOptions, Pairs, Transport};
use super::stream::{clog, payload};
use highwater_stream::{TransportError, WriteError};
use std::io;
use std::time::Duration;

pub(super) fn checks<T: Transport, F: Facts>() -> Vec<Check<Pairs<T, F>>> {
    let checks = checks!["w9":
        the_first_error_is_told_every_time,
        writing_after_the_end_is_refused,
    ];
    let checks = checks.into_iter().chain(checks!["w11":
        a_delivery_that_stands_still_is_given_up,
        a_delivery_that_nobody_waits_for_is_given_up,
        a_read_time_out_loses_nothing,
        a_write_time_out_ends_the_connection,
    ]);
    checks.collect()
}

const SOON: Duration = Duration::from_millis(5);

// ---- W9 -------------------------------------------------------------------------------------------

async fn the_first_error_is_told_every_time<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (_far, reply)) = on.pairs().await;
    reply.abort();
    let first = loop {
        match writer.write(payload(0, 1000)) {
            Ok(()) => {}
            Err(WriteError::Transport(error)) => break error,
            Err(error) => panic!("{error}"),
        }
        if let Err(error) = writer.flush().await {
            break error;
        }
    };
    let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    assert!(kinds.contains(&first.kind()), "{first}");
    let is_first = |error: &TransportError| {
        assert_eq!((error.kind(), error.raw_os_error()), (first.kind(), first.raw_os_error()));
    };
    for _ in 0..2 {
        match writer.write("more") {
            Err(WriteError::Transport(error)) => is_first(&error),
            other => panic!("{other:?}"),
        }
        is_first(&writer.drain().await.expect_err("the connection is lost"));
        is_first(&writer.flush().await.expect_err("the connection is lost"));
        is_first(writer.wait_closed().await.expect_err("the connection is lost").cause());
        is_first(&reader.read(1).await.expect_err("the halves share their loss"));
    }
}

async fn writing_after_the_end_is_refused<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let (near, far) = on.pairs().await;
    near.1.write_eof().expect("the connection is open");
    assert!(matches!(near.1.write("more"), Err(WriteError::Ended)));
    near.1.close();
    assert!(matches!(near.1.write("more"), Err(WriteError::Closed)));
    far.1.abort();
    assert!(matches!(
        far.1.write("more"),
        Err(WriteError::Transport(error)) if error.kind() == io::ErrorKind::ConnectionAborted
    ));
}

// ---- W11 ------------------------------------------------------------------------------------------

async fn a_delivery_that_stands_still_is_given_up<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let options = PairOptions { delivery_timeout: Some(SOON), ..PairOptions::default() };
    let ((mut reader, writer), far) = on.clogged_with(options).await;
    clog(&mut reader, &writer, &far.1).await;
    writer.close();
    for _ in 0..2 {
        let error = writer.wait_closed().await.expect_err("the peer never reads");
        assert_eq!(error.cause().kind(), io::ErrorKind::TimedOut);
        assert!(error.unsent() > 0);
    }
    drop((reader, far));
}

async fn a_delivery_that_nobody_waits_for_is_given_up<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let options = PairOptions { delivery_timeout: Some(SOON), ..PairOptions::default() };
    let ((mut reader, writer), far) = on.clogged_with(options).await;
    clog(&mut reader, &writer, &far.1).await;
    let weak = writer.downgrade();
    drop(writer);
    // The reader is told: an end that was forced is no end.
    assert_eq!(reader.read(1).await.expect_err("it was given up").kind(), io::ErrorKind::TimedOut);
    weak.wait_gone().await;
    drop(far);
}

async fn a_read_time_out_loses_nothing<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let options = PairOptions { read_timeout: Some(SOON), ..PairOptions::default() };
    let ((mut reader, writer), far) = on.pairs_with(options).await;
    far.1.write("part").expect("the connection is open");
    while reader.buffered() < 4 {
        let is_there = reader.peek(4).await.map(<[u8]>::len);
        assert!(is_there.is_ok_and(|length| length == 4) || reader.buffered() < 4);
    }
    for _ in 0..2 {
        let error = io::Error::from(reader.read_line().await.expect_err("no line ever comes"));
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(reader.unread_bytes(), b"part");
    }
    far.1.write("ly\n").expect("the connection is open");
    let line = loop {
        // On a slow machine it may run out again.
        if let Ok(line) = reader.read_line().await {
            break line;
        }
    };
    assert_eq!(line.expect("a line"), "partly\n");
    drop(writer);
}

async fn a_write_time_out_ends_the_connection<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let options = PairOptions { write_timeout: Some(SOON), ..PairOptions::default() };
    let ((reader, writer), far) = on.clogged_with(options).await;
    let mut written = 0;
    let error = loop {
        if let Err(WriteError::Transport(error)) = writer.write(payload(written, 64 * 1024)) {
            break error;
        }
        written += 64 * 1024;
        if let Err(error) = writer.drain().await {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let closed = writer.wait_closed().await.expect_err("the peer never reads");
    assert_eq!(closed.cause().kind(), io::ErrorKind::TimedOut);
    assert!(closed.unsent() > 0 && closed.unsent() <= written as u64);
    drop((reader, far));
}
