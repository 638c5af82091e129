//! tokio alone: `BufReader` and `BufWriter` around the socket, or around tokio-rustls around the socket.

use crate::{BLOCK, Contender, Job, accepting, line, not_offered, request};
use highwater_benches::Service;
use highwater_net::rustls::ServerConfig;
use highwater_net::rustls::pki_types::pem::PemObject;
use highwater_net::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

pub(crate) async fn serve(job: &Job) -> io::Result<()> {
    match (job.contender, &*job.identity) {
        (Contender::TokioUnbuffered, []) => {
            dispatch(job, |socket| std::future::ready(Ok(BufReader::new(socket))), drop_it).await
        }
        (Contender::Tokio, []) => {
            dispatch(job, |socket| std::future::ready(Ok(buffered(socket))), drop_it).await
        }
        (Contender::Tokio, [certificate, key]) => {
            let acceptor = acceptor(certificate, key)?;
            let dress = move |socket: TcpStream| {
                let accepting = acceptor.accept(socket);
                async move { Ok(buffered(accepting.await?)) }
            };
            dispatch(job, dress, shut_down).await
        }
        _ => Err(not_offered(job)),
    }
}

fn buffered<S: AsyncRead + AsyncWrite>(stream: S) -> BufReader<BufWriter<S>> {
    BufReader::new(BufWriter::new(stream))
}

fn acceptor(certificate: &Path, key: &Path) -> io::Result<TlsAcceptor> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).map_err(io::Error::other)?.collect();
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map_err(io::Error::other)?, key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves with the conversation for the service, between what a connection is dressed in and how it ends.
async fn dispatch<S, D, E>(
    job: &Job,
    dress: impl Fn(TcpStream) -> D,
    end: fn(BufReader<S>) -> E,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Future<Output = io::Result<BufReader<S>>> + Send + 'static,
    E: Future<Output = io::Result<()>> + Send + 'static,
{
    // One match here and not in the task, which would be as large as the largest conversation.
    macro_rules! serve_by {
        ($converse:expr) => {
            accepting::serve(|socket| {
                let dressing = dress(socket);
                async move { end($converse(dressing.await?).await?).await }
            })
            .await
        };
    }
    let every = job.every;
    match job.service {
        Service::Echo => serve_by!(echo),
        Service::EchoOnce => serve_by!(echo_once),
        Service::ReadLines => serve_by!(read_lines),
        Service::WriteLines => serve_by!(|stream| write_lines(stream, every)),
        Service::Sink => serve_by!(sink),
        Service::Source | Service::SourceOwned => serve_by!(source),
    }
}

async fn drop_it<S>(_: BufReader<S>) -> io::Result<()> {
    Ok(())
}

/// What a TLS connection asks for: a close_notify, or the client has to take the end for a cut.
async fn shut_down<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) -> io::Result<()> {
    stream.shutdown().await
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) -> io::Result<BufReader<S>> {
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).await? > 0 {
        stream.write_all(&line).await?;
        // The flush placed by hand: not while there is more to answer.
        if stream.buffer().is_empty() {
            stream.flush().await?;
        }
        line.clear();
    }
    Ok(stream)
}

async fn echo_once<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) -> io::Result<BufReader<S>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    stream.write_all(&line).await?;
    stream.flush().await?;
    Ok(stream)
}

async fn read_lines<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) -> io::Result<BufReader<S>> {
    let mut line = Vec::new();
    let (mut lines, mut bytes) = (0, 0);
    while stream.read_until(b'\n', &mut line).await? > 0 {
        lines += 1;
        bytes += line.len();
        line.clear();
    }
    answer(stream, format!("{lines} {bytes}\n")).await
}

async fn write_lines<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    every: u64,
) -> io::Result<BufReader<S>> {
    let line = line();
    for _ in 0..asked(&mut stream).await? / every {
        for _ in 0..every {
            stream.write_all(&line).await?;
        }
        stream.flush().await?;
    }
    Ok(stream)
}

async fn sink<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) -> io::Result<BufReader<S>> {
    let mut block = vec![0; BLOCK];
    let (mut bytes, all) = (0, asked(&mut stream).await? as usize * BLOCK);
    while bytes < all {
        let count = stream.read(&mut block).await?;
        if count == 0 {
            break;
        }
        bytes += count;
    }
    answer(stream, format!("{bytes}\n")).await
}

async fn source<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) -> io::Result<BufReader<S>> {
    let block = vec![b'x'; BLOCK];
    for _ in 0..asked(&mut stream).await? {
        stream.write_all(&block).await?;
        stream.flush().await?;
    }
    Ok(stream)
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    text: String,
) -> io::Result<BufReader<S>> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await?;
    Ok(stream)
}

async fn asked<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> io::Result<u64> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    request(&line)
}
