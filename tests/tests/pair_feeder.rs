//! The detached reader and its feeder: a cap that holds, room that can be waited for, an end that is said.

use highwater_stream::{FeedError, StreamReader};
use highwater_testing::at_every_poll;
use highwater_tests::bounded::{bounded, run, settle};
use std::io;
use std::sync::Arc;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};

#[test]
fn r1_the_cap_is_exact_and_a_refusal_is_whole() {
    bounded(|| {
        let (mut reader, feeder) = StreamReader::detached_with_cap(4);
        feeder.feed(b"abc").unwrap();
        assert_eq!(feeder.feed(b"de"), Err(FeedError::Full { room: 1, payload: 2 }));
        feeder.feed(b"d").unwrap();
        feeder.feed(b"").unwrap();
        assert_eq!(feeder.feed(b"e"), Err(FeedError::Full { room: 0, payload: 1 }));
        assert_eq!(feeder.pending(), 4);
        assert_eq!(futures::executor::block_on(reader.read(10)).unwrap(), "abcd");
        assert_eq!(feeder.pending(), 0);
        feeder.feed(b"efgh").unwrap();
        let error = io::Error::from(feeder.feed(b"i").unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
    });
}

#[test]
fn r1_room_waits_until_the_reader_has_taken_some() {
    bounded(|| {
        let (mut reader, feeder) = StreamReader::detached_with_cap(4);
        assert_ready_ok!(task::spawn(feeder.room(4)).poll());
        feeder.feed(b"abcd").unwrap();
        let mut one = task::spawn(feeder.room(1));
        let mut all = task::spawn(feeder.room(4));
        assert_pending!(one.poll());
        assert_pending!(all.poll());
        assert_eq!(
            assert_ready!(task::spawn(feeder.room(5)).poll()),
            Err(FeedError::Full { room: 0, payload: 5 })
        );
        assert_ready_ok!(task::spawn(feeder.room(0)).poll());
        assert_eq!(futures::executor::block_on(reader.read_exactly(2)).unwrap(), "ab");
        assert!(one.is_woken() && all.is_woken());
        assert_ready_ok!(one.poll());
        assert_ready_ok!(all.poll());
    });
}

#[test]
fn r1_room_ends_with_the_reader_or_the_end() {
    bounded(|| {
        let (reader, feeder) = StreamReader::detached_with_cap(4);
        feeder.feed(b"abcd").unwrap();
        let mut room = task::spawn(feeder.room(1));
        assert_pending!(room.poll());
        drop(reader);
        assert!(room.is_woken());
        assert_eq!(assert_ready!(room.poll()), Err(FeedError::Unread));
        drop(room);
        assert_eq!(feeder.feed(b"e"), Err(FeedError::Unread));

        let (_reader, feeder) = StreamReader::detached_with_cap(4);
        feeder.feed(b"abcd").unwrap();
        let mut room = task::spawn(feeder.room(1));
        assert_pending!(room.poll());
        feeder.feed_eof();
        assert!(room.is_woken());
        assert_eq!(assert_ready!(room.poll()), Err(FeedError::Ended));
        assert_eq!(feeder.feed(b""), Err(FeedError::Ended));
        feeder.feed_eof();
        assert_eq!(feeder.feed_error(io::Error::other("late")), Err(FeedError::Ended));
    });
}

#[test]
fn r4_a_feeder_that_is_dropped_without_an_end_fails_the_reader_behind_what_was_fed() {
    run(async {
        let (mut reader, feeder) = StreamReader::detached();
        feeder.feed(b"fed").unwrap();
        let waiting = tokio::spawn(async move {
            assert_eq!(reader.read_exactly(3).await.unwrap(), "fed");
            let first = reader.read_line().await.unwrap_err();
            (io::Error::from(first).kind(), reader.read(1).await.unwrap_err().kind())
        });
        settle().await;
        drop(feeder);
        assert_eq!(waiting.await.unwrap(), (io::ErrorKind::BrokenPipe, io::ErrorKind::BrokenPipe));

        let (mut reader, feeder) = StreamReader::detached();
        feeder.feed(b"fed").unwrap();
        feeder.feed_eof();
        drop(feeder);
        assert_eq!(reader.read_to_end(10).await.unwrap(), "fed");
        assert!(reader.at_eof() && reader.error().is_none());
    });
}

#[test]
fn r4_the_first_end_or_failure_is_kept() {
    bounded(|| {
        let (mut reader, feeder) = StreamReader::detached();
        feeder.feed(b"last words").unwrap();
        feeder.feed_error(io::Error::from_raw_os_error(104)).unwrap();
        feeder.feed_eof();
        assert_eq!(feeder.feed_error(io::Error::other("second")), Err(FeedError::Ended));
        assert_eq!(futures::executor::block_on(reader.read(100)).unwrap(), "last words");
        for _ in 0..3 {
            let error = futures::executor::block_on(reader.read(1)).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(104));
        }
    });
}

#[test]
fn r3_room_given_up_at_every_poll_leaves_the_others_awake() {
    let cuts = at_every_poll(|polls| {
        bounded(move || {
            let (mut reader, feeder) = StreamReader::detached_with_cap(4);
            feeder.feed(b"abcd").unwrap();
            let mut other = task::spawn(feeder.room(2));
            assert_pending!(other.poll());
            let mut steps = 0;
            let done = polls.run(feeder.room(2), || {
                steps += 1;
                if steps == 2 {
                    assert_eq!(futures::executor::block_on(reader.read_exactly(4)).unwrap(), "abcd");
                }
            });
            if done.is_none() && steps < 2 {
                assert_eq!(futures::executor::block_on(reader.read_exactly(4)).unwrap(), "abcd");
            }
            assert!(other.is_woken());
            assert_ready_ok!(other.poll());
            drop(other);
            feeder.feed(b"efgh").unwrap();
            assert_eq!(futures::executor::block_on(reader.read_exactly(4)).unwrap(), "efgh");
        });
    });
    assert!(cuts >= 2, "{cuts}");
}

/// Several that feed, one that reads, a cap far below the total: nothing is lost, and the cap holds.
#[test]
fn r1_many_may_feed_through_a_small_cap() {
    highwater_tests::bounded::run_on_workers(async {
        let (mut reader, feeder) = StreamReader::detached_with_cap(16);
        let feeder = Arc::new(feeder);
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let feeder = Arc::clone(&feeder);
                tokio::spawn(async move {
                    for _ in 0..500 {
                        let line = format!("{number}\n");
                        loop {
                            feeder.room(line.len()).await.unwrap();
                            match feeder.feed(line.as_bytes()) {
                                Ok(()) => break,
                                Err(FeedError::Full { .. }) => {}
                                Err(other) => panic!("{other}"),
                            }
                        }
                        assert!(feeder.pending() <= 16);
                    }
                })
            })
            .collect();
        let mut counts = [0; 4];
        for _ in 0..2000 {
            let line = reader.read_line().await.unwrap().unwrap();
            counts[usize::from(line[0] - b'0')] += 1;
        }
        assert_eq!(counts, [500; 4]);
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn r1_short_reads_leave_the_rest_with_the_feeder() {
    run(async {
        let (mut reader, feeder) = StreamReader::detached_with_cap(1000);
        for _ in 0..1000 {
            feeder.room(1).await.unwrap();
            feeder.feed(&[0; 1000][..1000 - feeder.pending()]).unwrap();
            assert_eq!(reader.read(1).await.unwrap().len(), 1);
            assert!(reader.buffered() <= 1000, "{} bytes are held", reader.buffered());
        }
    });
}
