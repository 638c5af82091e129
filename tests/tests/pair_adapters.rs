//! The halves as tokio's `AsyncRead` and `AsyncWrite`, for `copy`, `copy_bidirectional` and the rest.

use highwater_stream::{Pair, StreamReader, StreamWriter, Watermarks};
use highwater_tests::bounded::{run, settle};
use highwater_tests::transport::{scripted, stalled_after};
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, duplex, join};
use tokio_test::{assert_pending, assert_ready_ok, task};

fn pattern(length: u32) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

#[test]
fn w4_copy_into_a_writer_is_held_back_at_the_mark() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        writer.set_watermarks(Watermarks::with_high(10_000));
        let looker = writer.clone();
        let data = pattern(1_000_000);
        let source = data.clone();
        let task = tokio::spawn(async move {
            let mut writer = writer.into_async_write();
            let count = copy(&mut &source[..], &mut writer).await.unwrap();
            writer.shutdown().await.unwrap();
            count
        });
        settle().await;
        assert!(looker.queued() > 10_000 && looker.queued() <= 20_000, "{}", looker.queued());
        script.open();
        assert_eq!(task.await.unwrap(), 1_000_000);
        drop(looker);
        assert!(script.delivered() == data);
    });
}

#[test]
fn w5_flush_and_shutdown_of_the_adapter() {
    run(async {
        let (transport, script) = scripted();
        script.hold_flush();
        let (_reader, writer) = highwater_stream::pair(transport);
        let mut writer = writer.into_async_write();
        writer.write_all(b"held back").await.unwrap();
        {
            let mut flush = task::spawn(writer.flush());
            assert_pending!(flush.poll());
            settle().await;
            assert_pending!(flush.poll());
            script.release_flush();
            settle().await;
            assert_ready_ok!(flush.poll());
        }
        writer.write_all(b", and more").await.unwrap();
        writer.shutdown().await.unwrap();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"held back, and more".to_vec(), 1));
        assert_eq!(writer.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(writer.into_inner().write("x").is_err());
    });
}

/// What tokio's contract says of a flush that is polled, given up, and asked for again later.
#[test]
fn w5_a_flush_of_the_adapter_that_was_given_up_does_not_cut_the_next_one_short() {
    run(async {
        let (transport, script) = stalled_after(0);
        let mut writer = StreamWriter::new(transport).into_async_write();
        writer.write_all(b"one").await.unwrap();
        {
            let mut flush = task::spawn(writer.flush());
            assert_pending!(flush.poll());
        }
        writer.write_all(b"two").await.unwrap();
        let mut flush = task::spawn(writer.flush());
        assert_pending!(flush.poll());
        script.allow(3);
        settle().await;
        assert_pending!(flush.poll());
        script.open();
        settle().await;
        assert_ready_ok!(flush.poll());
    });
}

#[test]
fn w6_shutdown_of_the_adapter_closes_where_a_half_cannot_end() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = Pair::new(transport).can_write_eof(false).split();
        let mut writer = writer.into_async_write();
        writer.write_all(b"all").await.unwrap();
        writer.shutdown().await.unwrap();
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"all".to_vec(), 1));
        assert_eq!(reader.read(1).await.unwrap(), "");
    });
}

#[test]
fn w9_the_adapter_keeps_the_number_of_an_error() {
    run(async {
        let (transport, script) = scripted();
        script.fail_writes(io::Error::from_raw_os_error(104));
        let mut writer = StreamWriter::new(transport).into_async_write();
        writer.write_all(b"x").await.unwrap();
        assert_eq!(writer.flush().await.unwrap_err().raw_os_error(), Some(104));
        assert_eq!(writer.write_all(b"x").await.unwrap_err().raw_os_error(), Some(104));
        assert_eq!(writer.shutdown().await.unwrap_err().raw_os_error(), Some(104));
    });
}

#[test]
fn w2_copy_bidirectional_between_two_pairs_is_a_proxy() {
    run(async {
        let (client, client_side) = duplex(1000);
        let (server_side, server) = duplex(100);
        let proxy = tokio::spawn(async move {
            let (reader, writer) = highwater_stream::pair(client_side);
            let mut towards_client = join(reader.into_async_read(), writer.into_async_write());
            let (reader, writer) = highwater_stream::pair(server_side);
            let mut towards_server = join(reader.into_async_read(), writer.into_async_write());
            copy_bidirectional(&mut towards_client, &mut towards_server).await.unwrap()
        });
        let (mut answer, question) = highwater_stream::pair(client);
        let (mut asked, reply) = highwater_stream::pair(server);
        let (sent, returned) = (pattern(300_000), pattern(200_001));
        question.write(sent.clone()).unwrap();
        question.write_eof().unwrap();
        reply.write(returned.clone()).unwrap();
        let (got_there, got_back) = tokio::join!(
            async {
                let got = asked.read_to_end(1 << 20).await.unwrap();
                reply.write_eof().unwrap();
                got
            },
            answer.read_to_end(1 << 20),
        );
        assert!(got_there == sent && got_back.unwrap() == returned);
        assert_eq!(proxy.await.unwrap(), (300_000, 200_001));
    });
}

#[test]
fn r4_the_reading_adapter_delivers_what_was_buffered_first_and_then_the_error() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, _writer) = highwater_stream::pair(transport);
        script.arrive("head\nbo");
        script.arrive("dy");
        script.arrive_error(io::Error::from_raw_os_error(104));
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "head\n");
        let mut all = Vec::new();
        let error = reader.as_async_read().read_to_end(&mut all).await.unwrap_err();
        assert_eq!((&all[..], error.raw_os_error()), (&b"body"[..], Some(104)));
        let error = reader.as_async_read().fill_buf().await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(104));
    });
}

/// Borrowed, it leaves in the reader what it did not consume.
#[test]
fn r4_the_reading_adapter_loses_nothing_between_borrows() {
    run(async {
        let mut reader = StreamReader::new(&b"one\ntwo\nthree"[..]);
        let mut line = String::new();
        reader.as_async_read().read_line(&mut line).await.unwrap();
        assert_eq!(line, "one\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "two\n");
        let mut few = [0; 2];
        reader.as_async_read().read_exact(&mut few).await.unwrap();
        assert_eq!((&few, &reader.read_to_end(10).await.unwrap()[..]), (b"th", &b"ree"[..]));
    });
}

#[test]
fn w6_shutdown_waits_until_our_half_is_ended() {
    run(async {
        let (transport, script) = scripted();
        script.hold_shutdown();
        let (_reader, writer) = highwater_stream::pair(transport);
        let mut writer = writer.into_async_write();
        let mut shutdown = task::spawn(writer.shutdown());
        assert_pending!(shutdown.poll());
        settle().await;
        assert_pending!(shutdown.poll());
        script.open();
        script.fail_shutdown(io::Error::other("no goodbye"));
        let error = shutdown.await.unwrap_err();
        assert_eq!(error.to_string(), "no goodbye");
    });
}

#[test]
fn w3_a_mark_of_zero_is_no_wish_for_a_byte_at_a_time() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = Pair::new(transport).watermarks(Watermarks::with_high(0)).split();
        writer.into_async_write().write_all(&pattern(100_000)).await.unwrap();
        settle().await;
        assert_eq!(script.delivered(), pattern(100_000));
        assert!(script.calls().writes <= 20, "{} writes", script.calls().writes);
    });
}

#[test]
fn w10_a_copy_goes_on_below_the_cap() {
    run(async {
        let (near, mut far) = duplex(1000);
        let (_reader, writer) = Pair::new(near).max_buffered(Some(3000)).split();
        let copied = tokio::spawn(async move {
            let mut writer = writer.into_async_write();
            copy(&mut &pattern(100_000)[..], &mut writer).await.unwrap();
            writer.shutdown().await.unwrap();
        });
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, pattern(100_000));
        copied.await.unwrap();
    });
}
