//! W3: many small writes leave together, long ones without a copy.

use bytes::Bytes;
use highwater_stream::StreamWriter;
use highwater_tests::bounded::{run, run_on_workers, settle};
use highwater_tests::report;
use highwater_tests::transport::{Calls, address, scripted, stalled_after};

/// Calls that took bytes, however they were made.
fn pushes(calls: Calls) -> usize {
    calls.writes + calls.vectored
}

#[test]
fn w3_ten_thousand_small_writes_with_a_drain_after_each_leave_in_a_dozen_pushes() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        for _ in 0..10_000 {
            writer.write([b'x'; 64]).unwrap();
            writer.drain().await.unwrap();
        }
        writer.flush().await.unwrap();
        assert_eq!(script.delivered().len(), 640_000);
        let pushes = pushes(script.calls());
        report(&format!("w3: 10000 writes of 64 B with a drain after each left in {pushes} pushes"));
        assert!(pushes <= 12, "{pushes} pushes");
    });
}

#[test]
fn w3_a_burst_below_the_mark_is_one_push() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        for burst in 1..=5 {
            for _ in 0..1000 {
                writer.write([b'x'; 64]).unwrap();
                writer.drain().await.unwrap();
            }
            assert_eq!(pushes(script.calls()), burst - 1);
            settle().await;
            assert_eq!(pushes(script.calls()), burst);
            assert_eq!(script.delivered().len(), burst * 64_000);
        }
    });
}

/// A burst of everything: short, long, many kinds. Long payloads stay chunks of their own.
#[test]
fn w3_a_burst_of_short_and_long_payloads_is_one_vectored_push() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        for _ in 0..10 {
            writer.write("head\r\n").unwrap();
            writer.write(vec![b'x'; 4000]).unwrap();
            writer.write_lines(["a", "b"]).unwrap();
        }
        settle().await;
        assert_eq!((script.calls().vectored, script.calls().writes), (1, 0));
        assert_eq!(script.delivered().len(), 10 * 4008);
    });
}

#[test]
fn w3_long_payloads_are_not_copied() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        let shared = Bytes::from(vec![b's'; 100_000]);
        let owned = vec![b'o'; 50_000];
        let text = "t".repeat(10_000);
        let places = [address(&shared), address(&owned), address(text.as_bytes())];
        writer.write("short").unwrap();
        writer.write(shared.clone()).unwrap();
        writer.write(owned).unwrap();
        writer.write_lines([text]).unwrap();
        writer.flush().await.unwrap();
        assert!(places.iter().all(|place| script.was_offered(*place)));
        assert_eq!(script.delivered().len(), 160_005);
    });
}

/// Several tasks, one burst each, one push for all: the task that sends is woken once.
#[test]
fn w3_the_bursts_of_several_tasks_leave_together() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        writer.write("first").unwrap();
        settle().await;
        for number in 0..50 {
            let writer = writer.clone();
            tokio::spawn(async move { writer.write(format!("task {number}\n")).unwrap() });
        }
        settle().await;
        // The first of them may have woken the task that sends before the others were even polled.
        assert!(pushes(script.calls()) <= 4, "{:?}", script.calls());
    });
}

/// What piles up one short message at a time, while the transport takes nothing, is still gathered.
#[test]
fn w3_short_writes_behind_a_stall_are_gathered() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        for _ in 0..2000 {
            writer.write([b'x'; 16]).unwrap();
            tokio::task::yield_now().await;
        }
        script.open();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered().len(), 32_000);
        assert!(pushes(script.calls()) <= 2, "{:?}", script.calls());
    });
}

#[test]
fn w3_a_loop_of_small_answers_is_coalesced_on_workers_too() {
    run_on_workers(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        tokio::spawn(async move {
            for _ in 0..10_000 {
                writer.write([b'x'; 64]).unwrap();
                writer.drain().await.unwrap();
            }
            writer.flush().await.unwrap();
        })
        .await
        .unwrap();
        assert_eq!(script.delivered().len(), 640_000);
        // The other worker sends beside the one that writes, so there is no exact count.
        assert!(pushes(script.calls()) < 10_000);
    });
}
