//! R1 where there are many connections: what one of them holds of the heap while nothing happens. In a file of its
//! own, for its allocator counts.

use highwater_net::{StreamReader, StreamWriter, start_server};
use highwater_tests::bounded::{bounded, one_thread};
use highwater_tests::net::LOOPBACK;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

const CONNECTIONS: usize = 100;
const LINE: &[u8] = &[b'\n'; 1];

async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    while let Some(line) = reader.read_line().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    Ok(())
}

/// A client without a heap of its own, after an echo.
async fn served(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(LINE).unwrap();
    client.set_nonblocking(true).unwrap();
    loop {
        match client.read(&mut [0; 1]) {
            Ok(count) => {
                assert_eq!(count, LINE.len());
                return client;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        tokio::task::yield_now().await;
    }
}

/// The handler's future and its task, the connection, and tokio's registration of the socket: no buffer.
#[test]
fn r1_an_idle_connection_of_a_server_holds_no_buffer() {
    bounded(|| {
        let runtime = one_thread();
        let server = runtime.block_on(async { start_server(echo, LOOPBACK).await }).unwrap();
        let address = server.local_addrs()[0];
        let mut clients = Vec::with_capacity(CONNECTIONS + 1);
        clients.push(runtime.block_on(served(address)));
        let tasks = runtime.metrics().num_alive_tasks();
        let held = allocation_counter::measure(|| {
            runtime.block_on(async {
                for _ in 0..CONNECTIONS {
                    clients.push(served(address).await);
                }
            });
        });
        let each = held.bytes_current / CONNECTIONS as i64;
        highwater_tests::report(&format!("an idle connection: {each} bytes of the heap"));
        assert!(each < 2304, "{each} bytes each");
        // Each is one task: what sends is not another.
        assert_eq!(runtime.metrics().num_alive_tasks() - tasks, CONNECTIONS);
    });
}
