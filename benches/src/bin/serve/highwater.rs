//! Ours: handlers as the README shows them.

use crate::{BLOCK, Contender, Job, line, not_offered, request};
use highwater_benches::Service;
use highwater_net::stream::Bytes;
use highwater_net::{
    Handler, Identity, Linger, ServerTls, StreamOptions, StreamReader, StreamWriter, start_server,
};
use std::io;

pub(crate) async fn serve(job: &Job) -> io::Result<()> {
    let every = job.every;
    match (job.service, job.contender) {
        (Service::Echo, Contender::Highwater) => start(job, echo).await,
        (Service::Echo, Contender::HighwaterBorrowed) => start(job, echo_ref).await,
        (Service::EchoOnce, Contender::Highwater) => start(job, echo_once).await,
        (Service::ReadLines, Contender::Highwater) => start(job, read_lines).await,
        (Service::ReadLines, Contender::HighwaterBorrowed) => start(job, read_lines_ref).await,
        (Service::WriteLines, Contender::Highwater) => {
            start(job, move |reader, writer| write_lines(reader, writer, every)).await
        }
        (Service::Sink, Contender::Highwater) => start(job, sink).await,
        (Service::Source, Contender::Highwater) => start(job, source).await,
        (Service::SourceOwned, Contender::Highwater) => start(job, source_owned).await,
        _ => Err(not_offered(job)),
    }
}

async fn start<M>(job: &Job, handler: impl Handler<M>) -> io::Result<()> {
    let mut starting = start_server(handler, ("127.0.0.1", 0));
    if job.no_linger {
        starting = starting.streams(StreamOptions::new().linger(Linger::NONE));
    }
    if let [certificate, key] = &*job.identity {
        let identity = Identity::from_pem_files(certificate, key).map_err(io::Error::other)?;
        starting = starting.tls(ServerTls::new(identity).map_err(io::Error::other)?);
    }
    let server = starting.await?;
    println!("{}", server.local_addrs()[0].port());
    server.serve_forever().await
}

async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    while let Some(line) = reader.read_line().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    Ok(())
}

async fn echo_ref(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    while let Some(line) = reader.read_line_ref().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    Ok(())
}

async fn echo_once(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    if let Some(line) = reader.read_line().await? {
        writer.write(line)?;
    }
    Ok(())
}

async fn read_lines(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let (mut lines, mut bytes) = (0, 0);
    while let Some(line) = reader.read_line().await? {
        lines += 1;
        bytes += line.len();
    }
    writer.write(format!("{lines} {bytes}\n"))?;
    Ok(())
}

async fn read_lines_ref(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let (mut lines, mut bytes) = (0, 0);
    while let Some(line) = reader.read_line_ref().await? {
        lines += 1;
        bytes += line.len();
    }
    writer.write(format!("{lines} {bytes}\n"))?;
    Ok(())
}

async fn write_lines(mut reader: StreamReader, writer: StreamWriter, every: u64) -> io::Result<()> {
    let line = line();
    for _ in 0..asked(&mut reader).await? / every {
        for _ in 0..every {
            writer.write(&*line)?;
        }
        writer.drain().await?;
    }
    Ok(())
}

async fn sink(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let (mut bytes, all) = (0, asked(&mut reader).await? as usize * BLOCK);
    while bytes < all {
        let block = reader.read(BLOCK).await?;
        if block.is_empty() {
            break;
        }
        bytes += block.len();
    }
    writer.write(format!("{bytes}\n"))?;
    Ok(())
}

async fn source(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let block = vec![b'x'; BLOCK];
    for _ in 0..asked(&mut reader).await? {
        writer.write(&*block)?;
        writer.drain().await?;
    }
    Ok(())
}

async fn source_owned(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let block = Bytes::from(vec![b'x'; BLOCK]);
    for _ in 0..asked(&mut reader).await? {
        writer.write(block.clone())?;
        writer.drain().await?;
    }
    Ok(())
}

async fn asked(reader: &mut StreamReader) -> io::Result<u64> {
    request(&reader.read_line().await?.unwrap_or_default())
}
