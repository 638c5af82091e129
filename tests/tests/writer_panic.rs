//! W9: a transport that panics fails its own connection, and nothing else.

use highwater_stream::StreamWriter;
use highwater_tests::bounded::{bounded, one_thread, run, settle};
use highwater_tests::transport::scripted;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// Panics in every call.
struct Panics;

impl AsyncWrite for Panics {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        panic!("on purpose, in poll_write");
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("on purpose, in poll_flush");
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("on purpose, in poll_shutdown");
    }
}

/// It is not called again while the stack unwinds, which would end the process.
#[test]
fn w9_a_panic_of_the_transport_is_the_failure_of_its_connection() {
    run(async {
        let writer = StreamWriter::new(Panics);
        writer.write("x").unwrap();
        let waiting = writer.clone();
        let waiting = tokio::spawn(async move { waiting.wait_closed().await });
        settle().await;
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!((error.unsent(), error.cause().to_string()), (1, "the transport panicked".into()));
        assert!(writer.write("more").is_err() && writer.flush().await.is_err());
        // Another connection of the same runtime is as it was.
        let (transport, script) = scripted();
        let other = StreamWriter::new(transport);
        other.write("works").unwrap();
        other.flush().await.unwrap();
        assert_eq!(script.delivered(), b"works");
    });
}

/// The same where it is the program's own task that pushes, and drops its writer while it unwinds.
#[test]
fn w9_a_panic_of_the_transport_under_a_push_unwinds_once() {
    bounded(|| {
        let task = std::thread::spawn(|| {
            let writer = StreamWriter::new(Panics);
            writer.write("x").unwrap();
            let _ = futures::executor::block_on(writer.flush());
        });
        task.join().unwrap_err();
        let close = std::thread::spawn(|| {
            let writer = StreamWriter::new(Panics);
            writer.close();
        });
        close.join().unwrap_err();
    });
}

/// A program that panics drops its runtime while it unwinds: what it wrote is still sent.
#[test]
fn w2_a_program_that_panics_still_hands_over_what_it_wrote() {
    bounded(|| {
        let (transport, script) = scripted();
        let program = std::thread::spawn(move || {
            let runtime = one_thread();
            runtime.block_on(async {
                let (reader, writer) = highwater_stream::pair(transport);
                writer.write("last words").unwrap();
                tokio::spawn(async move {
                    let _halves = (reader, writer);
                    std::future::pending::<()>().await;
                });
                settle().await;
                panic!("on purpose");
            });
        });
        program.join().unwrap_err();
        assert_eq!(script.delivered(), b"last words");
    });
}
