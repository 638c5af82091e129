//! W11: no delivery stands still without end, and on request no read and no write does.

use highwater_stream::{CloseError, Pair, StreamWriter};
use highwater_tests::bounded::{run_paused, settle};
use highwater_tests::transport::{Script, Scripted, scripted, stalled_after};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// The clock counts in milliseconds, and rounds up.
#[track_caller]
fn assert_about(time: Duration, expected: Duration) {
    assert!(time >= expected && time <= expected + Duration::from_millis(2), "{time:?}, not {expected:?}");
}

fn pair(room: usize) -> (Pair<Scripted>, Script) {
    let (transport, script) = stalled_after(room);
    (Pair::new(transport), script)
}

async fn timed_out(writer: &StreamWriter<Scripted>) -> CloseError {
    let error = writer.wait_closed().await.unwrap_err();
    assert_eq!(error.cause().kind(), io::ErrorKind::TimedOut);
    error
}

#[test]
fn w11_a_delivery_that_stands_still_after_close_is_given_up() {
    run_paused(async {
        let (pair, script) = pair(4);
        let (_reader, writer) = pair.on_abort(highwater_tests::transport::reset).split();
        writer.write("0123456789").unwrap();
        let start = Instant::now();
        writer.close();
        assert_eq!(timed_out(&writer).await.unsent(), 6);
        assert_about(start.elapsed(), 30 * SECOND);
        assert!(script.was_reset() && script.is_gone());
        assert_eq!(timed_out(&writer).await.unsent(), 6);
        assert_eq!(writer.flush().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    });
}

#[test]
fn w11_the_time_counts_from_the_last_byte_taken() {
    run_paused(async {
        let (pair, script) = pair(0);
        let (_reader, writer) = pair.split();
        writer.write("0123456789").unwrap();
        writer.close();
        let start = Instant::now();
        for _ in 0..3 {
            sleep(29 * SECOND).await;
            script.allow(2);
        }
        assert_eq!(timed_out(&writer).await.unsent(), 4);
        assert_about(start.elapsed(), (3 * 29 + 30) * SECOND);
    });
}

#[test]
fn w11_the_last_drop_counts_like_close() {
    run_paused(async {
        let (pair, script) = pair(1);
        let (reader, writer) = pair.split();
        let weak = writer.downgrade();
        writer.write("abc").unwrap();
        drop((reader, writer));
        let start = Instant::now();
        weak.wait_gone().await;
        assert_about(start.elapsed(), 30 * SECOND);
        assert_eq!(script.taken(), b"a");
    });
}

/// Nobody can write any more, but somebody still reads.
#[test]
fn w11_the_last_writer_that_goes_counts_while_a_reader_lives() {
    run_paused(async {
        for ended_first in [false, true] {
            let (pair, _script) = pair(1);
            let (mut reader, writer) = pair.split();
            let weak = writer.downgrade();
            writer.write("abc").unwrap();
            settle().await;
            if ended_first {
                writer.write_eof().unwrap();
                settle().await;
            }
            drop(writer);
            let start = Instant::now();
            let error = reader.read(1).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "write_eof called first: {ended_first}");
            assert_about(start.elapsed(), 30 * SECOND);
            weak.wait_gone().await;
        }
    });
}

#[test]
fn w11_a_flush_or_a_shutdown_that_stands_still_counts_too() {
    run_paused(async {
        let (transport, script) = scripted();
        script.hold_flush();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("held back").unwrap();
        writer.close();
        let start = Instant::now();
        timed_out(&writer).await;
        assert_about(start.elapsed(), 30 * SECOND);

        let (transport, script) = scripted();
        script.hold_shutdown();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("delivered").unwrap();
        writer.close();
        let start = Instant::now();
        assert_eq!(timed_out(&writer).await.unsent(), 0);
        assert_about(start.elapsed(), 30 * SECOND);
        assert_eq!(script.delivered(), b"delivered");
    });
}

#[test]
fn w11_an_open_connection_may_stand_still_for_ever() {
    run_paused(async {
        let (pair, script) = pair(0);
        let (_reader, writer) = pair.split();
        writer.write("patience").unwrap();
        sleep(86_400 * SECOND).await;
        assert_eq!(writer.queued(), 8);
        script.open();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"patience");
    });
}

/// Half closed, with a writer that could still abort: the program waits for as long as it likes.
#[test]
fn w11_a_half_closed_connection_may_stand_still_while_a_writer_lives() {
    run_paused(async {
        let (pair, script) = pair(0);
        let (_reader, writer) = pair.split();
        writer.write("patience").unwrap();
        writer.write_eof().unwrap();
        sleep(86_400 * SECOND).await;
        script.open();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"patience".to_vec(), 1));
    });
}

#[test]
fn w11_the_delivery_time_out_can_be_set() {
    run_paused(async {
        let (pair, _script) = pair(0);
        let (_reader, writer) = pair.delivery_timeout(7 * SECOND).split();
        writer.write("lost").unwrap();
        writer.close();
        let start = Instant::now();
        assert_eq!(timed_out(&writer).await.unsent(), 4);
        assert_about(start.elapsed(), 7 * SECOND);
    });
}

#[test]
fn w11_a_write_time_out_ends_an_open_connection() {
    run_paused(async {
        let (pair, script) = pair(4);
        let (mut reader, writer) = pair.write_timeout(Some(5 * SECOND)).split();
        sleep(60 * SECOND).await;
        writer.write("0123456789").unwrap();
        let start = Instant::now();
        sleep(4 * SECOND).await;
        script.allow(1);
        assert_eq!(timed_out(&writer).await.unsent(), 5);
        assert_about(start.elapsed(), 9 * SECOND);
        assert_eq!(reader.read(1).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(writer.drain().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(script.is_gone());
    });
}

/// Bytes that a `drain` has pushed are progress, though the task that sends did not push them.
#[test]
fn w11_progress_by_drain_is_progress() {
    run_paused(async {
        let (pair, script) = pair(0);
        let (_reader, writer) = pair.write_timeout(Some(5 * SECOND)).split();
        writer.write(vec![0; 100_000]).unwrap();
        for _ in 0..10 {
            sleep(3 * SECOND).await;
            script.allow(1000);
            let _ = futures::poll!(Box::pin(writer.drain()));
        }
        assert!(!writer.is_closing());
        assert_eq!(writer.queued(), 90_000);
    });
}

#[test]
fn w11_an_idle_connection_has_no_write_time_out() {
    run_paused(async {
        let (transport, _script) = scripted();
        let (_reader, writer) = Pair::new(transport).write_timeout(Some(5 * SECOND)).split();
        writer.write("sent").unwrap();
        writer.flush().await.unwrap();
        sleep(3600 * SECOND).await;
        assert!(!writer.is_closing());
    });
}

#[test]
fn w11_a_read_time_out_counts_across_cancelled_reads() {
    run_paused(async {
        let (pair, script) = pair(0);
        let (mut reader, _writer) = pair.read_timeout(Some(10 * SECOND)).split();
        let start = Instant::now();
        for _ in 0..3 {
            timeout(3 * SECOND, reader.read_line()).await.unwrap_err();
        }
        let error = reader.read_line().await.unwrap_err();
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
        assert_about(start.elapsed(), 10 * SECOND);

        // Each byte counts anew, what came stays, and the connection is as it was.
        script.arrive("par");
        timeout(9 * SECOND, reader.read_line()).await.unwrap_err();
        script.arrive("t");
        let start = Instant::now();
        assert!(reader.read_line().await.is_err());
        assert_about(start.elapsed(), 10 * SECOND);
        script.arrive("\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "part\n");
    });
}

#[test]
fn w11_a_read_time_out_does_not_count_while_nobody_reads() {
    run_paused(async {
        let (pair, script) = pair(0);
        let (mut reader, _writer) = pair.read_timeout(Some(10 * SECOND)).split();
        script.arrive("one\n");
        reader.read_line().await.unwrap();
        sleep(3600 * SECOND).await;
        script.arrive("two\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "two\n");
    });
}

/// No time-out is the default, and one past the clock's range is as good as none.
#[test]
fn w11_very_long_time_outs_do_not_overflow() {
    run_paused(async {
        let (pair, script) = pair(0);
        let far = Duration::MAX;
        let pair = pair.write_timeout(Some(far)).delivery_timeout(far).read_timeout(Some(far));
        let (mut reader, writer) = pair.split();
        writer.write("x").unwrap();
        timeout(86_400 * SECOND, reader.read(1)).await.unwrap_err();
        writer.close();
        timeout(86_400 * SECOND, writer.wait_closed()).await.unwrap_err();
        script.arrive_end();
        script.open();
        writer.wait_closed().await.unwrap();
    });
}
