//! W9: the first failure is the one that everybody is told from then on; nothing is written in silence.

use highwater_stream::{ReuniteReason, StreamWriter, WriteError};
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{Scripted, scripted, stalled_after};
use std::error::Error;
use std::io;

const RESET: i32 = 104;
const PIPE: i32 = 32;
const IO: i32 = 5;

fn os(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// Each of them is told the failure with this number.
async fn assert_everybody_is_told(writer: &StreamWriter<Scripted>, number: i32) {
    for _ in 0..2 {
        for refused in [
            writer.write("x"),
            writer.write(""),
            writer.write_lines(["x"]),
            write!(writer, "{}", 1),
            writer.write_eof(),
        ] {
            let error = refused.unwrap_err();
            let WriteError::Transport(kept) = &error else { panic!("{error:?}") };
            assert_eq!(kept.raw_os_error(), Some(number));
            assert_eq!(io::Error::from(error).raw_os_error(), Some(number));
        }
        assert_eq!(writer.drain().await.unwrap_err().raw_os_error(), Some(number));
        assert_eq!(writer.flush().await.unwrap_err().raw_os_error(), Some(number));
        let closed = writer.wait_closed().await.unwrap_err();
        assert_eq!(closed.cause().raw_os_error(), Some(number));
        // Also for those who go by the chain of causes.
        let error = io::Error::from(closed);
        let source = error.get_ref().and_then(|inner| inner.source()).expect("the cause");
        let kept = source.downcast_ref::<highwater_stream::TransportError>().expect("as it is kept");
        assert_eq!(kept.raw_os_error(), Some(number));
    }
    assert!(writer.is_closing());
    assert_eq!(writer.queued(), 0);
}

#[test]
fn w9_the_first_error_of_a_write_is_kept() {
    run(async {
        let (transport, script) = stalled_after(2);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("abcd").unwrap();
        settle().await;
        script.fail_writes(os(RESET));
        settle().await;
        script.fail_writes(os(PIPE));
        script.fail_flushes(os(PIPE));
        assert_everybody_is_told(&writer, RESET).await;
        assert_everybody_is_told(&writer.clone(), RESET).await;
        assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), 2);
        writer.close();
        writer.abort();
        assert_everybody_is_told(&writer, RESET).await;
    });
}

#[test]
fn w9_the_first_error_of_a_flush_or_a_shutdown_is_kept() {
    run(async {
        let (transport, script) = scripted();
        script.fail_flushes(os(RESET));
        let writer = StreamWriter::new(transport);
        writer.write("taken").unwrap();
        settle().await;
        assert_everybody_is_told(&writer, RESET).await;

        let (transport, script) = scripted();
        script.fail_shutdown(os(IO));
        let writer = StreamWriter::new(transport);
        writer.write("taken").unwrap();
        writer.close();
        assert_everybody_is_told(&writer, IO).await;
    });
}

#[test]
fn w9_a_transport_that_takes_nothing_has_failed() {
    run(async {
        // Zero bytes written: the end of all writing, not a reason to ask again for ever.
        let (near, _far) = tokio::io::duplex(1);
        let writer = StreamWriter::new(TakesNothing(near));
        writer.write("x").unwrap();
        assert_eq!(writer.flush().await.unwrap_err().kind(), io::ErrorKind::WriteZero);
    });
}

struct TakesNothing(tokio::io::DuplexStream);

impl tokio::io::AsyncWrite for TakesNothing {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::task::Poll::Ready(Ok(0))
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A signal in the middle of a call is no failure.
#[test]
fn w9_an_interrupted_write_is_repeated() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        script.interrupt_writes(3);
        writer.write("abcd").unwrap();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"abcd");
    });
}

#[test]
fn w9_after_close_a_write_is_an_error_never_silence() {
    run(async {
        let (transport, script) = scripted();
        script.arrive_end();
        let (_reader, writer) = highwater_stream::pair(transport);
        let clone = writer.clone();
        writer.write("all").unwrap();
        writer.close();
        for is_over in [false, true] {
            for writer in [&writer, &clone] {
                assert!(matches!(writer.write("more"), Err(WriteError::Closed)), "is_over: {is_over}");
                assert!(matches!(writer.write(""), Err(WriteError::Closed)));
                assert!(matches!(writer.write_lines(["more"]), Err(WriteError::Closed)));
                assert!(matches!(write!(writer, "{}", 1), Err(WriteError::Closed)));
            }
            writer.wait_closed().await.unwrap();
        }
        assert_eq!(io::Error::from(writer.write("more").unwrap_err()).kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(script.delivered(), b"all");
    });
}

/// The writes before it were easy; this one is not any more, for any writer.
#[test]
fn w9_an_end_in_the_middle_of_a_burst_ends_it() {
    run(async {
        let ends: [fn(&StreamWriter<Scripted>); 3] =
            [|writer| writer.close(), |writer| writer.write_eof().unwrap(), |writer| writer.abort()];
        for end in ends {
            let (transport, script) = stalled_after(0);
            let (_reader, writer) = highwater_stream::pair(transport);
            for _ in 0..3 {
                writer.write("accepted").unwrap();
            }
            end(&writer.clone());
            writer.write("refused").unwrap_err();
            writer.write("").unwrap_err();
            script.open();
            settle().await;
            assert!(!script.taken().ends_with(b"refused"));
        }
    });
}

#[test]
fn w9_after_abort_a_write_is_an_error() {
    run(async {
        let writer = StreamWriter::new(scripted().0);
        writer.abort();
        assert_eq!(
            io::Error::from(writer.write("more").unwrap_err()).kind(),
            io::ErrorKind::ConnectionAborted
        );
    });
}

#[test]
fn w9_an_error_without_a_number_stays_reachable() {
    #[derive(Debug)]
    struct Custom;
    impl std::fmt::Display for Custom {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a cable was cut")
        }
    }
    impl Error for Custom {}
    let kept = highwater_stream::TransportError::from(io::Error::new(io::ErrorKind::HostUnreachable, Custom));
    let error = io::Error::from(WriteError::from(kept.clone()));
    assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::HostUnreachable, "a cable was cut".into()));
    let again = highwater_stream::TransportError::from(error);
    assert!(again.io_error().get_ref().is_some_and(|inner| inner.is::<Custom>()));
}

/// The peer goes while a close delivers, and while the program only writes.
#[test]
fn w9_a_loss_under_close_is_told() {
    run(async {
        let (transport, script) = stalled_after(1);
        let (reader, writer) = highwater_stream::pair(transport);
        writer.write("abcd").unwrap();
        writer.close();
        script.fail_writes(os(RESET));
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!((error.unsent(), error.cause().raw_os_error()), (3, Some(RESET)));
        assert!(script.is_gone());
        let refused = reader.reunite(writer).await.unwrap_err();
        assert!(matches!(refused.reason, ReuniteReason::Failed(_)));
    });
}

#[test]
fn w9_without_a_runtime_the_error_is_kept_too() {
    bounded(|| {
        let (transport, script) = scripted();
        script.fail_writes(os(RESET));
        let writer = StreamWriter::new(transport);
        writer.write("abcd").unwrap();
        assert_eq!(futures::executor::block_on(writer.flush()).unwrap_err().raw_os_error(), Some(RESET));
        futures::executor::block_on(assert_everybody_is_told(&writer, RESET));
    });
}
