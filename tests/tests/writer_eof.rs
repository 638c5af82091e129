//! W6: `write_eof` ends our half behind what is queued, and reading goes on.

use highwater_stream::{Pair, StreamWriter, WriteError};
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{scripted, stalled_after};
use std::io;

#[test]
fn w6_our_half_ends_behind_what_is_queued() {
    run(async {
        let (transport, script) = stalled_after(2);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("abcd").unwrap();
        writer.write_eof().unwrap();
        settle().await;
        assert_eq!((script.taken(), script.calls().shutdowns), (b"ab".to_vec(), 0));
        script.open();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcd".to_vec(), 1));
        assert!(!script.is_gone() && !writer.is_closing());
    });
}

#[test]
fn w6_reading_goes_on() {
    run(async {
        let (near, far) = tokio::io::duplex(64);
        let (mut reader, writer) = highwater_stream::pair(near);
        let (mut peer, reply) = highwater_stream::pair(far);
        writer.write("question").unwrap();
        writer.write_eof().unwrap();
        assert_eq!(peer.read_to_end(100).await.unwrap(), "question");
        for number in 0..100 {
            reply.write(format!("answer {number}\n")).unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), format!("answer {number}\n"));
        }
    });
}

#[test]
fn w6_nothing_can_be_written_behind_it() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        let clone = writer.clone();
        writer.write("all").unwrap();
        writer.write_eof().unwrap();
        for writer in [&writer, &clone] {
            assert!(matches!(writer.write("more"), Err(WriteError::Ended)));
            assert!(matches!(writer.write(""), Err(WriteError::Ended)));
            assert!(matches!(writer.write_lines(["more"]), Err(WriteError::Ended)));
            assert!(matches!(write!(writer, "{}", 1), Err(WriteError::Ended)));
        }
        assert_eq!(io::Error::from(writer.write("more").unwrap_err()).kind(), io::ErrorKind::BrokenPipe);
        writer.drain().await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"all");
    });
}

#[test]
fn w6_it_is_idempotent() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        for _ in 0..3 {
            writer.write_eof().unwrap();
            settle().await;
        }
        writer.close();
        writer.write_eof().unwrap();
        settle().await;
        assert_eq!(script.calls().shutdowns, 1);
    });
}

#[test]
fn w6_a_transport_that_cannot_says_so() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = Pair::new(transport).can_write_eof(false).split();
        assert!(!writer.can_write_eof());
        let error = writer.write_eof().unwrap_err();
        assert!(matches!(error, WriteError::CannotWriteEof));
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Unsupported);
        // Nothing has ended.
        writer.write("still open").unwrap();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"still open".to_vec(), 0));
        assert!(StreamWriter::new(scripted().0).can_write_eof());
    });
}

#[test]
fn w6_after_a_failure_it_is_the_failure() {
    run(async {
        let (transport, _script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.abort();
        let WriteError::Transport(error) = writer.write_eof().unwrap_err() else { panic!("not kept") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    });
}

#[test]
fn w6_a_shutdown_that_fails_is_kept() {
    run(async {
        let (transport, script) = scripted();
        script.fail_shutdown(io::Error::from_raw_os_error(5));
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write_eof().unwrap();
        settle().await;
        assert_eq!(writer.flush().await.unwrap_err().raw_os_error(), Some(5));
        assert_eq!(writer.wait_closed().await.unwrap_err().cause().raw_os_error(), Some(5));
    });
}

/// Half-close by both sides, each way with bytes behind it, over a pipe of four bytes.
#[test]
fn w6_both_sides_may_end_their_half() {
    run(async {
        let (near, far) = tokio::io::duplex(4);
        let (mut reader, writer) = highwater_stream::pair(near);
        let (mut peer, reply) = highwater_stream::pair(far);
        writer.write("a long question").unwrap();
        writer.write_eof().unwrap();
        reply.write("a long answer").unwrap();
        reply.write_eof().unwrap();
        let (question, answer) = tokio::join!(peer.read_to_end(100), reader.read_to_end(100));
        assert_eq!(
            (&question.unwrap()[..], &answer.unwrap()[..]),
            (&b"a long question"[..], &b"a long answer"[..])
        );
        assert!(reader.at_eof() && peer.at_eof());
    });
}

#[test]
fn w6_without_a_runtime_it_happens_behind_the_next_flush_or_drop() {
    bounded(|| {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        writer.write("all").unwrap();
        writer.write_eof().unwrap();
        futures::executor::block_on(writer.flush()).unwrap();
        assert_eq!(script.delivered(), b"all");
        drop((reader, writer));
        assert_eq!((script.calls().shutdowns, script.is_gone()), (1, true));
    });
}

#[test]
fn w6_without_a_runtime_the_end_is_handed_over_there_and_then() {
    bounded(|| {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("all").unwrap();
        writer.write_eof().unwrap();
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"all".to_vec(), 1));
    });
}

#[test]
fn w6_where_nobody_reads_it_is_the_end_of_the_connection() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        writer.write("all").unwrap();
        writer.write_eof().unwrap();
        writer.wait_closed().await.unwrap();
        assert!(script.is_gone());
        assert_eq!(script.delivered(), b"all");
    });
}
