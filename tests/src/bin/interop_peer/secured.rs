//! What is said where TLS is the point: lines that show what was agreed, a little HTTP, and the upgrade.

use highwater_net::stream::StreamReader as Lines;
use highwater_net::{ReadUntilError, StreamReader, StreamWriter, start_tls};

use crate::Outcome;
use crate::conversations::{close, echo, echo_one, every_value, send};
use crate::ends::Tls;

/// What `bulk` brings, in lines of 64 bytes.
const BULK_LINES: usize = 100_000;

/// What an HTTP client gets.
const BODY: usize = 10 * 1024 * 1024;

/// Sends back each line, until the peer ends, or says `close`, and then we do; `bulk` brings many lines.
pub(crate) async fn lines(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    tell_facts(&reader);
    let mut count = 0;
    loop {
        let line = match reader.read_line().await {
            Ok(Some(line)) => line,
            Ok(None) => break println!("ended {count}"),
            Err(error) => {
                let error = std::io::Error::from(error);
                println!("{:?} {count} {error}", error.kind());
                return Ok(());
            }
        };
        count += 1;
        match line.trim_ascii() {
            b"close" => break println!("closing {count}"),
            b"bulk" => {
                for number in 0..BULK_LINES {
                    writer.write(format!("{number:063}\n"))?;
                    writer.drain().await?;
                }
            }
            _ => writer.write(line)?,
        }
        writer.drain().await?;
    }
    close(writer).await
}

/// Says each line of standard input, and tells what is answered.
pub(crate) async fn say(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    tell_facts(&reader);
    let mut words = Lines::new(tokio::io::stdin());
    while let Some(line) = words.read_line().await? {
        writer.write(line)?;
        match reader.read_line().await? {
            Some(answer) => println!("got {}", String::from_utf8_lossy(answer.trim_ascii())),
            None => {
                println!("ended");
                break;
            }
        }
    }
    close(writer).await
}

/// `tls VERSION ALPN NAME`, and the certificate that the peer has shown, in hexadecimal digits.
fn tell_facts(reader: &StreamReader) {
    let Some(facts) = reader.facts().tls() else { return println!("plain") };
    let version = facts.version().map_or("?".to_owned(), |version| format!("{version:?}"));
    let alpn = facts.alpn().map_or("-".into(), String::from_utf8_lossy);
    let name = facts.server_name().unwrap_or("-");
    let certificate = facts
        .peer_certificates()
        .first()
        .map_or("-".to_owned(), |certificate| certificate.iter().map(|byte| format!("{byte:02x}")).collect());
    println!("tls {version} {alpn} {name} {certificate}");
}

/// Answers one request with a body, and ends.
pub(crate) async fn http(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let head = match reader.read_until(b"\r\n\r\n").await {
        Ok(head) => head,
        Err(ReadUntilError::Incomplete(end)) => {
            return Err(format!("a request of {} bytes without an end", end.partial().len()).into());
        }
        Err(error) => return Err(error.into()),
    };
    write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\nConnection: close\r\n\r\n")?;
    send(&writer, &every_value(BODY)).await?;
    writer.close();
    // RFC 9112 §9.8: a client that has the length that was announced may go before our close_notify.
    writer.wait_closed().await?;
    println!("served {}", String::from_utf8_lossy(head.split(|&byte| byte == b'\r').next().unwrap_or(b"")));
    Ok(())
}

/// A message there and back in plain, the upgrade, and messages there and back until the end.
pub(crate) async fn upgrade(mut reader: StreamReader, writer: StreamWriter, tls: Tls) -> Outcome {
    echo_one(&mut reader, &writer).await?;
    let upgraded = match tls {
        Tls::Server(tls) => {
            expect(&mut reader, "STARTTLS\n").await?;
            println!("ahead {}", reader.buffered());
            writer.write("go ahead\n")?;
            start_tls(reader, writer, tls).await
        }
        Tls::Client(tls) => {
            writer.write("STARTTLS\n")?;
            expect(&mut reader, "go ahead\n").await?;
            println!("ahead {}", reader.buffered());
            start_tls(reader, writer, tls).await
        }
    };
    match upgraded {
        Ok((reader, writer)) => {
            tell_facts(&reader);
            echo(reader, writer).await
        }
        Err(error) => {
            println!("refused {error}");
            Ok(())
        }
    }
}

async fn expect(reader: &mut StreamReader, line: &str) -> Outcome {
    let said = reader.read_line().await?.unwrap_or_default();
    if said == line { Ok(()) } else { Err(format!("the peer said {said:?} instead of {line:?}").into()) }
}
