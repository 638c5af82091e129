//! S3: `shutdown` lets handlers finish until the deadline, then closes, then aborts and cancels; and it ends.
//! The clock is paused, so that each moment is exact.

use highwater_net::{Server, Shutdown, StreamReader, StreamWriter, start_server};
use highwater_tests::bounded::settle;
use highwater_tests::counted::run_paused;
use highwater_tests::memory::{Connector, memory};
use std::future::pending;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const DEADLINE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(1);

async fn a_server<M>(handler: impl highwater_net::Handler<M>) -> (Server, Connector) {
    let (listener, connector) = memory();
    (start_server(handler, listener).await.unwrap(), connector)
}

/// Answers each line, until the end.
async fn lines(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    while let Some(line) = reader.read_line().await? {
        writer.write(line)?;
    }
    Ok(())
}

/// The report, and how long it took. Whoever waits for the end is released with it.
async fn shut_down(server: &Server) -> ((usize, usize, usize), Duration) {
    let waits = tokio::spawn({
        let server = server.clone();
        async move { server.wait_closed().await }
    });
    let begin = Instant::now();
    let report = server.shutdown(DEADLINE).await;
    let took = begin.elapsed();
    waits.await.unwrap();
    assert_eq!(server.counts().open, 0);
    assert!(!server.is_serving());
    ((report.closed, report.aborted, report.cancelled), took)
}

/// A client that reads to the end, and hangs up then.
fn hangs_up_at_the_end((mut reader, writer): highwater_tests::net::Halves) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let all = reader.read_to_end(1_000_000).await.unwrap();
        drop(writer);
        all.to_vec()
    })
}

fn about(took: Duration, expected: Duration) {
    let most = expected + Duration::from_millis(5); // the clock ticks in milliseconds
    assert!(expected <= took && took <= most, "{took:?} instead of {expected:?}");
}

#[test]
fn s3_shutdown_of_a_server_without_clients_is_immediate() {
    run_paused(|| async {
        let (server, connector) = a_server(lines).await;
        let (report, took) = shut_down(&server).await;
        assert_eq!((report, took), ((0, 0, 0), Duration::ZERO));
        assert!(connector.is_closed());
        assert_eq!(server.shutdown(DEADLINE).await, Shutdown::default(), "and again");
    });
}

#[test]
fn s3_shutdown_closes_idle_clients_at_the_deadline() {
    run_paused(|| async {
        let (server, connector) = a_server(lines).await;
        let clients: Vec<_> = (0..3).map(|_| hangs_up_at_the_end(connector.connect())).collect();
        settle().await;
        let (report, took) = shut_down(&server).await;
        assert_eq!(report, (3, 0, 0));
        about(took, DEADLINE);
        for client in clients {
            assert_eq!(client.await.unwrap(), b"");
        }
    });
}

/// Its end is read, and it stays nevertheless.
#[test]
fn s3_shutdown_aborts_a_client_that_does_not_hang_up() {
    run_paused(|| async {
        let (server, connector) = a_server(lines).await;
        let (mut reader, _writer) = connector.connect();
        settle().await;
        let (report, took) = shut_down(&server).await;
        assert_eq!(report, (1, 1, 0));
        about(took, DEADLINE + GRACE);
        assert_eq!(reader.read(1).await.unwrap(), "");
    });
}

#[test]
fn s3_shutdown_lets_a_request_finish_before_the_deadline() {
    run_paused(|| async {
        let slow = |mut reader: StreamReader, writer: StreamWriter| async move {
            reader.read_line().await?;
            sleep(Duration::from_secs(3)).await;
            writer.write("the answer\n")?;
            io::Result::Ok(())
        };
        let (server, connector) = a_server(slow).await;
        let (reader, writer) = connector.connect();
        writer.write("a question\n").unwrap();
        let client = hangs_up_at_the_end((reader, writer));
        settle().await;
        let (report, took) = shut_down(&server).await;
        assert_eq!(report, (0, 0, 0));
        about(took, Duration::from_secs(3));
        assert_eq!(client.await.unwrap(), b"the answer\n");
    });
}

/// Neither a handler that waits for it, nor one that has left its answer behind, holds the end up.
#[test]
fn s3_shutdown_aborts_a_client_that_never_reads() {
    run_paused(|| async {
        for waits in [true, false] {
            let much = move |_reader: StreamReader, writer: StreamWriter| async move {
                writer.write(vec![b'm'; 1_000_000])?;
                if waits {
                    writer.drain().await?;
                }
                io::Result::Ok(())
            };
            let (server, connector) = a_server(much).await;
            let (mut reader, _writer) = connector.connect();
            settle().await;
            let (report, took) = shut_down(&server).await;
            assert_eq!(report, (1, 1, usize::from(waits)));
            about(took, DEADLINE + GRACE);
            assert!(reader.read_to_end(1_000_000).await.unwrap().len() < 1_000_000);
        }
    });
}

/// Says when it is dropped.
struct Dropped(UnboundedSender<Instant>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(Instant::now()).ok();
    }
}

#[test]
fn s3_shutdown_cancels_a_handler_that_ignores_the_end() {
    run_paused(|| async {
        let (tell, mut told) = unbounded_channel();
        let ignores = move |reader: StreamReader, writer: StreamWriter| {
            let guard = Dropped(tell.clone());
            async move {
                let _held = (reader, writer, guard);
                pending::<()>().await;
            }
        };
        let (server, connector) = a_server(ignores).await;
        let begin = Instant::now();
        let client = hangs_up_at_the_end(connector.connect());
        settle().await;
        // Its connection is closed and gone in time; only the handler is left.
        assert_eq!(shut_down(&server).await.0, (1, 0, 1));
        about(told.recv().await.unwrap() - begin, DEADLINE + GRACE);
        assert_eq!(client.await.unwrap(), b"");
    });
}

#[test]
fn s3_shutdown_reaches_halves_that_were_given_away() {
    run_paused(|| async {
        let (give, mut take) = highwater_tests::net::give_away();
        let (server, connector) = a_server(give).await;
        let (_client_reader, _client_writer) = connector.connect();
        let (mut reader, writer) = take.recv().await.unwrap();
        let (report, took) = shut_down(&server).await;
        assert_eq!(report, (1, 1, 0));
        about(took, DEADLINE + GRACE);
        assert!(writer.write("too late").is_err());
        reader.read(1).await.ok();
    });
}

#[test]
fn s3_shutdown_with_no_time_closes_at_once() {
    run_paused(|| async {
        let (server, connector) = a_server(lines).await;
        let client = hangs_up_at_the_end(connector.connect());
        settle().await;
        let begin = Instant::now();
        assert_eq!(server.shutdown(Duration::ZERO).await.closed, 1);
        about(begin.elapsed(), Duration::ZERO);
        client.await.unwrap();
    });
}

#[test]
fn s3_shutdown_may_come_from_several_tasks_and_the_earliest_counts() {
    run_paused(|| async {
        let hang = |_reader: StreamReader, _writer: StreamWriter| pending::<()>();
        let (server, connector) = a_server(hang).await;
        let _client = connector.connect();
        settle().await;
        let begin = Instant::now();
        let late = tokio::spawn({
            let server = server.clone();
            async move { server.shutdown(Duration::from_secs(3600)).await }
        });
        settle().await;
        assert_eq!(server.shutdown(DEADLINE).await.cancelled, 1);
        late.await.unwrap();
        about(begin.elapsed(), DEADLINE + GRACE);
    });
}

#[test]
fn s3_shutdown_that_is_cancelled_leaves_handlers_alone_and_may_be_repeated() {
    run_paused(|| async {
        let (server, connector) = a_server(lines).await;
        let (mut reader, writer) = connector.connect();
        settle().await;
        assert!(timeout(DEADLINE / 2, server.shutdown(DEADLINE)).await.is_err());
        sleep(DEADLINE * 2).await;
        writer.write("still there?\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "still there?\n");
        assert!(!server.is_serving());
        {
            let mut closed = pin!(server.wait_closed());
            assert!(futures::poll!(&mut closed).is_pending());
        }
        let client = hangs_up_at_the_end((reader, writer));
        assert_eq!(shut_down(&server).await.0, (1, 0, 0));
        client.await.unwrap();
    });
}

#[test]
fn s3_shutdown_cancels_a_handler_whose_drop_panics_and_ends() {
    run_paused(|| async {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("as it is dropped");
            }
        }
        let (tell, mut told) = highwater_tests::net::hook();
        let (listener, connector) = memory();
        let hang = |reader: StreamReader, writer: StreamWriter| async move {
            let _held = (reader, writer, Bomb);
            pending::<()>().await;
        };
        let server = start_server(hang, listener).on_error(tell).await.unwrap();
        let _client = connector.connect();
        settle().await;
        assert_eq!(shut_down(&server).await.0, (1, 1, 1));
        assert!(told.recv().await.unwrap().ends_with("panicked: as it is dropped"));
    });
}
