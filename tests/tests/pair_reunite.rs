//! Reuniting: the transport comes back with the unread bytes, after everything was flushed; a refusal
//! gives both halves back, and they work on.

use highwater_stream::{ReuniteReason, WriteError};
use highwater_testing::at_every_poll;
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{reset, scripted, stalled_after};
use std::error::Error;
use std::io;
use tokio_test::{assert_pending, task};

#[test]
fn w5_reuniting_flushes_first_and_returns_what_is_unread() {
    run(async {
        let (transport, script) = stalled_after(0);
        script.hold_flush();
        script.arrive("one\nunread");
        let (mut reader, writer) = highwater_stream::pair(transport);
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "one\n");
        writer.write("queued").unwrap();
        let mut reunite = task::spawn(reader.reunite(writer));
        assert_pending!(reunite.poll());
        script.open();
        settle().await;
        assert_pending!(reunite.poll());
        script.release_flush();
        let reunited = reunite.await.unwrap();
        assert_eq!(reunited.buffer.unread_bytes(), b"unread");
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"queued".to_vec(), 0));
        // The task that sent has ended, and whoever has the transport makes of it what it likes.
        settle().await;
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
        assert!(!script.is_gone());
        let (reader, writer) = highwater_stream::pair(reunited.transport);
        writer.write(", again").unwrap();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"queued, again");
        drop(reader);
    });
}

#[test]
fn w1_reuniting_works_without_a_runtime() {
    bounded(|| {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        writer.write("queued").unwrap();
        let reunited = futures::executor::block_on(reader.reunite(writer)).unwrap();
        assert_eq!(script.delivered(), b"queued");
        drop(reunited);
        assert!(script.is_gone());
    });
}

#[test]
fn w9_a_weak_writer_learns_of_it() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        let reunited = reader.reunite(writer).await.unwrap();
        weak.wait_gone().await;
        assert!(weak.is_gone() && weak.upgrade().is_none());
        weak.close();
        weak.abort();
        settle().await;
        assert!(!script.is_gone());
        drop(reunited);
    });
}

#[test]
fn w2_every_refusal_gives_back_halves_that_work_on() {
    run(async {
        // Two of different pairs.
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        let (other, _script) = scripted();
        let (other_reader, other_writer) = highwater_stream::pair(other);
        writer.write("before").unwrap();
        let refused = reader.reunite(other_writer).await.unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::NotAPair));
        let (reader, other_writer) = (refused.reader, refused.writer);
        other_writer.write("works on").unwrap();
        drop((other_reader, other_writer));

        // With clones left.
        let clones = [writer.clone(), writer.clone()];
        let refused = reader.reunite(writer).await.unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::ClonesLeft(2)));
        let (mut reader, writer) = (refused.reader, refused.writer);
        drop(clones);

        // With a skip in force, which stays in force.
        script.arrive("skipped");
        {
            let mut skip = task::spawn(reader.skip_until(b"\n"));
            assert_pending!(skip.poll());
        }
        let refused = reader.reunite(writer).await.unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::SkipInForce));
        let (mut reader, writer) = (refused.reader, refused.writer);
        script.arrive(" too\nkept");
        assert_eq!(reader.read(4).await.unwrap(), "kept");

        writer.write(" and after").unwrap();
        let reunited = reader.reunite(writer).await.unwrap();
        assert_eq!(script.delivered(), b"before and after");
        drop(reunited);
    });
}

#[test]
fn w9_a_connection_that_failed_or_closed_is_refused() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        script.fail_writes(io::Error::from_raw_os_error(104));
        writer.write("lost").unwrap();
        let refused = reader.reunite(writer).await.unwrap_err();
        let ReuniteReason::Failed(error) = &refused.reason else { panic!("{refused:?}") };
        assert_eq!(error.raw_os_error(), Some(104));
        assert_eq!(refused.source().unwrap().to_string(), error.to_string());
        assert!(matches!(refused.writer.write("x"), Err(WriteError::Transport(_))));

        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        script.arrive_end();
        writer.close();
        let refused = reader.reunite(writer).await.unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::Closed));
        refused.writer.wait_closed().await.unwrap();

        let (transport, _script) = scripted();
        let (reader, writer) = highwater_stream::Pair::new(transport).on_abort(reset).split();
        writer.abort();
        let refused = reader.reunite(writer).await.unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::Failed(_)));
    });
}

/// A weak writer that writes while the flush goes on: that was accepted, so it is sent.
#[test]
fn w2_what_is_accepted_while_reuniting_is_sent_or_reuniting_is_refused() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        writer.write("before").unwrap();
        let reunite = tokio::spawn(reader.reunite(writer));
        settle().await;
        weak.upgrade().unwrap().write(" during").unwrap();
        script.allow(6);
        settle().await;
        script.open();
        let end = reunite.await.unwrap();
        settle().await;
        assert_eq!(script.delivered(), b"before during");
        drop(end);
    });
}

#[test]
fn w2_a_clone_made_while_reuniting_is_not_left_without_a_transport() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        writer.write("before").unwrap();
        let reunite = tokio::spawn(reader.reunite(writer));
        settle().await;
        let clone = weak.upgrade().unwrap();
        script.open();
        let refused = reunite.await.unwrap().unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::ClonesLeft(1)));
        clone.write(" and after").unwrap();
        clone.flush().await.unwrap();
        assert_eq!(script.delivered(), b"before and after");
    });
}

/// Given up, both halves are dropped: what was queued is delivered, and the connection closes.
#[test]
fn w7_given_up_at_every_poll_it_closes_gracefully() {
    let cuts = at_every_poll(|polls| {
        run(async move {
            let (transport, script) = stalled_after(2);
            script.hold_flush();
            let (reader, writer) = highwater_stream::pair(transport);
            let weak = writer.downgrade();
            writer.write("abcdef").unwrap();
            let mut steps = 0;
            let step = || {
                steps += 1;
                match steps {
                    1 => script.allow(1),
                    2 => script.open(),
                    _ => script.release_flush(),
                }
                settle()
            };
            match polls.run_beside(reader.reunite(writer), step).await {
                Some(reunited) => {
                    assert_eq!(script.delivered(), b"abcdef");
                    drop(reunited.unwrap());
                }
                None => {
                    script.open();
                    script.release_flush();
                    script.arrive_end();
                    weak.wait_gone().await;
                    assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcdef".to_vec(), 1));
                }
            }
        });
    });
    assert!(cuts >= 3, "{cuts}");
}

#[test]
fn w6_an_end_that_was_written_is_not_taken_back() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        writer.write("the end").unwrap();
        writer.write_eof().unwrap();
        let refusal = reader.reunite(writer).await.unwrap_err();
        assert!(matches!(refusal.reason, ReuniteReason::Ended), "{:?}", refusal.reason);
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"the end".to_vec(), 1));
    });
}
