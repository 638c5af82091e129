//! The writer as a `Sink<Bytes>`: `poll_ready` is `drain`, `start_send` is `write`, `poll_flush` is
//! `flush`, `poll_close` is `close` and `wait_closed`.

use bytes::Bytes;
use futures::{SinkExt, StreamExt, TryStreamExt, stream};
use highwater_stream::{Pair, StreamWriter, Watermarks, WriteError};
use highwater_tests::bounded::{run, settle};
use highwater_tests::transport::{Script, Scripted, scripted, stalled_after};
use tokio::io::{AsyncReadExt, duplex};
use tokio_test::{assert_pending, assert_ready_ok, task};

fn sink(room: usize) -> (StreamWriter<Scripted>, Script) {
    let (transport, script) = stalled_after(room);
    (StreamWriter::new(transport), script)
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn w5_send_flushes_and_feed_does_not() {
    run(async {
        let (transport, script) = scripted();
        let mut writer = StreamWriter::new(transport);
        writer.feed(bytes("one ")).await.unwrap();
        writer.feed(bytes("two ")).await.unwrap();
        assert_eq!(script.calls().all, 0);
        writer.send(bytes("three")).await.unwrap();
        assert_eq!(script.delivered(), b"one two three");
        SinkExt::flush(&mut writer).await.unwrap();
    });
}

#[test]
fn w4_feed_waits_above_the_high_mark() {
    run(async {
        let (mut writer, script) = sink(0);
        writer.set_watermarks(Watermarks::with_high(4));
        writer.feed(bytes("12345")).await.unwrap();
        {
            let mut feed = task::spawn(writer.feed(bytes("6")));
            assert_pending!(feed.poll());
            script.allow(4);
            settle().await;
            assert!(feed.is_woken());
            assert_ready_ok!(feed.poll());
        }
        assert_eq!((script.taken(), writer.queued()), (b"1234".to_vec(), 2));
    });
}

#[test]
fn w7_closing_the_sink_delivers_and_waits() {
    run(async {
        let (transport, script) = stalled_after(2);
        script.arrive_end();
        let (_reader, mut writer) = highwater_stream::pair(transport);
        writer.feed(bytes("abcd")).await.unwrap();
        let mut close = task::spawn(async move {
            SinkExt::close(&mut writer).await.unwrap();
            writer
        });
        assert_pending!(close.poll());
        script.open();
        settle().await;
        let std::task::Poll::Ready(mut writer) = close.poll() else { panic!("still closing") };
        assert!(script.is_gone());
        assert_eq!(script.delivered(), b"abcd");
        assert!(matches!(writer.send(bytes("more")).await, Err(WriteError::Closed)));
        SinkExt::close(&mut writer).await.unwrap();
    });
}

#[test]
fn w2_forward_delivers_a_stream() {
    run(async {
        let (near, far) = tokio::io::duplex(16);
        let (_reader, writer) = highwater_stream::pair(near);
        let (mut peer, _reply) = highwater_stream::pair(far);
        let messages = stream::iter(0..1000).map(|number| Ok(Bytes::from(format!("{number}\n"))));
        let forward = tokio::spawn(messages.forward(writer));
        let lines: Vec<_> = peer.lines().try_collect().await.unwrap();
        assert_eq!(lines.len(), 1000);
        assert!(lines.iter().enumerate().all(|(number, line)| *line == format!("{number}\n")));
        drop((peer, _reply));
        forward.await.unwrap().unwrap();
    });
}

#[test]
fn w5_a_flush_that_was_given_up_does_not_cut_the_next_one_short() {
    run(async {
        let (mut writer, script) = sink(0);
        {
            let mut send = task::spawn(writer.send(bytes("one")));
            assert_pending!(send.poll());
        }
        writer.feed(bytes("two")).await.unwrap();
        let mut flush = task::spawn(SinkExt::flush(&mut writer));
        assert_pending!(flush.poll());
        script.allow(3);
        settle().await;
        assert_pending!(flush.poll());
        script.allow(3);
        settle().await;
        assert_ready_ok!(flush.poll());
        assert_eq!(script.delivered(), b"onetwo");
    });
}

/// Not through the sink, but before the flush all the same.
#[test]
fn w5_a_flush_that_was_given_up_does_not_leave_out_what_was_written_since() {
    run(async {
        let (mut writer, script) = sink(0);
        {
            let mut send = task::spawn(writer.send(bytes("one")));
            assert_pending!(send.poll());
        }
        writer.write("two").unwrap();
        writer.clone().write("three").unwrap();
        let mut flush = task::spawn(SinkExt::flush(&mut writer));
        assert_pending!(flush.poll());
        script.allow(3);
        settle().await;
        assert_pending!(flush.poll());
        script.allow(8);
        settle().await;
        assert_ready_ok!(flush.poll());
        assert_eq!(script.delivered(), b"onetwothree");
    });
}

/// A send that is given up takes its message with it or has queued it, and nobody else stays asleep.
#[test]
fn w4_a_send_that_was_given_up_leaves_the_others_awake() {
    run(async {
        let (mut writer, script) = sink(0);
        writer.set_watermarks(Watermarks::with_high(4));
        writer.write("12345").unwrap();
        let other = writer.clone();
        let mut drain = task::spawn(other.drain());
        {
            let mut send = task::spawn(writer.send(bytes("never queued")));
            assert_pending!(send.poll());
            assert_pending!(drain.poll());
        }
        script.open();
        settle().await;
        assert!(drain.is_woken());
        assert_ready_ok!(drain.poll());
        assert_eq!(script.delivered(), b"12345");
    });
}

#[test]
fn w10_a_full_queue_refuses_a_send() {
    run(async {
        let (transport, _script) = stalled_after(0);
        let (_reader, mut writer) = Pair::new(transport).max_buffered(Some(4)).split();
        writer.feed(bytes("123")).await.unwrap();
        assert!(matches!(writer.feed(bytes("45")).await, Err(WriteError::Full { queued: 3, .. })));
    });
}

#[test]
fn w10_a_full_queue_makes_a_sink_wait_for_room() {
    run(async {
        let (near, mut far) = duplex(1);
        let (_reader, mut writer) = Pair::new(near).max_buffered(Some(4)).split();
        let sent = tokio::spawn(async move {
            for _ in 0..100 {
                writer.feed(bytes("x")).await.unwrap();
            }
            writer.flush().await.unwrap();
        });
        let mut all = [0; 100];
        far.read_exact(&mut all).await.unwrap();
        assert_eq!(all, [b'x'; 100]);
        sent.await.unwrap();
    });
}

#[test]
fn w10_a_larger_cap_wakes_who_waits_for_room() {
    run(async {
        let (transport, _script) = stalled_after(0);
        let (_reader, mut writer) = Pair::new(transport).max_buffered(Some(4)).split();
        let other = writer.clone();
        writer.feed(bytes("1234")).await.unwrap();
        let mut feeding = task::spawn(writer.feed(bytes("5")));
        assert_pending!(feeding.poll());
        other.set_max_buffered(Some(5));
        assert!(feeding.is_woken());
        assert_ready_ok!(feeding.poll());
    });
}
