//! W1, W2, W3: what is written is queued at once, leaves by itself, whole and in order.

use super::check::{Check, Needs, checks};
use super::maker::{Facts, Pairs, Transport};
use super::stream::{clog, expect, expect_end, payload};
use std::thread;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;

pub(super) fn checks<T: Transport, F: Facts>() -> Vec<Check<Pairs<T, F>>> {
    let checks = checks!["w1":
        a_write_to_a_peer_that_does_not_read_returns_at_once,
        messages_of_several_tasks_never_interleave,
        a_thread_without_a_runtime_writes,
    ];
    let checks = checks.into_iter().chain(checks!["w2":
        what_was_written_leaves_while_the_handler_waits_for_something_else,
        what_was_written_leaves_while_the_handler_only_reads,
        what_was_written_leaves_when_the_handler_returns,
    ]);
    let checks = checks.chain(
        checks!["w2": what_was_written_leaves_when_the_writer_is_dropped]
            .map(|check| check.needs(Needs::HalfClose)),
    );
    let checks = checks.chain(checks!["w3":
        many_small_writes_are_queued_and_arrive_in_order,
        long_and_short_payloads_arrive_in_order,
    ]);
    checks.collect()
}

/// Whether nobody sends while the check itself does not wait.
pub(super) fn is_alone() -> bool {
    Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread
}

// ---- W1 -------------------------------------------------------------------------------------------

async fn a_write_to_a_peer_that_does_not_read_returns_at_once<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let mut written = clog(&mut reader, &writer, &reply).await;
    for length in [1, 100_000, 3] {
        writer.write(payload(written, length)).expect("there is no cap");
        written += length;
    }
    assert!(writer.queued() > writer.watermarks().high());
    expect(&mut far, 0, written).await;
    drop((reader, writer, reply));
    expect_end(&mut far).await;
}

async fn messages_of_several_tasks_never_interleave<T: Transport, F: Facts>(on: Pairs<T, F>) {
    const TASKS: usize = 6;
    const EACH: usize = 60;
    let message = |task: usize, number: usize| {
        let padding = "x".repeat((task * 977 + number * 331) % 5000);
        format!("{task} {number} {padding}\n")
    };
    let ((reader, writer), (mut far, reply)) = on.pairs().await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let writer = writer.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    writer.write(message(task, number)).expect("the connection is open");
                    writer.drain().await.expect("the connection is open");
                }
            })
        })
        .collect();
    drop((reader, writer));
    let mut next = [0; TASKS];
    while let Some(line) = far.read_line().await.expect("whole lines, and a clean end") {
        let task = usize::from(line[0] - b'0');
        assert_eq!(line, message(task, next[task]), "the next message of this task, in one piece");
        next[task] += 1;
    }
    assert_eq!(next, [EACH; TASKS]);
    for task in tasks {
        task.await.expect("it has written all");
    }
    drop(reply);
}

async fn a_thread_without_a_runtime_writes<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((reader, writer), (mut far, reply)) = on.pairs().await;
    let writing = thread::spawn(move || {
        assert!(Handle::try_current().is_err());
        writer.write("from a thread\n").expect("the connection is open");
        writer
    });
    // A write never waits, and a paused clock does not wait for a thread.
    let writer = writing.join().expect("it has written");
    let line = far.read_line().await.expect("the connection is open");
    assert_eq!(line.expect("a line"), "from a thread\n");
    drop((reader, reply, writer));
}

// ---- W2 -------------------------------------------------------------------------------------------

const LINE: &str = "one line, and that is all\n";

async fn what_was_written_leaves_while_the_handler_waits_for_something_else<T: Transport, F: Facts>(
    on: Pairs<T, F>,
) {
    let (near, (mut far, reply)) = on.pairs().await;
    let (go_on, wait) = oneshot::channel::<()>();
    let handler = tokio::spawn(async move {
        near.1.write(LINE).expect("the connection is open");
        wait.await.expect("the test lets it go on");
        drop(near);
    });
    assert_eq!(far.read_line().await.expect("the connection is open").expect("a line"), LINE);
    go_on.send(()).expect("it waits");
    handler.await.expect("it returns");
    drop(reply);
}

async fn what_was_written_leaves_while_the_handler_only_reads<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.pairs().await;
    let handler = tokio::spawn(async move {
        writer.write(LINE).expect("the connection is open");
        let line = reader.read_line().await;
        drop(writer);
        line
    });
    assert_eq!(far.read_line().await.expect("the connection is open").expect("a line"), LINE);
    reply.write("go on\n").expect("the connection is open");
    let line = handler.await.expect("it returns").expect("the connection is open");
    assert_eq!(line.expect("a line"), "go on\n");
}

async fn what_was_written_leaves_when_the_writer_is_dropped<T: Transport, F: Facts>(on: Pairs<T, F>) {
    const LENGTH: usize = 1024 * 1024;
    let ((mut reader, writer), (mut far, reply)) = on.pairs().await;
    writer.write(payload(0, LENGTH)).expect("the connection is open");
    drop(writer);
    expect(&mut far, 0, LENGTH).await;
    expect_end(&mut far).await;
    // Only our half has ended.
    reply.write("a reply\n").expect("the connection is open");
    assert_eq!(reader.read_line().await.expect("the connection is open").expect("a line"), "a reply\n");
}

async fn what_was_written_leaves_when_the_handler_returns<T: Transport, F: Facts>(on: Pairs<T, F>) {
    const LENGTH: usize = 1024 * 1024;
    let (near, (mut far, reply)) = on.pairs().await;
    near.1.write(payload(0, LENGTH)).expect("the connection is open");
    drop(near);
    expect(&mut far, 0, LENGTH).await;
    expect_end(&mut far).await;
    drop(reply);
}

// ---- W3 -------------------------------------------------------------------------------------------

async fn many_small_writes_are_queued_and_arrive_in_order<T: Transport, F: Facts>(on: Pairs<T, F>) {
    const WRITES: usize = 10_000;
    let ((reader, writer), (mut far, reply)) = on.pairs().await;
    for index in 0..WRITES {
        writer.write(payload(index * 5, 5)).expect("the connection is open");
        writer.drain().await.expect("the connection is open");
    }
    if is_alone() {
        assert_eq!(writer.queued(), WRITES * 5, "below the mark nothing is sent before the task yields");
    }
    expect(&mut far, 0, WRITES * 5).await;
    drop((reader, writer, reply));
    expect_end(&mut far).await;
}

async fn long_and_short_payloads_arrive_in_order<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((reader, writer), (mut far, reply)) = on.pairs().await;
    let mut written = 0;
    for length in [1, 300_000, 7, 2047, 0, 2048, 2049, 65_536, 3, 100_000, 1] {
        let bytes = payload(written, length);
        match written % 3 {
            0 => writer.write(bytes),
            1 => writer.write(bytes.to_vec()),
            _ => writer.write(&bytes[..]),
        }
        .expect("the connection is open");
        written += length;
    }
    writer.write_lines([payload(written, 10), payload(written + 10, 5000)]).expect("the connection is open");
    written += 5010;
    expect(&mut far, 0, written).await;
    drop((reader, writer, reply));
    expect_end(&mut far).await;
}
