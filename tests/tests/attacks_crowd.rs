//! What many hostile peers together can make a server hold: the rows of `docs/security.md` that need a crowd.
//! The server has a process of its own, and is asked for what it holds; the crowd is in this one.
#![cfg(target_os = "linux")]

use highwater_tests::bounded::{bounded_by, one_thread};
use highwater_tests::net::is_echoed;
use highwater_tests::report;
use highwater_tests::usage::raise_descriptors;
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Who is to come. Fewer where the limit on descriptors is lower, and the report says so.
const CROWD: usize = 10_000;

/// Descriptors for everything else: the harness, pipes, libraries.
const SPARE: usize = 200;

/// What a connection that sends nothing may hold, in bytes: its task, and no block of the reader.
const MOST_EACH: u64 = 5 * 1024;
/// The same inside TLS, in a handshake that has not begun or gets no further.
const MOST_EACH_IN_TLS: u64 = 28 * 1024;

/// Ten thousand connects take a while, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(300);

/// One crowd at a time: both of them would need twice the descriptors.
static TURN: Mutex<()> = Mutex::new(());

/// The server that is attacked. It ends with its standard input, so with this value.
struct Attacked {
    address: SocketAddr,
    process: Child,
    says: BufReader<ChildStdout>,
}

/// What it has and holds.
#[derive(Clone, Copy, Debug)]
struct Told {
    open: usize,
    accepted: u64,
    resident: u64,
    descriptors: usize,
}

impl Attacked {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attacked"));
        let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it was built");
        let mut says = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        says.read_line(&mut line).expect("it is a pipe");
        let address = line.trim().strip_prefix("listening ").expect("it listens").parse().unwrap();
        Self { address, process, says }
    }

    fn ask(&mut self, what: &str) -> Told {
        writeln!(self.process.stdin.as_ref().expect("it is piped"), "{what}").expect("it reads");
        let mut line = String::new();
        self.says.read_line(&mut line).expect("it is a pipe");
        let numbers: Vec<u64> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [open, accepted, resident, descriptors] = numbers[..] else { panic!("it said {line:?}") };
        Told { open: open as usize, accepted, resident, descriptors: descriptors as usize }
    }

    /// Asks until it is so. A test that waits in vain fails, because it is bounded.
    fn until(&mut self, is_so: impl Fn(&Told) -> bool) -> Told {
        loop {
            let told = self.ask("counts");
            if is_so(&told) {
                return told;
            }
            thread::yield_now();
        }
    }

    fn ends(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().expect("it was started").success());
    }
}

fn crowd() -> usize {
    CROWD.min(raise_descriptors().saturating_sub(SPARE))
}

/// So many connect and send nothing.
fn silence(name: &str, arguments: &[&str], most_each: u64) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let crowd = crowd();
    let mut server = Attacked::start(arguments);
    let before = server.ask("counts");
    let silent: Vec<_> = (0..crowd).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let during = server.until(|told| told.accepted == crowd as u64);
    assert_eq!((during.open, during.descriptors), (crowd, before.descriptors + crowd));
    let each = (during.resident - before.resident) / crowd as u64;
    assert!(each <= most_each, "{each} bytes each");

    let after = server.ask("end");
    assert_eq!(after.open, 0);
    // The listener has gone too.
    assert_eq!(after.descriptors, before.descriptors - 1);
    for mut socket in silent {
        // All are told; a reset is an answer too.
        socket.read_to_end(&mut Vec::new()).ok();
    }
    server.ends();
    report(&format!(
        "attack: {crowd} of {CROWD} connections that send nothing, {name}: {each} bytes each, {} MiB in all",
        (during.resident - before.resident) / (1024 * 1024)
    ));
}

#[test]
fn r1_ten_thousand_that_send_nothing_hold_next_to_nothing() {
    bounded_by(PATIENCE, || silence("plain", &[], MOST_EACH));
}

/// Of those 1,024 are in a handshake, and all others wait for their turn.
#[test]
fn t3_ten_thousand_that_do_not_begin_a_handshake() {
    bounded_by(PATIENCE, || silence("TLS", &["--tls"], MOST_EACH_IN_TLS));
}

#[test]
fn s4_a_flood_past_max_connections_stays_in_the_kernel() {
    const PLACES: usize = 128;
    bounded_by(PATIENCE, || {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let flood = crowd();
        let mut server = Attacked::start(&["--max-connections", "128"]);
        let before = server.ask("counts");
        let connecting = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // In progress: the system answers some, and nobody answers the others.
            socket.connect(&server.address.into()).ok();
            socket
        };
        let sockets: Vec<_> = (0..flood).map(connecting).collect();
        let full = server.until(|told| told.open >= PLACES);
        // It has had every opportunity to take more.
        let during = (0..100).map(|_| server.ask("counts")).last().unwrap();
        assert_eq!((during.open, during.accepted), (PLACES, PLACES as u64));
        assert_eq!(during.descriptors, before.descriptors + PLACES);
        let all = during.resident.saturating_sub(before.resident);
        // What the process allocates for the first of them counts too.
        assert!(all <= 2 * PLACES as u64 * MOST_EACH, "{all} bytes in all");

        // When they have gone, whoever comes is served.
        drop(sockets);
        server.until(|told| told.open == 0);
        let runtime = one_thread();
        drop(runtime.block_on(is_echoed(server.address)).unwrap());
        server.ends();
        report(&format!(
            "attack: a flood of {flood} past {PLACES} places: {} open, {} KiB in all",
            full.open,
            all / 1024
        ));
    });
}
