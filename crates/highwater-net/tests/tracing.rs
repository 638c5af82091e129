//! What a server tells `tracing`: a span for each connection, and events with their facts in fields. Run with
//! `--features tracing`.
#![cfg(feature = "tracing")]

use highwater_net::{Address, Incoming, Listener, StreamReader, StreamWriter, open_connection, start_server};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber, info};
use tracing_subscriber::layer::{Context as Layers, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

const LOCAL: (&str, u16) = ("127.0.0.1", 0);

/// The fields of a span or an event, as text.
#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// An event, and the spans around it from the innermost.
#[derive(Clone, Debug)]
struct Told {
    level: Level,
    target: String,
    fields: Fields,
    spans: Vec<(String, Fields)>,
}

impl Told {
    fn field(&self, name: &str) -> &str {
        self.fields.0.get(name).unwrap_or_else(|| panic!("no field {name} in {self:?}"))
    }
}

#[derive(Clone, Default)]
struct Hears(Arc<Mutex<Vec<Told>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Hears {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, layers: Layers<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        layers.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_event(&self, event: &Event<'_>, layers: Layers<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spans = layers.event_scope(event).into_iter().flatten().map(|span| {
            let name = format!("{} {}", span.metadata().target(), span.name());
            (name, span.extensions().get::<Fields>().unwrap().clone())
        });
        let metadata = event.metadata();
        let (level, target) = (*metadata.level(), metadata.target().to_owned());
        self.0.lock().unwrap().push(Told { level, target, fields, spans: spans.collect() });
    }
}

impl Hears {
    /// The event with this message, once it was told.
    async fn of(&self, message: &str) -> Told {
        let told = async {
            loop {
                let told = self.all(message).pop();
                match told {
                    Some(told) => return told,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(30), told).await;
        told.unwrap_or_else(|_| panic!("{message:?} was not told, only {:?}", self.0.lock().unwrap()))
    }

    fn all(&self, message: &str) -> Vec<Told> {
        let told = self.0.lock().unwrap();
        told.iter()
            .filter(|told| told.fields.0.get("message").is_some_and(|text| text == message))
            .cloned()
            .collect()
    }
}

/// Runs a test on this thread, on which it hears everything.
fn heard(test: impl AsyncFnOnce(Hears)) {
    let hears = Hears::default();
    let _hearing = tracing_subscriber::registry().with(hears.clone()).set_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test(hears));
}

/// Connections in memory, and errors.
struct Brings(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Listener for Brings {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(brought)) => Poll::Ready(brought.map(Incoming::new)),
            _ => Poll::Pending,
        }
    }

    fn local_addr(&self) -> Address {
        Address::from(std::net::SocketAddr::from(([192, 0, 2, 1], 7)))
    }
}

#[test]
fn s1_a_handler_runs_in_the_span_of_its_connection_and_nothing_else_does() {
    heard(async |hears| {
        let handler = async |mut reader: StreamReader, _writer: StreamWriter| {
            info!("before");
            let line = reader.read_line().await?;
            info!(?line, "after a wait");
            io::Result::Ok(())
        };
        let server = start_server(handler, LOCAL).await.unwrap();
        let mut ports = Vec::new();
        let mut clients = Vec::new();
        for _ in 0..2 {
            let (reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            ports.push(writer.facts().local_addr().to_string());
            clients.push((reader, writer));
            // The order of the accepts is that of the connections.
            while hears.all("before").len() < ports.len() {
                tokio::task::yield_now().await;
            }
        }
        for (_reader, writer) in &clients {
            writer.write("go on\n").unwrap();
            writer.flush().await.unwrap();
        }
        while hears.all("after a wait").len() < 2 {
            tokio::task::yield_now().await;
        }
        info!("elsewhere");

        for message in ["before", "after a wait"] {
            let told = hears.all(message);
            let mut seen = Vec::new();
            for told in &told {
                let [(name, fields)] = &told.spans[..] else { panic!("{told:?}") };
                assert_eq!(name, "highwater::connection connection");
                assert_eq!(fields.0["local"], server.local_addrs()[0].to_string());
                seen.push((fields.0["id"].clone(), fields.0["peer"].clone()));
            }
            seen.sort();
            assert_eq!(seen, [("0".to_owned(), ports[0].clone()), ("1".to_owned(), ports[1].clone())]);
        }
        assert!(hears.all("elsewhere")[0].spans.is_empty());
    });
}

#[test]
fn s1_a_handler_that_fails_or_panics_is_an_event_in_its_span() {
    heard(async |hears| {
        let handler = async |mut reader: StreamReader, _writer: StreamWriter| match reader.read_line().await {
            Ok(Some(line)) if line == "fail\n" => Err("no such mailbox"),
            _ => panic!("an invariant fell"),
        };
        let server = start_server(handler, LOCAL).await.unwrap();
        for (line, message, field, text) in [
            ("fail\n", "a handler failed", "error", "no such mailbox"),
            ("panic\n", "a handler panicked", "panic", "an invariant fell"),
        ] {
            let (_reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            writer.write(line).unwrap();
            let told = hears.of(message).await;
            assert_eq!((told.level, &*told.target), (Level::WARN, "highwater::server"));
            assert_eq!(told.field(field), text);
            assert_eq!(told.field("peer"), writer.facts().local_addr().to_string());
            assert_eq!(told.spans[0].1.0["peer"], told.field("peer"));
        }
    });
}

#[test]
fn s4_an_accept_that_fails_is_an_event_with_the_number_of_the_system() {
    heard(async |hears| {
        let (bring, brings) = mpsc::unbounded_channel();
        let _server =
            start_server(|_: StreamReader, _: StreamWriter| {}, Box::new(Brings(brings))).await.unwrap();
        bring.send(Err(io::Error::from_raw_os_error(24))).unwrap();
        let told = hears.of("a connection could not be accepted").await;
        assert_eq!((told.level, &*told.target), (Level::WARN, "highwater::server"));
        assert_eq!((told.field("local"), told.field("os_error")), ("192.0.2.1:7", "24"));
        assert!(told.spans.is_empty());
    });
}

#[test]
fn w2_bytes_that_are_lost_are_an_event_with_their_number() {
    heard(async |hears| {
        // In a server.
        let (bring, brings) = mpsc::unbounded_channel();
        let handler = async |_: StreamReader, writer: StreamWriter| drop(writer.write("ten bytes."));
        let _server = start_server(handler, Box::new(Brings(brings))).await.unwrap();
        let (near, mut far) = tokio::io::duplex(4);
        bring.send(Ok(near)).unwrap();
        tokio::io::AsyncReadExt::read_exact(&mut far, &mut [0]).await.unwrap();
        drop(far);
        let told = hears.of("bytes were lost").await;
        assert_eq!((told.level, &*told.target), (Level::WARN, "highwater::server"));
        assert!((5..=6).contains(&told.field("unsent").parse::<u64>().unwrap()), "{told:?}");
        assert_eq!((told.field("peer"), told.field("error")), ("an unknown address", "broken pipe"));
        assert_eq!(told.spans.len(), 1);

        // And without one.
        let (near, far) = tokio::io::duplex(4);
        let pair = highwater_net::stream::pair(near);
        pair.1.write("ten bytes.").unwrap();
        drop((far, pair));
        tokio::task::yield_now().await;
        let told = hears.all("bytes were lost").pop().unwrap();
        assert_eq!((told.level, &*told.target), (Level::WARN, "highwater::stream"));
        assert_eq!(told.field("unsent"), "10");
    });
}

#[cfg(feature = "tls")]
#[test]
fn t3_a_handshake_that_fails_is_an_event_for_those_who_look() {
    use highwater_net::{Identity, ServerTls};

    heard(async |hears| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
        let tls = ServerTls::new(identity).unwrap();
        let server = start_server(|_: StreamReader, _: StreamWriter| {}, LOCAL).tls(tls).await.unwrap();
        let (_reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        writer.write("GET / HTTP/1.0\r\n\r\n").unwrap();
        let told = hears.of("a handshake failed").await;
        assert_eq!((told.level, &*told.target), (Level::DEBUG, "highwater::server"));
        assert_eq!(told.field("peer"), writer.facts().local_addr().to_string());
        assert!(!told.field("error").is_empty());
        assert_eq!(told.spans.len(), 1);
        assert_eq!(server.counts().failed_handshakes, 1);
    });
}
