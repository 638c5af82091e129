//! A line there and back, through a pipe in memory: what a server and its runtime do for a round trip, without
//! the kernel.
//!
//! The client is the same for all, and in the figures too: it writes a line and reads as many bytes.

use highwater_benches::runtime;
use highwater_stream::pair;
use std::hint::black_box;
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, DuplexStream, duplex, split,
};

const LINE: &[u8; 64] = &{
    let mut line = [b'x'; 64];
    line[63] = b'\n';
    line
};
/// What the pipe holds, each way.
const PIPE: usize = 4096;

/// Asks so often, and is answered each time, by whoever serves the other end.
fn echo<F>(count: usize, serve: impl FnOnce(DuplexStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut client, server) = duplex(PIPE);
    let server = serve(server);
    runtime().block_on(async {
        let server = tokio::spawn(server);
        let mut answer = [0; LINE.len()];
        for _ in 0..count {
            client.write_all(black_box(LINE)).await.expect("the server reads");
            client.read_exact(&mut answer).await.expect("the server answers");
            assert_eq!(&answer, LINE);
        }
        drop(client);
        server.await.expect("the server ends with its client");
    });
}

pub(crate) fn ours(count: usize) {
    echo(count, |stream| async {
        let (mut reader, writer) = pair(stream);
        while let Some(line) = reader.read_line_ref().await.expect("lines are short") {
            writer.write(line).expect("the client reads");
            writer.drain().await.expect("the client reads");
        }
    });
}

pub(crate) fn tokios(count: usize) {
    echo(count, |stream| async {
        let (reader, writer) = split(stream);
        let (mut reader, mut writer) = (BufReader::new(reader), BufWriter::new(writer));
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).await.expect("memory does not fail") > 0 {
            writer.write_all(&line).await.expect("the client reads");
            writer.flush().await.expect("the client reads");
            line.clear();
        }
    });
}
