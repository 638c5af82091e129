//! W4: `drain` waits above the high mark until the low one, and for nothing else.

use highwater_stream::{Pair, StreamWriter, Watermarks};
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{Script, Scripted, scripted, stalled_after};
use std::io;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};

/// A writer with the marks 100 and 25 over a transport that takes nothing, and `queued` bytes.
fn writer(queued: usize) -> (StreamWriter<Scripted>, Script) {
    let (transport, script) = stalled_after(0);
    let writer = StreamWriter::new(transport);
    writer.set_watermarks(Watermarks::with_high(100));
    writer.write(vec![b'x'; queued]).unwrap();
    (writer, script)
}

#[test]
fn w4_drain_waits_above_the_high_mark_and_not_at_it() {
    run(async {
        let (at, _script) = writer(100);
        assert_ready_ok!(task::spawn(at.drain()).poll());
        let (above, _script) = writer(101);
        assert_pending!(task::spawn(above.drain()).poll());
    });
}

#[test]
fn w4_drain_goes_on_at_the_low_mark_and_not_above_it() {
    run(async {
        let (writer, script) = writer(101);
        let mut drain = task::spawn(writer.drain());
        assert_pending!(drain.poll());
        script.allow(75);
        settle().await;
        assert_eq!((writer.queued(), drain.is_woken()), (26, false));
        assert_pending!(drain.poll());
        script.allow(1);
        settle().await;
        assert_eq!((writer.queued(), drain.is_woken()), (25, true));
        assert_ready_ok!(drain.poll());
    });
}

/// Once above the high mark, a new `drain` waits for the low mark too, like those before it.
#[test]
fn w4_between_the_marks_it_depends_on_where_the_queue_came_from() {
    run(async {
        let (writer, script) = writer(60);
        assert_ready_ok!(task::spawn(writer.drain()).poll());
        writer.write([b'x'; 41]).unwrap();
        script.allow(41);
        settle().await;
        assert_eq!(writer.queued(), 60);
        assert_pending!(task::spawn(writer.drain()).poll());
    });
}

#[test]
fn w4_all_who_wait_go_on() {
    run(async {
        let (writer, script) = writer(1000);
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let writer = writer.clone();
                tokio::spawn(async move { writer.drain().await })
            })
            .collect();
        settle().await;
        assert!(tasks.iter().all(|task| !task.is_finished()));
        script.allow(975);
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(writer.queued(), 25);
    });
}

#[test]
fn w4_drain_returns_at_once_and_sends_nothing_below_the_mark() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        assert_ready_ok!(task::spawn(writer.drain()).poll());
        writer.write([0; 64 * 1024]).unwrap();
        assert_ready_ok!(task::spawn(writer.drain()).poll());
        assert_eq!(script.calls().all, 0);
        writer.write("!").unwrap();
        assert_ready_ok!(task::spawn(writer.drain()).poll());
        assert_eq!(script.taken().len(), 64 * 1024 + 1);
    });
}

#[test]
fn w4_new_marks_take_effect_at_once() {
    run(async {
        let (writer, _script) = writer(101);
        let mut drain = task::spawn(writer.drain());
        assert_pending!(drain.poll());
        // A queue at the new low mark lets those go on that wait.
        writer.set_watermarks(Watermarks::new(200, 101).unwrap());
        assert!(drain.is_woken());
        assert_ready_ok!(drain.poll());
        assert_eq!((writer.watermarks().high(), writer.watermarks().low()), (200, 101));
        // A queue above the new high mark makes the next one wait, on each writer.
        writer.clone().set_watermarks(Watermarks::new(100, 25).unwrap());
        assert_pending!(task::spawn(writer.drain()).poll());
        // A queue between the marks goes on waiting.
        writer.set_watermarks(Watermarks::new(101, 100).unwrap());
        assert_pending!(task::spawn(writer.drain()).poll());
    });
}

#[test]
fn w4_marks_of_zero_wait_for_an_empty_queue() {
    run(async {
        let (writer, script) = writer(1);
        writer.set_watermarks(Watermarks::with_high(0));
        let mut drain = task::spawn(writer.drain());
        assert_pending!(drain.poll());
        script.open();
        settle().await;
        assert_ready_ok!(drain.poll());
    });
}

#[test]
fn w4_a_mark_left_out_follows_from_the_other() {
    run(async {
        let (writer, _script) = writer(0);
        writer.set_watermarks(Watermarks::with_low(1000));
        assert_eq!((writer.watermarks().high(), writer.watermarks().low()), (4000, 1000));
        writer.set_watermarks(Watermarks::with_high(1000));
        assert_eq!((writer.watermarks().high(), writer.watermarks().low()), (1000, 250));
        Watermarks::new(1, 2).unwrap_err();
        let (_reader, writer) = highwater_stream::pair(scripted().0);
        assert_eq!((writer.watermarks().high(), writer.watermarks().low()), (65_536, 16_384));
        let pair = Pair::new(scripted().0).watermarks(Watermarks::with_high(8));
        assert_eq!(pair.split().1.watermarks().low(), 2);
    });
}

#[test]
fn w4_drain_never_succeeds_for_bytes_that_were_thrown_away() {
    run(async {
        let (aborted, _script) = writer(101);
        let mut drain = task::spawn(aborted.drain());
        assert_pending!(drain.poll());
        aborted.clone().abort();
        assert!(drain.is_woken());
        assert_eq!(assert_ready_err!(drain.poll()).kind(), io::ErrorKind::ConnectionAborted);
        assert_ready_err!(task::spawn(aborted.drain()).poll());

        let (lost, script) = writer(101);
        let mut drain = task::spawn(lost.drain());
        assert_pending!(drain.poll());
        script.fail_writes(io::Error::from_raw_os_error(104));
        settle().await;
        assert!(drain.is_woken());
        assert_eq!(assert_ready_err!(drain.poll()).raw_os_error(), Some(104));
        assert_ready_err!(task::spawn(lost.drain()).poll());
    });
}

/// Whoever knows of a loss is told of it, whichever thread met it, and however little was queued.
#[test]
fn w4_a_loss_in_another_thread_is_never_success() {
    run(async {
        for _ in 0..100 {
            let (writer, _script) = writer(1);
            assert_ready_ok!(task::spawn(writer.drain()).poll());
            let other = writer.clone();
            std::thread::spawn(move || other.abort()).join().unwrap();
            assert_ready_err!(task::spawn(writer.drain()).poll());
        }
    });
}

/// What the transport was offered and has not taken counts like what it was not offered yet.
#[test]
fn w4_the_mark_is_met_to_the_byte_within_a_burst() {
    run(async {
        let (writer, script) = writer(60);
        settle().await;
        assert_eq!(script.taken().len(), 0);
        for _ in 0..40 {
            writer.write("x").unwrap();
            assert_ready_ok!(task::spawn(writer.drain()).poll());
        }
        writer.write("x").unwrap();
        assert_pending!(task::spawn(writer.drain()).poll());
    });
}

/// Closing throws nothing away: whoever drains goes on waiting for the same bytes.
#[test]
fn w4_drain_goes_on_through_close() {
    run(async {
        let (writer, script) = writer(101);
        let mut drain = task::spawn(writer.drain());
        assert_pending!(drain.poll());
        writer.close();
        assert_pending!(drain.poll());
        script.open();
        settle().await;
        assert_ready_ok!(drain.poll());
        writer.wait_closed().await.unwrap();
        assert_ready_ok!(task::spawn(writer.drain()).poll());
    });
}

#[test]
fn w4_drain_works_without_a_runtime() {
    bounded(|| {
        let (writer, script) = writer(101);
        let mut first = task::spawn(writer.drain());
        let mut second = task::spawn(writer.drain());
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        script.allow(76);
        // Nobody sends but those who wait: all of them are woken for that.
        assert!(first.is_woken() && second.is_woken());
        assert_ready_ok!(second.poll());
        assert!(first.is_woken());
        assert_ready_ok!(first.poll());
        assert_eq!(writer.queued(), 25);
    });
}
