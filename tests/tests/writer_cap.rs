//! W10: with `max_buffered` a write that would pass it is refused whole.

use highwater_stream::{Pair, StreamWriter, WriteError};
use highwater_tests::bounded::{run, settle};
use highwater_tests::transport::{Script, Scripted, stalled_after};
use std::io;

fn capped(max_buffered: usize) -> (StreamWriter<Scripted>, Script) {
    let (transport, script) = stalled_after(0);
    let writer = StreamWriter::new(transport);
    writer.set_max_buffered(Some(max_buffered));
    (writer, script)
}

#[track_caller]
fn assert_full(refused: Result<(), WriteError>, expected: (usize, usize, usize)) {
    match refused.unwrap_err() {
        WriteError::Full { queued, payload, max_buffered } => {
            assert_eq!((queued, payload, max_buffered), expected);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn w10_exactly_the_cap_is_accepted_and_a_byte_more_refused_whole() {
    run(async {
        let (writer, script) = capped(10);
        assert_full(writer.write([0; 11]), (0, 11, 10));
        assert_eq!(writer.queued(), 0);
        writer.write("0123456").unwrap();
        assert_full(writer.write("789a"), (7, 4, 10));
        assert_full(write!(writer, "{}", 1000), (7, 4, 10));
        writer.write("789").unwrap();
        assert_eq!(writer.queued(), 10);
        assert_full(writer.write("a"), (10, 1, 10));
        writer.write("").unwrap();
        script.open();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"0123456789");
    });
}

#[test]
fn w10_a_refusal_is_a_quota_and_ends_nothing() {
    run(async {
        let (writer, script) = capped(4);
        let error = io::Error::from(writer.write("12345").unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        assert!(error.to_string().contains("5 bytes"), "{error}");
        writer.write("1234").unwrap();
        settle().await;
        script.allow(3);
        settle().await;
        // What the transport has taken counts no more.
        writer.write("567").unwrap();
        assert_full(writer.write("8"), (4, 1, 4));
        assert!(!writer.is_closing());
    });
}

#[test]
fn w10_the_cap_is_met_to_the_byte_within_a_burst() {
    run(async {
        let (writer, _script) = capped(100);
        writer.write([0; 60]).unwrap();
        settle().await;
        for _ in 0..40 {
            writer.write("x").unwrap();
        }
        assert_full(writer.write("x"), (100, 1, 100));
    });
}

#[test]
fn w10_it_can_be_set_later_for_all_and_lifted() {
    run(async {
        let (transport, _script) = stalled_after(0);
        let (_reader, writer) = Pair::new(transport).max_buffered(Some(4)).split();
        let clone = writer.clone();
        writer.write("1234").unwrap();
        assert_full(clone.write("5"), (4, 1, 4));
        clone.set_max_buffered(Some(2));
        assert_full(writer.write("5"), (4, 1, 2));
        clone.set_max_buffered(None);
        writer.write(vec![0; 1_000_000]).unwrap();
        clone.set_max_buffered(Some(0));
        assert_full(writer.write("5"), (1_000_004, 1, 0));
        writer.write("").unwrap();
    });
}

/// A cap below the high mark, which `drain` never reaches, is still a cap.
#[test]
fn w10_the_cap_does_not_depend_on_the_marks() {
    run(async {
        let (writer, _script) = capped(1000);
        let mut accepted = 0;
        while writer.write([0; 64]).is_ok() {
            accepted += 64;
            writer.drain().await.unwrap();
        }
        assert_eq!((accepted, writer.queued()), (960, 960));
    });
}

/// The broadcast that this is for: the slow client is found and dropped, the others get everything.
#[test]
fn w10_a_broadcast_drops_its_slow_reader() {
    run(async {
        let (slow, slow_script) = capped(1000);
        let (fast, fast_script) = capped(1000);
        fast_script.open();
        let mut clients = vec![slow, fast];
        for _ in 0..100 {
            clients.retain(|client| {
                let is_quick = client.write([b'x'; 100]).is_ok();
                if !is_quick {
                    client.abort();
                }
                is_quick
            });
            settle().await;
        }
        assert_eq!(clients.len(), 1);
        assert!(slow_script.is_gone());
        assert_eq!(fast_script.delivered().len(), 10_000);
    });
}
