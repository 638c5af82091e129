//! Which method a call means with tokio's and futures' extension traits imported: proved by the type of
//! what comes out, for owned and borrowed receivers. It has only to compile.
#![allow(dead_code)] // Compiled and never called: that it compiles is the test.

// All of them, as a program has them: what is not ambiguous is not used.
#[allow(unused_imports)]
use futures::{SinkExt, StreamExt, TryStreamExt};
#[allow(unused_imports)]
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use bytes::Bytes;
use highwater_stream::{
    CloseError, LimitedReadError, Lines, ReadExactlyError, ReadHalf, ReadUntilError, SkipUntilError, Split,
    StreamReader, StreamWriter, TransportError, WriteError,
};
use std::future::Future;
use tokio::io::DuplexStream;

type Reader = StreamReader<ReadHalf<DuplexStream>>;
type Writer = StreamWriter<DuplexStream>;

/// A future, and what it gives.
fn gives<V>(future: impl Future<Output = V>) {
    drop(future);
}

fn is<V>(value: V) {
    drop(value);
}

// ---- the reader: all of these are its own, though tokio's traits have methods of the same names --------

fn owned_reader(mut reader: Reader) {
    gives::<Result<Bytes, TransportError>>(reader.read(1));
    gives::<Result<Bytes, LimitedReadError>>(reader.read_to_end(1));
    gives::<Result<Bytes, ReadExactlyError>>(reader.read_exactly(1));
    gives::<Result<Bytes, ReadUntilError>>(reader.read_until(b"\n"));
    gives::<Result<Option<Bytes>, LimitedReadError>>(reader.read_line());
    gives::<Result<u64, SkipUntilError>>(reader.skip_until(b"\n"));
    gives::<Result<&[u8], TransportError>>(reader.peek(1));
    is::<Lines<'_, _>>(reader.lines());
    is::<Split<'_, _>>(reader.split(b"\n").unwrap());
    is::<usize>(reader.buffered());
    // By value as well: tokio's `lines` and `split` consume, ours borrow.
    is::<Lines<'_, _>>(reader.lines());
    drop(reader);
}

fn borrowed_reader(reader: &mut Reader) {
    gives::<Result<Bytes, TransportError>>(reader.read(1));
    gives::<Result<Bytes, LimitedReadError>>(reader.read_to_end(1));
    gives::<Result<Bytes, ReadExactlyError>>(reader.read_exactly(1));
    gives::<Result<Bytes, ReadUntilError>>(reader.read_until(b"\n"));
    gives::<Result<Option<Bytes>, LimitedReadError>>(reader.read_line());
    gives::<Result<u64, SkipUntilError>>(reader.skip_until(b"\n"));
    gives::<Result<&[u8], TransportError>>(reader.peek(1));
    is::<Lines<'_, _>>(reader.lines());
    is::<Split<'_, _>>(reader.split(b"\n").unwrap());
    is::<Lines<'_, _>>(reader.lines());
}

/// The streams: `next` is their own, which gives what `StreamExt`'s would.
fn streams(reader: &mut Reader) {
    let mut lines = reader.lines();
    gives::<Option<Result<Bytes, LimitedReadError>>>(lines.next());
    gives::<Result<Option<Bytes>, LimitedReadError>>(lines.try_next());
    let borrowed = &mut lines;
    gives::<Option<Result<Bytes, LimitedReadError>>>(borrowed.next());
    let mut fields = reader.split(b",").unwrap();
    gives::<Option<Result<Bytes, LimitedReadError>>>(fields.next());
}

// ---- the writer ----------------------------------------------------------------------------------------

async fn owned_writer(writer: Writer) {
    is::<Result<(), WriteError>>(writer.write(b"x"));
    is::<Result<(), WriteError>>(write!(writer, "{}", 1));
    is::<Result<(), WriteError>>(writer.write_eof());
    gives::<Result<(), TransportError>>(writer.drain());
    gives::<Result<(), TransportError>>(writer.flush());
    gives::<Result<(), CloseError>>(writer.wait_closed());
    // Not a future: it does not wait.
    let () = writer.close();
    let () = writer.abort();
}

async fn shared_writer(writer: &Writer) {
    is::<Result<(), WriteError>>(writer.write(b"x"));
    is::<Result<(), WriteError>>(write!(writer, "{}", 1));
    gives::<Result<(), TransportError>>(writer.drain());
    gives::<Result<(), TransportError>>(writer.flush());
    gives::<Result<(), CloseError>>(writer.wait_closed());
    let () = writer.close();
    let () = writer.abort();
}

/// A `&mut` receiver is the `Sink`'s where `SinkExt` has the name: `flush` and `close`. Both keep their
/// meaning; `close` is then a future, which the compiler wants to be awaited.
async fn borrowed_writer(writer: &mut Writer) {
    is::<Result<(), WriteError>>(writer.write(b"x"));
    is::<Result<(), WriteError>>(write!(writer, "{}", 1));
    gives::<Result<(), TransportError>>(writer.drain());
    gives::<Result<(), CloseError>>(writer.wait_closed());
    let () = writer.abort();
    gives::<Result<(), WriteError>>(writer.flush());
    gives::<Result<(), WriteError>>(writer.close());
    gives::<Result<(), WriteError>>(writer.send(Bytes::new()));
    gives::<Result<(), WriteError>>(writer.feed(Bytes::new()));
    // Its own, by name or through a shared borrow.
    gives::<Result<(), TransportError>>(StreamWriter::flush(writer));
    gives::<Result<(), TransportError>>((*writer).flush());
    let shared: &Writer = writer;
    gives::<Result<(), TransportError>>(shared.flush());
    let () = StreamWriter::close(writer);
}

/// Without `SinkExt` there is only one meaning.
mod without_futures {
    use super::{Writer, gives};
    use highwater_stream::TransportError;
    #[allow(unused_imports)]
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

    fn borrowed_writer(writer: &mut Writer) {
        gives::<Result<(), TransportError>>(writer.flush());
        let () = writer.close();
    }
}

// ---- what must not be there ----------------------------------------------------------------------------

/// Gives `false` for every type; a type that has the trait has an inherent one that hides it.
trait Lacks {
    const HAS: bool = false;
}

impl<T> Lacks for T {}

struct Reads<T>(std::marker::PhantomData<T>);
struct Buffers<T>(std::marker::PhantomData<T>);
struct Writes<T>(std::marker::PhantomData<T>);

impl<T: tokio::io::AsyncRead> Reads<T> {
    const HAS: bool = true;
}

impl<T: tokio::io::AsyncBufRead> Buffers<T> {
    const HAS: bool = true;
}

impl<T: tokio::io::AsyncWrite> Writes<T> {
    const HAS: bool = true;
}

/// So none of tokio's unbounded or lossy methods is called by accident, whatever the receiver.
#[test]
fn neither_half_has_the_methods_of_tokio() {
    const {
        assert!(!Reads::<Reader>::HAS && !Reads::<&mut Reader>::HAS);
        assert!(!Buffers::<Reader>::HAS && !Buffers::<&mut Reader>::HAS);
        assert!(!Reads::<StreamReader<&[u8]>>::HAS && !Buffers::<StreamReader<&[u8]>>::HAS);
        assert!(!Writes::<Writer>::HAS && !Writes::<&mut Writer>::HAS && !Writes::<&Writer>::HAS);
        // The proof works: this is what they look like where they are there.
        assert!(Reads::<DuplexStream>::HAS && Writes::<DuplexStream>::HAS && Buffers::<&[u8]>::HAS);
        assert!(Reads::<highwater_stream::AsyncReader<&mut Reader>>::HAS);
        assert!(Buffers::<highwater_stream::AsyncReader<Box<Reader>>>::HAS);
        assert!(Writes::<highwater_stream::AsyncWriter<DuplexStream>>::HAS);
    }
}
