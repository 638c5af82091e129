//! A server's and a connection's life over a network in memory that delays, partitions and resets, on a paused
//! clock: each ends after exactly the time that is promised. How it begins is in `net_virtual_connect`.

use highwater_net::{
    ConnectError, Query, Server, StreamOptions, StreamReader, StreamWriter, open_connection, pair,
    start_server, start_tls,
};
use highwater_tests::bounded::run_paused;
use highwater_tests::net::{echo, hook};
use highwater_tests::tls;
use highwater_tests::virtual_net::{Link, Network, WINDOW, Way, link, network, timed};
use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

const DELAY: Duration = Duration::from_millis(40);

/// More than a link takes.
const TOO_MUCH: usize = 5 * WINDOW;

async fn serving<M>(handler: impl highwater_net::Handler<M>) -> (Server, Network) {
    let (listener, network) = network(DELAY);
    (start_server(handler, listener).await.unwrap(), network)
}

/// A server whose connections are the test's: it takes both halves of each.
async fn giving() -> (Server, Network, UnboundedReceiver<(StreamReader, StreamWriter)>) {
    let (give, take) = highwater_tests::net::give_away();
    let (server, network) = serving(give).await;
    (server, network, take)
}

/// Both ends of a connection as halves, without a server.
fn halves() -> ((StreamReader, StreamWriter), (StreamReader, StreamWriter), Link) {
    let (near, far, link) = link(DELAY);
    (pair(near), pair(far), link)
}

fn kind(error: impl Into<io::Error>) -> ErrorKind {
    error.into().kind()
}

/// Why it did not close well, and how many bytes were lost.
async fn closed(writer: &StreamWriter) -> Option<(ErrorKind, u64)> {
    writer.wait_closed().await.err().map(|error| (error.cause().kind(), error.unsent()))
}

#[test]
fn c1_a_name_server_behind_a_partition_costs_the_connect_time_out() {
    run_paused(async {
        let connecting = open_connection(("behind.internal", 1))
            .resolver(|_: Query| pending::<io::Result<Vec<SocketAddr>>>())
            .connect_timeout(Duration::from_secs(7));
        let (failed, took) = timed(connecting).await;
        assert!(matches!(failed, Err(ConnectError::TimedOut { .. })), "{failed:?}");
        assert_eq!(took, 7_000);
    });
}

#[test]
fn s1_a_client_is_served_after_the_delays_of_its_way() {
    run_paused(async {
        let (server, network) = serving(echo).await;
        let ((wire, _link), took) = timed(network.connect()).await;
        assert_eq!((took, server.counts().accepted), (80, 1));
        let (mut reader, writer) = pair(wire);
        writer.write("to and fro\n").unwrap();
        let (line, took) = timed(reader.read_line()).await;
        assert_eq!((&line.unwrap().unwrap()[..], took), (&b"to and fro\n"[..], 80));
        // Its end takes one delay, and the server's, which comes at once, another.
        writer.close();
        assert_eq!(timed(closed(&writer)).await, (None, 80));
    });
}

#[test]
fn w11_an_idle_time_out_counts_from_the_last_byte_that_came_through() {
    run_paused(async {
        let (tell, mut told) = unbounded_channel();
        let (listener, network) = network(DELAY);
        let handler = move |mut reader: StreamReader, _writer: StreamWriter| {
            let tell = tell.clone();
            async move {
                let (failed, took) = timed(async {
                    while reader.read_line().await?.is_some() {}
                    Ok::<_, io::Error>(())
                })
                .await;
                tell.send((failed.unwrap_err().kind(), took)).unwrap();
            }
        };
        let options = StreamOptions::new().read_timeout(Some(Duration::from_secs(60)));
        let _server = start_server(handler, listener).streams(options).await.unwrap();
        let (wire, link) = network.connect().await;
        let (_reader, writer) = pair(wire);
        sleep(Duration::from_secs(10)).await;
        writer.write("one\n").unwrap();
        writer.flush().await.unwrap();
        sleep(DELAY).await;
        link.cut(Way::ToServer);
        writer.write("lost on the way\n").unwrap();
        // It was accepted one delay before the client knew, and the line took another.
        assert_eq!(told.recv().await, Some((ErrorKind::TimedOut, 40 + 10_000 + 40 + 60_000)));
    });
}

#[test]
fn w11_what_a_partition_holds_back_arrives_when_it_is_mended_in_time() {
    run_paused(async {
        let (near, far, link) = halves();
        link.cut(Way::Both);
        near.1.write(vec![b'x'; TOO_MUCH]).unwrap();
        near.1.close();
        let mut reader = far.0;
        tokio::spawn(async move {
            sleep(Duration::from_secs(29)).await;
            link.mend();
        });
        let (all, took) = timed(reader.read_to_end(TOO_MUCH)).await;
        assert_eq!(all.unwrap().len(), TOO_MUCH);
        // Five windows, each sent as the one before it is read.
        assert_eq!(took, 29_000 + 5 * 40);
        far.1.close();
        assert_eq!(closed(&near.1).await, None);
    });
}

#[test]
fn w11_delivery_is_given_up_when_a_partition_lasts() {
    run_paused(async {
        let (near, mut far, link) = halves();
        near.1.write(vec![b'x'; TOO_MUCH]).unwrap();
        sleep(Duration::from_secs(5)).await;
        // One window after the other is taken, until acknowledgements are lost; the third one still comes.
        assert_eq!(far.0.read_exactly(WINDOW).await.unwrap().len(), WINDOW);
        near.1.close();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(far.0.read_exactly(WINDOW).await.unwrap().len(), WINDOW);
        link.cut(Way::ToClient);
        far.0.peek(1).await.unwrap();
        let lost = Some((ErrorKind::TimedOut, 2 * WINDOW as u64));
        assert_eq!(timed(closed(&near.1)).await, (lost, 30_000 - 40));
        // What it had taken has come, and then that it was given up.
        let rest = far.0.read_to_end(TOO_MUCH).await;
        assert_eq!(kind(rest.unwrap_err()), ErrorKind::ConnectionReset);
        assert_eq!(far.0.buffered(), WINDOW);
    });
}

#[test]
fn w11_a_write_time_out_ends_an_open_connection_behind_a_partition() {
    run_paused(async {
        let (near, _far, link) = link(DELAY);
        let options = StreamOptions::new().write_timeout(Some(Duration::from_secs(9)));
        let (mut reader, writer) = options.pair(near);
        link.cut(Way::Both);
        writer.write(vec![b'x'; WINDOW]).unwrap();
        writer.flush().await.unwrap();
        sleep(Duration::from_secs(100)).await;
        assert!(!writer.is_closing(), "all that was queued was taken");
        writer.write("one byte is enough").unwrap();
        let (flushed, took) = timed(writer.flush()).await;
        assert_eq!((flushed.unwrap_err().kind(), took), (ErrorKind::TimedOut, 9_000));
        assert_eq!(reader.read(1).await.unwrap_err().kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn w7_a_linger_behind_a_partition_lasts_two_seconds() {
    run_paused(async {
        let (near, mut far, link) = halves();
        near.1.write("the reply\n").unwrap();
        near.1.flush().await.unwrap();
        sleep(DELAY).await;
        link.cut(Way::ToServer);
        near.1.close();
        assert_eq!(timed(closed(&near.1)).await, (None, 2_000));
        assert_eq!(far.0.read_line().await.unwrap().unwrap(), "the reply\n");
        let mut end = tokio::spawn(async move { far.0.read_line().await });
        assert!(timeout(Duration::from_secs(3_600), &mut end).await.is_err(), "nothing comes");
        link.mend();
        let (end, took) = timed(end).await;
        assert_eq!((end.unwrap().unwrap(), took), (None, 40));
    });
}

#[test]
fn w7_what_is_written_and_closed_at_once_arrives_after_the_delay() {
    run_paused(async {
        let (near, far, _link) = link(Duration::from_secs(5));
        let ((_reader, writer), (mut peer, reply)) = (pair(near), pair(far));
        writer.write("farewell\n").unwrap();
        writer.close();
        let (all, took) = timed(peer.read_to_end(100)).await;
        assert_eq!((&all.unwrap()[..], took), (&b"farewell\n"[..], 5_000));
        // The peer's end comes too late for the linger, which saw nothing for 2 s.
        assert_eq!(timed(closed(&writer)).await, (None, 0));
        reply.write("who hears it?").unwrap();
        reply.flush().await.unwrap();
        let (after, took) = timed(async {
            loop {
                sleep(Duration::from_millis(1)).await;
                if let Err(error) = reply.write("nobody") {
                    return error;
                }
            }
        })
        .await;
        assert_eq!(kind(after), ErrorKind::ConnectionReset);
        assert_eq!(took / 10, 1_000, "to and fro");
    });
}

#[test]
fn w6_half_of_a_connection_ends_and_the_reply_still_comes() {
    run_paused(async {
        let counts = |mut reader: StreamReader, writer: StreamWriter| async move {
            let all = reader.read_to_end(TOO_MUCH).await?;
            writer.write(format!("{}\n", all.len()))?;
            io::Result::Ok(())
        };
        let (_server, network) = serving(counts).await;
        let (wire, _link) = network.connect().await;
        let (mut reader, writer) = pair(wire);
        writer.write(vec![b'x'; TOO_MUCH]).unwrap();
        writer.write_eof().unwrap();
        let (line, took) = timed(reader.read_line()).await;
        assert_eq!((&line.unwrap().unwrap()[..], took), (&b"20000\n"[..], 5 * 40 + 40));
        assert_eq!(timed(reader.read(1)).await.0.unwrap(), "");
    });
}

/// What the client has sent comes; what the server answers does not, and it need not wait for a client that has ended.
#[test]
fn s1_a_server_behind_half_a_partition_is_done_with_a_client_that_has_ended() {
    run_paused(async {
        let (server, network) = serving(echo).await;
        let (wire, link) = network.connect().await;
        let (mut reader, writer) = pair(wire);
        link.cut(Way::ToClient);
        writer.write("a line\n").unwrap();
        writer.write_eof().unwrap();
        server.close();
        assert_eq!(timed(server.wait_closed()).await.1, 40);
        assert!(timeout(Duration::from_secs(60), reader.read_line()).await.is_err());
        link.mend();
        assert_eq!(timed(reader.read_line()).await.1, 40);
    });
}

/// Fills the way to a client that is behind a partition, and reports how its handler ended.
async fn stuck(
    deadline: Duration,
    way: Way,
    mended_after: Option<Duration>,
) -> ((usize, usize, usize), u128, Client) {
    let talks = |_reader: StreamReader, writer: StreamWriter| async move {
        writer.write(vec![b'x'; TOO_MUCH])?;
        writer.flush().await.map_err(io::Error::from)
    };
    let (listener, network) = network(DELAY);
    let server = start_server(talks, listener).on_error(|_| {}).await.unwrap();
    let (wire, link) = network.connect().await;
    link.cut(way);
    let (mut reader, writer) = pair(wire);
    let mender = link.clone();
    tokio::spawn(async move {
        if let Some(after) = mended_after {
            sleep(after).await;
            mender.mend();
        }
    });
    let client = tokio::spawn(async move {
        let all = reader.read_to_end(TOO_MUCH).await;
        drop(writer);
        (all.map(|all| all.len()).map_err(kind), reader.buffered())
    });
    let (report, took) = timed(server.shutdown(deadline)).await;
    assert_eq!(server.counts().open, 0);
    link.mend();
    ((report.closed, report.aborted, report.cancelled), took, client.await.unwrap())
}

type Client = (Result<usize, ErrorKind>, usize);

#[test]
fn s3_shutdown_ends_with_a_client_behind_a_partition() {
    run_paused(async {
        for way in [Way::Both, Way::ToClient] {
            let (report, took, client) = stuck(Duration::from_secs(10), way, None).await;
            // Its handler waits in `flush`, and is cancelled with the abort.
            assert_eq!((report, took), ((1, 1, 1), 11_000));
            assert_eq!(client.0, Err(ErrorKind::ConnectionReset));
        }
    });
}

#[test]
fn s3_shutdown_delivers_to_a_client_whose_partition_is_mended_before_the_deadline() {
    run_paused(async {
        let (report, took, client) =
            stuck(Duration::from_secs(10), Way::Both, Some(Duration::from_secs(4))).await;
        assert_eq!(report, (0, 0, 0));
        assert_eq!(client, (Ok(TOO_MUCH), 0));
        assert_eq!(took, 4_000 + 4 * 40 + 40, "the first window had come");
    });
}

#[test]
fn s3_shutdown_delivers_to_a_client_whose_partition_is_mended_within_the_grace() {
    run_paused(async {
        let (report, took, client) =
            stuck(Duration::from_secs(10), Way::Both, Some(Duration::from_millis(10_500))).await;
        assert_eq!(report, (1, 0, 0));
        assert_eq!(client, (Ok(TOO_MUCH), 0));
        assert_eq!(took, 10_500 + 4 * 40 + 40, "the first window had come");
    });
}

#[test]
fn t3_a_handshake_behind_a_partition_takes_a_minute_on_either_end() {
    run_paused(async {
        let (hook, mut told) = hook();
        let (listener, network) = network(DELAY);
        let server = start_server(echo, listener).tls(tls::server()).on_error(hook).await.unwrap();
        // Lost from the beginning, after the client's hello has come, and after the server's answer has.
        for cut_after in [0, 60, 100] {
            let (wire, link) = network.connect().await;
            let (reader, writer) = pair(wire);
            tokio::spawn(async move {
                sleep(Duration::from_millis(cut_after)).await;
                link.cut(Way::Both);
            });
            let (failed, took) =
                timed(start_tls(reader, writer, tls::client().server_name("localhost"))).await;
            match cut_after {
                0 | 60 => assert_eq!((failed.unwrap_err().kind(), took), (ErrorKind::TimedOut, 60_000)),
                // The client was done with its part.
                _ => assert!(failed.is_ok() && took == 80, "{failed:?} after {took} ms"),
            }
            let (told, waited) = timed(told.recv()).await;
            assert!(told.unwrap().contains("60s"), "the server's minute began with the connection");
            assert!(took + waited <= 60_000, "{took} and {waited} ms");
        }
        assert_eq!(server.counts().failed_handshakes, 3);
    });
}

#[test]
fn t3_a_handshake_over_a_slow_link_takes_its_round_trips() {
    run_paused(async {
        let (listener, network) = network(Duration::from_secs(9));
        let _server = start_server(echo, listener).tls(tls::server()).await.unwrap();
        let (wire, _link) = network.connect().await;
        let (reader, writer) = pair(wire);
        let ((mut reader, writer), took) =
            timed(async { start_tls(reader, writer, tls::client().server_name("localhost")).await.unwrap() })
                .await;
        assert_eq!(took % 18_000, 0, "round trips");
        writer.write("a line\n").unwrap();
        assert_eq!(timed(reader.read_line()).await.1, 18_000);
    });
}

/// What an end is doing when its connection is reset, 100 ms later.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Reads,
    ReadsToTheEnd,
    Flushes,
    Drains,
    HasEndedItsHalf,
    Closes,
    Lingers,
    Handshakes,
}

impl Phase {
    const ALL: [Self; 8] = [
        Self::Reads,
        Self::ReadsToTheEnd,
        Self::Flushes,
        Self::Drains,
        Self::HasEndedItsHalf,
        Self::Closes,
        Self::Lingers,
        Self::Handshakes,
    ];

    /// How it ends.
    async fn ends(
        self,
        mut reader: StreamReader,
        writer: StreamWriter,
        peer: &StreamWriter,
    ) -> Option<ErrorKind> {
        match self {
            Self::Reads => reader.read_line().await.err().map(kind),
            Self::ReadsToTheEnd => {
                peer.write("some of it").unwrap();
                let failed = reader.read_to_end(100).await.err().map(kind);
                assert_eq!(reader.unread_bytes(), b"some of it");
                assert_eq!(reader.read(100).await.unwrap(), "some of it", "first what had come");
                assert_eq!(reader.read(100).await.err().map(|error| error.kind()), failed, "then the truth");
                failed
            }
            Self::Flushes => {
                writer.write(vec![b'x'; TOO_MUCH]).unwrap();
                writer.flush().await.err().map(|error| error.kind())
            }
            Self::Drains => {
                writer.write(vec![b'x'; 100_000]).unwrap();
                let failed = writer.drain().await.err().map(|error| error.kind());
                assert_eq!(writer.write("more").map_err(kind).err(), failed);
                failed
            }
            Self::HasEndedItsHalf => {
                writer.write_eof().unwrap();
                reader.read(1).await.err().map(|error| error.kind())
            }
            Self::Closes => {
                writer.write(vec![b'x'; TOO_MUCH]).unwrap();
                writer.close();
                closed(&writer).await.map(|(kind, _)| kind)
            }
            // All is delivered, and nothing is lost by a reset that comes then.
            Self::Lingers => {
                writer.write("delivered").unwrap();
                writer.close();
                closed(&writer).await.map(|(kind, _)| kind)
            }
            Self::Handshakes => {
                let failed = start_tls(reader, writer, tls::client().server_name("localhost")).await;
                failed.err().map(|error| error.kind())
            }
        }
    }
}

#[test]
fn w9_a_reset_ends_whatever_waits_there_and_then() {
    run_paused(async {
        for phase in Phase::ALL {
            let (near, far, link) = halves();
            tokio::spawn(async move {
                sleep(Duration::from_millis(100)).await;
                link.reset();
            });
            let (ended, took) = timed(phase.ends(near.0, near.1, &far.1)).await;
            let expected = match phase {
                Phase::Lingers => None,
                _ => Some(ErrorKind::ConnectionReset),
            };
            assert_eq!((ended, took), (expected, 100), "{phase:?}");
        }
    });
}

#[test]
fn s1_a_reset_ends_a_handler_and_no_other() {
    run_paused(async {
        let (server, network, mut take) = giving().await;
        let ((one, link), (other, _link)) = (network.connect().await, network.connect().await);
        let (mut reset, _) = take.recv().await.unwrap();
        let (mut stays, reply) = take.recv().await.unwrap();
        let (_one, (mut reader, writer)) = (pair(one), pair(other));
        link.reset();
        assert_eq!(timed(reset.read(1)).await.0.unwrap_err().kind(), ErrorKind::ConnectionReset);
        writer.write("still here\n").unwrap();
        assert_eq!(timed(stays.read_line()).await.1, 40);
        reply.write("so is the server\n").unwrap();
        assert_eq!(timed(reader.read_line()).await.1, 40);
        assert_eq!(server.counts().open, 1);
    });
}

#[test]
fn s3_close_clients_gives_up_on_a_client_behind_a_partition() {
    run_paused(async {
        let (server, network, mut take) = giving().await;
        let (_wire, link) = network.connect().await;
        let (_served, writer) = take.recv().await.unwrap();
        link.cut(Way::Both);
        writer.write(vec![b'x'; TOO_MUCH]).unwrap();
        server.close();
        server.close_clients();
        assert_eq!(timed(server.wait_closed()).await.1, 30_000);
        assert_eq!(closed(&writer).await, Some((ErrorKind::TimedOut, (TOO_MUCH - WINDOW) as u64)));
    });
}

/// The server need not wait for a client to hear of it, which it does once it can.
#[test]
fn s3_abort_clients_reaches_a_client_when_its_partition_is_mended() {
    run_paused(async {
        let (server, network, mut take) = giving().await;
        let (wire, link) = network.connect().await;
        let (mut served, _writer) = take.recv().await.unwrap();
        let (mut reader, _client) = pair(wire);
        link.cut(Way::Both);
        server.abort_clients();
        let (failed, took) = timed(served.read(1)).await;
        assert_eq!((failed.unwrap_err().kind(), took), (ErrorKind::ConnectionAborted, 0));
        assert!(timeout(Duration::from_secs(3_600), reader.read(1)).await.is_err());
        link.mend();
        let (failed, took) = timed(reader.read(1)).await;
        assert_eq!((failed.unwrap_err().kind(), took), (ErrorKind::ConnectionReset, 40));
    });
}
