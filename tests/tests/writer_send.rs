//! W1: every future of the halves is `Send`, over a transport that is, so that any of them can be awaited
//! in a spawned task.
#![allow(dead_code)] // Compiled and never called: that it compiles is the test.

use bytes::Bytes;
use futures::SinkExt;
use highwater_stream::{Detached, Feeder, ReadHalf, StreamReader, StreamWriter, WeakWriter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Reader = StreamReader<ReadHalf<TcpStream>>;
type Writer = StreamWriter<TcpStream>;

fn is_send<V: Send>(value: V) {
    drop(value);
}

fn reads(reader: &mut Reader) {
    is_send(reader.read(1));
    is_send(reader.read_to_end(1));
    is_send(reader.read_exactly(1));
    is_send(reader.read_exactly_ref(1));
    is_send(reader.read_until(b"\n"));
    is_send(reader.read_until_ref((b"\r\n", b"\n")));
    is_send(reader.read_line());
    is_send(reader.read_line_ref());
    is_send(reader.peek(1));
    is_send(reader.skip_until(b"\n"));
    is_send(reader.lines());
    is_send(reader.lines().next());
    is_send(reader.limited(1).read_line());
    is_send(async { reader.as_async_read().read_u8().await });
}

fn writes(mut writer: Writer, weak: &WeakWriter<TcpStream>) {
    is_send(writer.drain());
    is_send(writer.flush());
    is_send(writer.wait_closed());
    is_send(weak.wait_gone());
    is_send(writer.send(Bytes::new()));
    is_send(async move { writer.into_async_write().shutdown().await });
}

fn both(reader: Reader, writer: Writer) {
    is_send(reader.reunite(writer));
}

fn feeds(feeder: &Feeder) {
    is_send(feeder.room(1));
}

#[test]
fn w1_futures_and_halves_are_send() {
    fn send<T: Send + 'static>() {}
    fn shared<T: Sync>() {}
    send::<Reader>();
    send::<Writer>();
    send::<StreamReader<Detached>>();
    send::<Feeder>();
    send::<highwater_stream::CloseError>();
    send::<highwater_stream::ReuniteError<TcpStream>>();
    shared::<Reader>();
    shared::<Writer>();
    shared::<Feeder>();
    shared::<highwater_stream::WriteError>();
}
