//! R4: both halves share their loss, and the reader delivers what is there before it tells.

use highwater_stream::{Pair, StreamReader};
use highwater_tests::bounded::{run, run_paused, settle};
use highwater_tests::transport::{Script, reset, scripted, stalled_after};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, join};
use tokio::net::{TcpListener, TcpStream};
use tokio_test::{assert_pending, assert_ready_err, task};

const RESET: i32 = 104;
const PIPE: i32 = 32;

fn os(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

async fn assert_told_every_time<R: highwater_stream::Source>(reader: &mut StreamReader<R>, number: i32) {
    for _ in 0..3 {
        assert_eq!(reader.read(10).await.unwrap_err().raw_os_error(), Some(number));
        assert_eq!(io::Error::from(reader.read_line().await.unwrap_err()).raw_os_error(), Some(number));
        assert_eq!(io::Error::from(reader.read_exactly(1).await.unwrap_err()).raw_os_error(), Some(number));
        assert_eq!(io::Error::from(reader.read_to_end(100).await.unwrap_err()).raw_os_error(), Some(number));
    }
    assert!(!reader.at_eof());
    assert_eq!(reader.error().unwrap().raw_os_error(), Some(number));
}

/// However the transport ends after that: silent, with an end, with an error of its own.
#[test]
fn r4_a_reset_that_the_writer_met_comes_behind_what_the_transport_holds() {
    run(async {
        for then in 0..3 {
            let (transport, script) = scripted();
            let (mut reader, writer) = highwater_stream::pair(transport);
            script.arrive("buffered\n1\n2\n");
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "buffered\n");
            script.arrive("held by the kernel\nla");
            match then {
                0 => {}
                1 => script.arrive_end(),
                _ => script.arrive_error(os(PIPE)),
            }
            script.fail_writes(os(RESET));
            writer.write("x").unwrap();
            assert_eq!(writer.flush().await.unwrap_err().raw_os_error(), Some(RESET));
            assert_eq!(reader.error().unwrap().raw_os_error(), Some(RESET));
            for line in ["1\n", "2\n", "held by the kernel\n"] {
                assert_eq!(reader.read_line().await.unwrap().unwrap(), line);
            }
            assert_eq!(reader.peek(2).await.unwrap(), b"la");
            let error = io::Error::from(reader.read_line().await.unwrap_err());
            assert_eq!(error.raw_os_error(), Some(RESET), "never a clean end");
            assert_eq!(reader.read(10).await.unwrap(), "la");
            assert_told_every_time(&mut reader, RESET).await;
        }
    });
}

#[test]
fn r4_a_waiting_read_is_woken_by_what_the_writer_met() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (mut reader, writer) = highwater_stream::pair(transport);
        writer.write("x").unwrap();
        let read = tokio::spawn(async move { reader.read(1).await });
        settle().await;
        assert!(!read.is_finished());
        script.fail_writes(os(RESET));
        assert_eq!(read.await.unwrap().unwrap_err().raw_os_error(), Some(RESET));
    });
}

/// The runtime may learn a little later than the writer what the kernel holds.
#[test]
fn r4_what_the_transport_tells_a_turn_later_still_comes_before_the_loss() {
    run(async {
        for ends in [false, true] {
            let (transport, script) = stalled_after(0);
            let (mut reader, writer) = highwater_stream::pair(transport);
            writer.write("x").unwrap();
            let read = tokio::spawn(async move {
                let line = reader.read_line().await.unwrap().unwrap();
                (line, io::Error::from(reader.read_line().await.unwrap_err()).raw_os_error())
            });
            settle().await;
            script.fail_writes(os(RESET));
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            script.arrive("last words\n");
            if ends {
                script.arrive_end();
            }
            assert_eq!(read.await.unwrap(), ("last words\n".into(), Some(RESET)));
        }
    });
}

/// The time that a reader is given begins when it comes, and again with what it gets: a transport may always wait
/// although it need not, as stdin does while a thread reads.
#[test]
fn r4_a_reader_that_comes_late_still_gets_what_a_slow_transport_holds() {
    run_paused(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.fail_writes(os(RESET));
        writer.write("lost").unwrap();
        writer.flush().await.unwrap_err();
        for part in ["last ", "words\n"] {
            tokio::time::sleep(Duration::from_secs(10)).await;
            let reads = tokio::spawn(async move {
                let read = reader.read(10).await.unwrap();
                (reader, read)
            });
            settle().await;
            script.arrive(part);
            let read;
            (reader, read) = reads.await.unwrap();
            assert_eq!(read, part);
        }
        assert_told_every_time(&mut reader, RESET).await;
        drop(writer);
    });
}

/// Whether the transport has nothing more to say, ends, or ends as it should not have.
#[test]
fn w9_who_was_told_of_the_loss_keeps_no_transport() {
    let ends: [fn(&Script); 3] =
        [|_| (), Script::arrive_end, |script| script.arrive_error(io::ErrorKind::UnexpectedEof.into())];
    for (number, end) in ends.into_iter().enumerate() {
        run_paused(async move {
            let (transport, script) = scripted();
            let (mut reader, writer) = highwater_stream::pair(transport);
            script.fail_writes(os(104));
            writer.write("lost").unwrap();
            writer.flush().await.unwrap_err();
            assert!(!script.is_gone(), "it may still hold something");
            end(&script);
            assert_eq!(reader.read(1).await.unwrap_err().raw_os_error(), Some(104));
            assert!(script.is_gone(), "nobody asks it any more: end {number}");
            assert_eq!(writer.wait_closed().await.unwrap_err().cause().raw_os_error(), Some(104));
        });
    }
}

#[test]
fn r4_an_error_that_the_reader_met_is_told_to_the_writer() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (mut reader, writer) = Pair::new(transport).on_abort(reset).split();
        writer.write(vec![0; 100_000]).unwrap();
        let mut drain = task::spawn(writer.drain());
        let mut closed = task::spawn(writer.wait_closed());
        assert_pending!(drain.poll());
        assert_pending!(closed.poll());
        script.arrive("last");
        script.arrive_error(os(RESET));
        assert_eq!(reader.read(10).await.unwrap(), "last");
        assert_eq!(reader.read(10).await.unwrap_err().raw_os_error(), Some(RESET));
        assert!(drain.is_woken() && closed.is_woken());
        assert_eq!(assert_ready_err!(drain.poll()).raw_os_error(), Some(RESET));
        let error = assert_ready_err!(closed.poll());
        assert_eq!((error.unsent(), error.cause().raw_os_error()), (100_000, Some(RESET)));
        assert!(writer.write("more").is_err() && writer.is_closing());
        assert_told_every_time(&mut reader, RESET).await;
        assert!(script.is_gone());
    });
}

#[test]
fn r4_the_first_of_two_errors_is_kept_for_both() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.fail_writes(os(PIPE));
        writer.write("x").unwrap();
        writer.flush().await.unwrap_err();
        script.arrive_error(os(RESET));
        assert_told_every_time(&mut reader, PIPE).await;
        assert_eq!(writer.wait_closed().await.unwrap_err().cause().raw_os_error(), Some(PIPE));
    });
}

/// An end that was seen before the failure stays an end: nothing is missing.
#[test]
fn r4_an_end_that_was_seen_stays_an_end() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.arrive("all");
        script.arrive_end();
        assert_eq!(reader.read_to_end(10).await.unwrap(), "all");
        script.fail_writes(os(PIPE));
        writer.write("x").unwrap();
        writer.flush().await.unwrap_err();
        assert_eq!(reader.read_line().await.unwrap(), None);
        assert!(reader.at_eof());
    });
}

/// A task that has used up its turn finds nothing to read for that reason alone.
#[test]
fn r4_a_read_at_the_end_of_its_tasks_turn_still_finds_what_is_held() {
    run_paused(async {
        let (near, mut far) = duplex(1000);
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(join(near, transport));
        far.write_all(b"held\n").await.unwrap();
        script.fail_writes(os(RESET));
        writer.write("x").unwrap();
        writer.flush().await.unwrap_err();
        let read = tokio::spawn(async move {
            // Long enough for whatever time the reader is given.
            tokio::time::sleep(Duration::from_secs(60)).await;
            while tokio::task::coop::has_budget_remaining() {
                tokio::task::consume_budget().await;
            }
            let line = reader.read_line().await.unwrap().unwrap();
            (line, io::Error::from(reader.read_line().await.unwrap_err()).raw_os_error())
        });
        assert_eq!(read.await.unwrap(), ("held\n".into(), Some(RESET)));
    });
}

/// The real thing: a peer that answers and closes with our bytes unread resets the connection.
#[test]
fn r4_over_tcp_the_answer_of_a_peer_that_resets_is_read() {
    run(async {
        for _ in 0..20 {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut peer = listener.accept().await.unwrap().0;
            let (mut reader, writer) = highwater_stream::pair(ours);
            writer.write("request that nobody reads").unwrap();
            writer.flush().await.unwrap();
            peer.read_exact(&mut [0; 1]).await.unwrap();
            peer.write_all(b"400 go away\n").await.unwrap();
            // Dropped with unread input: a reset.
            drop(peer);
            // Written until the reset is met by the writer.
            while writer.write("more").is_ok() {
                let _ = writer.flush().await;
            }
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "400 go away\n");
            let kept = writer.flush().await.unwrap_err();
            let told = reader.read_line().await.unwrap_err();
            assert_eq!(io::Error::from(told).raw_os_error(), kept.raw_os_error());
            assert!(kept.raw_os_error().is_some());
        }
    });
}

/// The peer's half ended as it should not have; ours has not.
#[test]
fn r4_an_unexpected_end_is_the_readers_and_what_is_written_still_goes_out() {
    run(async {
        let (transport, script) = stalled_after(3);
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.arrive("a request\nand then");
        script.arrive_error(io::ErrorKind::UnexpectedEof.into());
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "a request\n");
        writer.write("an answer").unwrap();
        for _ in 0..2 {
            assert_eq!(reader.read_line().await.unwrap_err().to_string(), "unexpected end of file");
        }
        writer.write(", and more").unwrap();
        writer.close();
        script.open();
        writer.wait_closed().await.unwrap();
        assert_eq!(script.delivered(), b"an answer, and more");
        assert_eq!(script.calls().shutdowns, 1);
    });
}
