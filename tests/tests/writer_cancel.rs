//! Waits of the writer that are given up at every poll: nothing is lost, nothing is sent twice, and nobody
//! else is left asleep. With the task that sends, and without a runtime.

use highwater_stream::{StreamWriter, Watermarks};
use highwater_testing::at_every_poll;
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{Script, Scripted, stalled_after};
use std::future::Future;
use std::pin::Pin;
use tokio_test::{assert_pending, assert_ready_ok, task};

const MESSAGE: &[u8] = b"0123456789abcdef";

type Wait = fn(&StreamWriter<Scripted>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

const WAITS: [(&str, Wait); 3] = [
    ("drain", |writer| Box::pin(async { writer.drain().await.is_ok() })),
    ("flush", |writer| Box::pin(async { writer.flush().await.is_ok() })),
    ("wait_closed", |writer| {
        Box::pin(async {
            writer.close();
            writer.wait_closed().await.is_ok()
        })
    }),
];

/// A writer above its high mark, over a transport that moves on by a step of the test each time.
fn stuck() -> (StreamWriter<Scripted>, Script) {
    let (transport, script) = stalled_after(0);
    script.hold_flush();
    script.arrive_end();
    let writer = StreamWriter::new(transport);
    writer.set_watermarks(Watermarks::new(8, 0).unwrap());
    writer.write(MESSAGE).unwrap();
    (writer, script)
}

/// Takes a few bytes more each time, and flushes once it has taken all.
fn step(script: &Script) {
    script.allow(5);
    if script.taken().len() == MESSAGE.len() {
        script.release_flush();
    }
}

#[test]
fn w4_w5_w7_given_up_at_every_poll_beside_a_task_that_sends() {
    for (name, wait) in WAITS {
        let cuts = at_every_poll(|polls| {
            run(async move {
                let (writer, script) = stuck();
                let other = writer.clone();
                let others: Vec<_> = WAITS
                    .into_iter()
                    .map(|(_, wait)| {
                        let other = other.clone();
                        tokio::spawn(async move { wait(&other).await })
                    })
                    // The last of them would close at once.
                    .take(2)
                    .collect();
                let step_on = || {
                    step(&script);
                    settle()
                };
                let most = polls.most();
                polls.run_beside(wait(&writer), step_on).await;
                for _ in 0..6 {
                    step(&script);
                    settle().await;
                }
                for other in others {
                    assert!(other.await.unwrap(), "{name} cut after {most} polls");
                }
                assert!(wait(&writer).await);
                assert_eq!(script.delivered(), MESSAGE);
            });
        });
        assert!(cuts >= 3, "{name}: {cuts}");
    }
}

#[test]
fn w4_w5_w7_given_up_at_every_poll_without_a_runtime() {
    for (name, wait) in WAITS {
        let cuts = at_every_poll(|polls| {
            bounded(move || {
                let (writer, script) = stuck();
                let most = polls.most();
                polls.run(wait(&writer), || step(&script));
                let mut again = task::spawn(wait(&writer));
                while again.poll().is_pending() {
                    step(&script);
                    assert!(again.is_woken(), "{name} asleep, after another was cut at {most} polls");
                }
                drop(again);
                script.open();
                script.release_flush();
                futures::executor::block_on(writer.flush()).unwrap();
                assert_eq!(script.delivered(), MESSAGE);
            });
        });
        assert!(cuts >= 3, "{name}: {cuts}");
    }
}

/// The trap: the one waker that a transport keeps is that of the task that pushed last. Here it pushes,
/// is given up, and the transport becomes writable only then.
#[test]
fn w4_who_pushes_and_is_given_up_leaves_the_task_that_sends_awake() {
    run(async {
        for (name, wait) in WAITS {
            let (writer, script) = stuck();
            settle().await;
            let mut pusher = task::spawn(wait(&writer));
            assert_pending!(pusher.poll());
            drop(pusher);
            script.open();
            script.release_flush();
            settle().await;
            assert_eq!(script.delivered(), MESSAGE, "{name}");
        }
    });
}

/// The same before the task that sends was polled even once: the pusher's is the only waker so far.
#[test]
fn w4_who_pushes_first_and_is_given_up_leaves_the_task_that_sends_awake() {
    run(async {
        for (name, wait) in WAITS {
            let (writer, script) = stuck();
            let mut pusher = task::spawn(wait(&writer));
            assert_pending!(pusher.poll());
            drop(pusher);
            settle().await;
            script.open();
            script.release_flush();
            settle().await;
            assert_eq!(script.delivered(), MESSAGE, "{name}");
        }
    });
}

#[test]
fn w4_who_pushes_and_is_given_up_leaves_the_others_awake() {
    fn check(pushed: Wait, waiting: Wait, in_runtime: bool, pusher_first: bool) {
        let (writer, script) = stuck();
        let mut pusher = task::spawn(pushed(&writer));
        let mut waiter = task::spawn(waiting(&writer));
        if pusher_first {
            assert_pending!(pusher.poll());
            assert_pending!(waiter.poll());
        } else {
            assert_pending!(waiter.poll());
            assert_pending!(pusher.poll());
        }
        drop(pusher);
        script.open();
        script.release_flush();
        if in_runtime {
            futures::executor::block_on(settle());
        }
        assert!(waiter.is_woken());
        assert!(waiter.poll().is_ready());
    }
    for (_, pushed) in WAITS {
        for (_, waiting) in WAITS {
            for pusher_first in [false, true] {
                bounded(move || check(pushed, waiting, false, pusher_first));
            }
        }
    }
}

/// A waiter that was woken and is given up before it was polled again takes no wake-up with it.
#[test]
fn w4_who_was_woken_and_is_given_up_leaves_the_others_awake() {
    bounded(|| {
        let (writer, script) = stuck();
        let mut first = task::spawn(writer.drain());
        let mut second = task::spawn(writer.flush());
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        script.allow(1);
        assert!(first.is_woken() && second.is_woken());
        drop(first);
        assert_pending!(second.poll());
        script.open();
        assert!(second.is_woken());
        script.release_flush();
        assert_ready_ok!(second.poll());
    });
}

/// Waits that come and go leave nothing behind: no waker, no memory that grows.
#[test]
fn w4_given_up_waits_keep_no_wakers() {
    bounded(|| {
        let (writer, _script) = stuck();
        let counter = std::sync::Arc::new(Counter);
        let waker = std::task::Waker::from(std::sync::Arc::clone(&counter));
        let mut cx = std::task::Context::from_waker(&waker);
        for _ in 0..100 {
            for (_, wait) in WAITS {
                let mut wait = wait(&writer);
                assert!(wait.as_mut().poll(&mut cx).is_pending());
            }
        }
        assert_eq!(std::sync::Arc::strong_count(&counter), 2);
    });
}

struct Counter;

impl std::task::Wake for Counter {
    fn wake(self: std::sync::Arc<Self>) {}
}

/// A wait that moves to another task is woken there.
#[test]
fn w4_a_wait_follows_its_task() {
    run(async {
        let (writer, script) = stuck();
        for (_, wait) in WAITS {
            let mut moved = wait(&writer);
            {
                let mut here = task::spawn(&mut moved);
                assert_pending!(here.poll());
            }
            let mut there = task::spawn(&mut moved);
            assert_pending!(there.poll());
            script.open();
            script.release_flush();
            settle().await;
            assert!(there.is_woken());
            assert!(there.poll().is_ready());
            if writer.is_closing() {
                break;
            }
            script.stall();
            script.hold_flush();
            writer.write(MESSAGE).unwrap();
        }
    });
}

/// Many tasks on two workers write, drain and are given up at random places; every message that was
/// accepted comes out once.
#[test]
fn w4_a_crowd_that_gives_up_loses_nothing() {
    highwater_tests::bounded::run_on_workers(async {
        let (near, far) = tokio::io::duplex(100);
        let (reader, writer) = highwater_stream::pair(near);
        let (mut peer, reply) = highwater_stream::pair(far);
        writer.set_watermarks(Watermarks::with_high(50));
        let tasks: Vec<_> = (0..8)
            .map(|task: u32| {
                let writer = writer.clone();
                tokio::spawn(async move {
                    for number in 0..500u32 {
                        writer.write(format!("{task} {number}\n")).unwrap();
                        let wait = async {
                            if number % 3 == 0 { writer.flush().await } else { writer.drain().await }
                                .unwrap();
                        };
                        let patience = (task * 7 + number) % 4;
                        tokio::select! {
                            biased;
                            () = wait => {}
                            () = async { for _ in 0..patience { tokio::task::yield_now().await } } => {}
                        }
                    }
                })
            })
            .collect();
        drop(writer);
        let mut next = [0; 8];
        while let Some(line) = peer.read_line().await.unwrap() {
            let text = std::str::from_utf8(&line).unwrap().trim_end();
            let (task, number) = text.split_once(' ').expect("whole lines");
            let task: usize = task.parse().unwrap();
            assert_eq!(number.parse(), Ok(next[task]));
            next[task] += 1;
        }
        assert_eq!(next, [500; 8]);
        for task in tasks {
            task.await.unwrap();
        }
        drop((reader, reply));
    });
}
