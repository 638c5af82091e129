//! T2: the upgrade of a pair, without TLS: another transport in place of its own, or no connection at all.

use highwater_stream::{ReuniteReason, StreamReader, StreamWriter, TransportError, UpgradeError, Watermarks};
use highwater_testing::at_every_poll;
use highwater_tests::bounded::{bounded, one_thread, run, run_paused, settle};
use highwater_tests::transport::{Script, Scripted, reset, scripted, stalled_after};
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_test::{assert_pending, task};

type Pair = (StreamReader<highwater_stream::ReadHalf<Scripted>>, StreamWriter<Scripted>);
type Error = UpgradeError<Scripted, (), io::Error>;

fn a_pair() -> (Pair, Script) {
    let (transport, script) = scripted();
    (highwater_stream::pair(transport), script)
}

async fn same(io: Scripted, _ahead: bytes::Bytes) -> io::Result<Scripted> {
    Ok(io)
}

/// An upgrade in course, which goes on when told with what.
fn waiting_upgrade(
    (reader, writer): Pair,
) -> (tokio::task::JoinHandle<Result<Pair, Error>>, oneshot::Sender<io::Result<Scripted>>) {
    let (go_on, with) = oneshot::channel();
    let upgrade = reader.upgrade(writer, |old, _| async move {
        let upgraded = with.await.expect("the test says");
        drop(old);
        upgraded
    });
    (tokio::spawn(upgrade), go_on)
}

#[test]
fn t2_what_is_queued_is_flushed_to_the_old_transport_and_what_is_read_goes_to_the_closure() {
    run(async {
        let (transport, old) = stalled_after(0);
        let (mut reader, writer) = highwater_stream::pair(transport);
        old.arrive("command\nahead");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "command\n");
        writer.write("in plain").unwrap();
        let (new_transport, new) = scripted();
        let upgrade = reader.upgrade(writer, |io, ahead| async move {
            assert_eq!(ahead, "ahead");
            drop(io);
            Ok::<_, io::Error>(new_transport)
        });
        let upgrade = tokio::spawn(upgrade);
        settle().await;
        assert!(!old.is_gone());
        old.open();
        let (mut reader, writer) = upgrade.await.unwrap().unwrap();
        assert!(old.is_gone() && !old.was_reset());
        assert_eq!((old.delivered(), old.calls().shutdowns), (b"in plain".to_vec(), 0));
        assert_eq!(reader.buffered(), 0);
        new.arrive("fresh\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "fresh\n");
        // Nobody needs to flush.
        writer.write("afterwards").unwrap();
        settle().await;
        assert_eq!(new.delivered(), b"afterwards");
        new.arrive_end();
        writer.close();
        writer.wait_closed().await.unwrap();
        assert_eq!(new.calls().shutdowns, 1);
        assert_eq!(reader.read(1).await.unwrap(), "");
    });
}

#[test]
fn t2_a_refusal_leaves_both_halves_as_they_were() {
    fn refusal(error: Result<Pair, Error>) -> (Pair, ReuniteReason) {
        match error {
            Err(UpgradeError::Refused(refusal)) => ((refusal.reader, refusal.writer), refusal.reason),
            other => panic!("{other:?}"),
        }
    }

    run(async {
        let (one, _script) = a_pair();
        let (other, script) = a_pair();
        let (one, reason) = refusal(one.0.upgrade(other.1, same).await);
        assert!(matches!(reason, ReuniteReason::NotAPair));
        one.1.write("works on").unwrap();
        one.1.flush().await.unwrap();
        assert_eq!(script.delivered(), b"works on");

        let ((reader, writer), script) = a_pair();
        script.arrive("line\nbuffered");
        let mut reader = reader;
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "line\n");
        let clones = [writer.clone(), writer.clone()];
        let ((reader, writer), reason) = refusal(reader.upgrade(writer, same).await);
        assert!(matches!(reason, ReuniteReason::ClonesLeft(2)));
        assert_eq!(reader.unread_bytes(), b"buffered");
        drop(clones);
        let mut reader = reader;
        {
            let mut skip = task::spawn(reader.skip_until(b"\n"));
            assert_pending!(skip.poll());
        }
        let ((mut reader, writer), reason) = refusal(reader.upgrade(writer, same).await);
        assert!(matches!(reason, ReuniteReason::SkipInForce));
        script.arrive(" skipped\nkept");
        assert_eq!(reader.read_exactly(4).await.unwrap(), "kept");
        writer.write_eof().unwrap();
        let ((reader, writer), reason) = refusal(reader.upgrade(writer, same).await);
        assert!(matches!(reason, ReuniteReason::Ended));
        writer.close();
        let ((_reader, writer), reason) = refusal(reader.upgrade(writer, same).await);
        assert!(matches!(reason, ReuniteReason::Closed));
        script.arrive_end();
        writer.wait_closed().await.unwrap();

        let ((reader, writer), script) = a_pair();
        script.fail_writes(io::Error::from_raw_os_error(32));
        writer.write("lost").unwrap();
        let (_, reason) = refusal(reader.upgrade(writer, same).await);
        assert!(matches!(reason, ReuniteReason::Failed(error) if error.raw_os_error() == Some(32)));
    });
}

#[test]
fn t2_given_up_at_every_poll_the_connection_is_gone_and_nothing_queued_before_is_lost() {
    let cuts = at_every_poll(|polls| {
        run(async move {
            let (transport, script) = stalled_after(2);
            script.hold_flush();
            let (reader, writer) = highwater_stream::pair(transport);
            let weak = writer.downgrade();
            writer.write("abcdef").unwrap();
            let (go_on, with) = oneshot::channel::<()>();
            let mut go_on = Some(go_on);
            let upgrade = reader.upgrade(writer, |io, _| async {
                with.await.unwrap();
                Ok::<_, io::Error>(io)
            });
            let mut steps = 0;
            let step = || {
                steps += 1;
                match steps {
                    1 => script.allow(1),
                    2 => script.open(),
                    3 => script.release_flush(),
                    _ => drop(go_on.take().map(|go_on| go_on.send(()))),
                }
                settle()
            };
            let upgraded = polls.run_beside(upgrade, step).await;
            let ended = upgraded.is_some();
            if ended {
                let (reader, writer) = upgraded.unwrap().unwrap();
                writer.write("ghi").unwrap();
                drop((reader, writer));
            }
            script.open();
            script.release_flush();
            script.arrive_end();
            weak.wait_gone().await;
            assert!(script.is_gone());
            let expected: &[u8] = if ended { b"abcdefghi" } else { b"abcdef" };
            assert_eq!(script.delivered(), expected);
        });
    });
    assert!(cuts >= 4, "{cuts}");
}

#[test]
fn t2_what_weak_writers_write_meanwhile_goes_through_the_new_transport() {
    run(async {
        let (pair, old) = a_pair();
        let weak = pair.1.downgrade();
        let (upgrade, go_on) = waiting_upgrade(pair);
        settle().await;
        let writer = weak.upgrade().unwrap();
        writer.write("meanwhile").unwrap();
        let flushing = tokio::spawn(async move {
            let flushed = writer.flush().await;
            (writer, flushed)
        });
        settle().await;
        assert_eq!(old.taken(), b"");
        let (transport, new) = scripted();
        go_on.send(Ok(transport)).unwrap();
        let _halves = upgrade.await.unwrap().unwrap();
        let (writer, flushed) = flushing.await.unwrap();
        flushed.unwrap();
        assert_eq!((old.taken(), new.delivered()), (Vec::new(), b"meanwhile".to_vec()));
        assert!(writer.with_transport(|_| ()).is_some());
    });
}

#[test]
fn t2_a_write_eof_meanwhile_ends_the_new_transport() {
    run(async {
        let (pair, old) = a_pair();
        let weak = pair.1.downgrade();
        let (upgrade, go_on) = waiting_upgrade(pair);
        settle().await;
        let writer = weak.upgrade().unwrap();
        writer.write("the end").unwrap();
        writer.write_eof().unwrap();
        settle().await;
        let (transport, new) = scripted();
        go_on.send(Ok(transport)).unwrap();
        let (mut reader, _writer) = upgrade.await.unwrap().unwrap();
        settle().await;
        assert_eq!((new.delivered(), new.calls().shutdowns), (b"the end".to_vec(), 1));
        assert_eq!(old.calls().shutdowns, 0);
        new.arrive("reading goes on\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "reading goes on\n");
    });
}

fn is_closed(ended: Result<Pair, Error>) {
    match ended {
        Err(UpgradeError::Closed(error)) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
            assert!(!error.to_string().is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn t2_a_close_meanwhile_ends_it_and_the_transport_is_dropped_first() {
    run(async {
        let (pair, old) = a_pair();
        let weak = pair.1.downgrade();
        let (upgrade, _go_on) = waiting_upgrade(pair);
        settle().await;
        weak.close();
        // Nobody has polled the upgrade again: it still has the transport.
        assert!(!weak.is_gone() && !old.is_gone());
        weak.wait_gone().await;
        assert!(old.is_gone());
        is_closed(upgrade.await.unwrap());
        assert!(weak.upgrade().is_none());
    });
}

/// It does not wait for the upgrade, which may have been put aside and never be polled again.
#[test]
fn t2_an_abort_meanwhile_is_over_at_once() {
    run(async {
        let ((reader, writer), old) = a_pair();
        let weak = writer.downgrade();
        let mut upgrade = task::spawn(reader.upgrade(writer, |io, _| async move {
            std::future::pending::<()>().await;
            Ok::<_, io::Error>(io)
        }));
        assert_pending!(upgrade.poll());
        weak.abort();
        assert!(weak.is_gone());
        weak.wait_gone().await;
        assert!(upgrade.is_woken() && !old.is_gone());
        let ended = tokio_test::assert_ready!(upgrade.poll());
        assert!(matches!(ended, Err(UpgradeError::Closed(_))));
        assert!(old.is_gone());
    });
}

#[test]
fn t2_an_upgrade_that_fails_or_panics_ends_the_connection() {
    run(async {
        let (pair, old) = a_pair();
        let weak = pair.1.downgrade();
        let (upgrade, go_on) = waiting_upgrade(pair);
        settle().await;
        let writer = weak.upgrade().unwrap();
        writer.write("never sent").unwrap();
        go_on.send(Err(io::Error::other("no"))).unwrap();
        let Err(UpgradeError::Failed(error)) = upgrade.await.unwrap() else { panic!() };
        assert_eq!(error.to_string(), "no");
        assert!(old.is_gone() && weak.is_gone());
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!(error.unsent(), 10);
        assert!(writer.flush().await.is_err());
        let refused = io::Error::from(writer.write("more").unwrap_err());
        assert_eq!(refused.kind(), ErrorKind::ConnectionAborted);
        assert_eq!(refused.to_string(), "the upgrade of the connection failed, or was given up");

        for in_future in [false, true] {
            let ((reader, writer), old) = a_pair();
            let weak = writer.downgrade();
            let upgrade = reader.upgrade(writer, move |io, _| {
                assert!(in_future, "at once");
                async move {
                    tokio::task::yield_now().await;
                    assert!(!in_future, "in the future");
                    Ok::<_, io::Error>(io)
                }
            });
            assert!(tokio::spawn(upgrade).await.unwrap_err().is_panic());
            assert!(old.is_gone());
            weak.wait_gone().await;
        }
    });
}

#[test]
fn t2_a_runtime_that_ends_meanwhile_takes_the_connection_along() {
    bounded(|| {
        let runtime = one_thread();
        let (pair, old) = runtime.block_on(async { a_pair() });
        let weak = pair.1.downgrade();
        // The flusher has run, and waits.
        let pair = runtime.block_on(async {
            pair.1.write("before").unwrap();
            pair.1.flush().await.unwrap();
            pair
        });
        let (upgrade, _go_on) = runtime.block_on(async {
            let started = waiting_upgrade(pair);
            settle().await;
            started
        });
        drop(runtime);
        assert!(old.is_gone() && weak.is_gone());
        drop(upgrade);
        assert_eq!(old.delivered(), b"before");
    });
}

#[test]
fn t2_it_outlives_the_runtime_that_the_connection_was_made_in() {
    bounded(|| {
        let first = one_thread();
        let (pair, _old) = first.block_on(async {
            let (pair, old) = a_pair();
            pair.1.write("before").unwrap();
            pair.1.flush().await.unwrap();
            (pair, old)
        });
        let weak = pair.1.downgrade();
        let second = one_thread();
        second.block_on(async {
            let (upgrade, go_on) = waiting_upgrade(pair);
            settle().await;
            drop_elsewhere(first);
            let (transport, new) = scripted();
            weak.upgrade().unwrap().write("through the new one").unwrap();
            go_on.send(Ok(transport)).unwrap();
            let (_reader, writer) = upgrade.await.unwrap().unwrap();
            settle().await;
            assert_eq!(new.delivered(), b"through the new one");
            writer.write(", again").unwrap();
            settle().await;
            assert_eq!(new.delivered(), b"through the new one, again");
        });
    });
}

/// Who waits for the connection to be gone finds its transport gone, also when its runtime has ended.
#[test]
fn t2_a_close_is_over_when_the_transport_comes_to_its_end_and_not_when_the_runtime_does() {
    bounded(|| {
        let first = one_thread();
        let (pair, old) = first.block_on(async {
            let (pair, old) = a_pair();
            pair.1.write("before").unwrap();
            pair.1.flush().await.unwrap();
            (pair, old)
        });
        let weak = pair.1.downgrade();
        let (_go_on, with) = oneshot::channel::<io::Result<Scripted>>();
        let second = one_thread();
        second.block_on(async {
            let mut upgrade = task::spawn(pair.0.upgrade(pair.1, |io, _| async move {
                let upgraded = with.await.expect("the test says");
                drop(io);
                upgraded
            }));
            assert_pending!(upgrade.poll());
            weak.close();
            drop_elsewhere(first);
            assert!(!weak.is_gone() && !old.is_gone());
            assert!(upgrade.is_woken());
            let ended = tokio_test::assert_ready!(upgrade.poll());
            assert!(matches!(ended, Err(UpgradeError::Closed(_))));
            assert!(weak.is_gone() && old.is_gone());
        });
    });
}

/// A runtime is not dropped inside of another.
fn drop_elsewhere(runtime: tokio::runtime::Runtime) {
    std::thread::spawn(move || drop(runtime)).join().unwrap();
}

#[test]
fn t2_without_a_runtime_it_works_too() {
    bounded(|| {
        let ((reader, writer), old) = a_pair();
        writer.write("queued").unwrap();
        let (transport, new) = scripted();
        let upgrade = reader.upgrade(writer, |_, _| async { Ok::<_, io::Error>(transport) });
        let (_reader, writer) = futures::executor::block_on(upgrade).unwrap();
        writer.write("more").unwrap();
        futures::executor::block_on(writer.flush()).unwrap();
        assert_eq!((old.delivered(), new.delivered()), (b"queued".to_vec(), b"more".to_vec()));
    });
}

#[test]
fn t2_options_and_time_outs_stay() {
    run_paused(async {
        let (transport, _old) = scripted();
        let pair = highwater_stream::Pair::new(transport)
            .limit(1000)
            .watermarks(Watermarks::with_high(2000))
            .max_buffered(Some(3000))
            .read_timeout(Some(Duration::from_secs(5)))
            .write_timeout(Some(Duration::from_secs(7)))
            .on_abort(reset);
        let (reader, writer) = pair.split();
        let (transport, new) = stalled_after(0);
        let upgrade = reader.upgrade(writer, |_, _| async {
            // A read time-out is for reads.
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok::<_, io::Error>(transport)
        });
        let (mut reader, writer) = upgrade.await.unwrap();
        assert_eq!((reader.limit(), writer.watermarks().high()), (1000, 2000));
        assert!(writer.write(vec![0; 3001]).is_err());
        let start = tokio::time::Instant::now();
        assert_eq!(reader.read(1).await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 5);
        writer.write("stands still").unwrap();
        let start = tokio::time::Instant::now();
        let error: TransportError = writer.flush().await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::TimedOut, 7));
        drop((reader, writer));
        assert!(new.was_reset());
    });
}

/// The reader and the writer meet what becomes of the new transport, not of the old.
#[test]
fn t2_an_end_that_was_seen_before_is_not_that_of_the_new_transport() {
    run(async {
        let ((mut reader, writer), old) = a_pair();
        old.arrive_end();
        assert_eq!(reader.read(1).await.unwrap(), "");
        let (transport, new) = scripted();
        let upgrade = reader.upgrade(writer, |_, _| async { Ok::<_, io::Error>(transport) });
        let (mut reader, writer) = upgrade.await.unwrap();
        assert!(!reader.at_eof());
        new.arrive("goes on\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "goes on\n");
        writer.close();
        settle().await;
        // It lingers for the end of the new one.
        assert!(!new.is_gone());
        new.arrive_end();
        writer.wait_closed().await.unwrap();
    });
}
