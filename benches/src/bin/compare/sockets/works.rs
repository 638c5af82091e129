//! What is compared over sockets, and among whom.

use super::load::{First, Load, Records};
use super::place::Place;
use highwater_benches::{Role, Service};

/// Something that servers do.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// Which point it is of a growing one.
    pub(crate) at: Option<f64>,
    pub(crate) service: Service,
    pub(crate) tls: bool,
    pub(crate) load: Load,
    pub(crate) unit: Unit,
    /// How many a round takes.
    pub(crate) operations: u64,
    /// How many are enough to count system calls.
    pub(crate) traced: Option<u64>,
    pub(crate) place: Place,
    pub(crate) entrants: Vec<Entrant>,
}

/// Who does it.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) program: Program,
    pub(crate) arguments: Vec<String>,
    /// How many times fewer operations are enough for one that is so much slower.
    pub(crate) fewer: u64,
}

/// What its process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The program `serve`, as this contender.
    Serve(&'static str),
    Asyncio,
    Uvloop,
    Go,
}

/// What an operation is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    RoundTrip,
    Line,
    Block,
    Connection,
}

/// What the figures are called.
pub(crate) struct Metrics {
    pub(crate) cpu: &'static str,
    pub(crate) time: &'static str,
    pub(crate) calls: &'static str,
}

impl Unit {
    pub(crate) fn metrics(self) -> Metrics {
        macro_rules! metrics {
            ($unit:literal) => {
                Metrics {
                    cpu: concat!("server CPU per ", $unit, ", ns"),
                    time: concat!("time per ", $unit, ", ns"),
                    calls: concat!("system calls per ", $unit),
                }
            };
        }
        match self {
            Self::RoundTrip => metrics!("round trip"),
            Self::Line => metrics!("line"),
            Self::Block => metrics!("64 KiB"),
            Self::Connection => metrics!("connection"),
        }
    }
}

/// What idle connections hold, each.
pub(crate) const IDLE: &str = "memory per connection, KiB";
/// The most that a server held.
pub(crate) const PEAK: &str = "peak memory, KiB";

const OURS: Entrant = entrant("highwater", Role::Ours, Program::Serve("highwater"));
const OURS_BORROWED: Entrant =
    entrant("highwater, borrowed", Role::Ours, Program::Serve("highwater-borrowed"));
const TOKIO: Entrant = entrant("tokio BufReader/BufWriter", Role::Peer, Program::Serve("tokio"));
const TOKIO_RUSTLS: Entrant =
    entrant("tokio-rustls BufReader/BufWriter", Role::Peer, Program::Serve("tokio"));
const UNBUFFERED: Entrant = entrant("tokio unbuffered", Role::Trap, Program::Serve("tokio-unbuffered"));
const FRAMED: Entrant = entrant("tokio-util Framed LinesCodec", Role::Peer, Program::Serve("framed"));
const EPOLL: Entrant = entrant("epoll loop", Role::Bound, Program::Serve("epoll"));
const ASYNCIO: Entrant = entrant("asyncio", Role::Peer, Program::Asyncio);
const UVLOOP: Entrant = entrant("uvloop", Role::Peer, Program::Uvloop);
const GO: Entrant = entrant("Go", Role::Peer, Program::Go);

const fn entrant(name: &'static str, role: Role, program: Program) -> Entrant {
    Entrant { name, role, program, arguments: Vec::new(), fewer: 1 }
}

impl Entrant {
    fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    fn fewer(mut self, times: u64) -> Self {
        self.fewer = times;
        self
    }
}

/// How often an operation is done in a round: in a hurry, and otherwise.
struct Count(u64, u64);

/// All works, in the order of the report.
pub(crate) fn all(quick: bool) -> Vec<Work> {
    let mut works = Vec::new();
    let mut add = |name, service, load, unit, count: Count, traced, entrants: &[Entrant]| {
        works.push(Work {
            name,
            at: None,
            service,
            tls: name.starts_with("tls/"),
            load,
            unit,
            operations: if quick { count.0 } else { count.1 },
            traced,
            place: match load {
                Load::Send(_) | Load::Receive(_) => Place::Apart,
                Load::Echo { .. } | Load::Connect(_) | Load::Idle => Place::Together,
            },
            entrants: entrants.to_vec(),
        });
    };
    conversations(&mut add);
    transfers(&mut add);
    tls(&mut add);
    works.extend(growing(quick));
    works
}

type Add<'a> = dyn FnMut(&'static str, Service, Load, Unit, Count, Option<u64>, &[Entrant]) + 'a;

fn conversations(add: &mut Add<'_>) {
    let echo = |connections, batch| Load::Echo { connections, batch };
    let six = [OURS, TOKIO, FRAMED, EPOLL, ASYNCIO, UVLOOP, GO];
    add("tcp/echo/1", Service::Echo, echo(1, 1), Unit::RoundTrip, Count(6_000, 50_000), Some(300), &six);
    add("tcp/echo/50", Service::Echo, echo(50, 1), Unit::RoundTrip, Count(20_000, 100_000), Some(1000), &six);
    add(
        "tcp/pipelined/100",
        Service::Echo,
        echo(1, 100),
        Unit::Line,
        Count(500_000, 2_000_000),
        Some(10_000),
        &[
            OURS,
            OURS_BORROWED,
            TOKIO,
            FRAMED,
            UNBUFFERED.fewer(20),
            EPOLL,
            ASYNCIO.fewer(20),
            UVLOOP.fewer(20),
            GO,
        ],
    );
    let others = [TOKIO, EPOLL, ASYNCIO, UVLOOP, GO];
    add(
        "tcp/connect/client-first",
        Service::Echo,
        Load::Connect(First::Client),
        Unit::Connection,
        Count(1_000, 5_000),
        Some(100),
        &[&[OURS], &others[..]].concat(),
    );
    add(
        "tcp/connect/server-first",
        Service::EchoOnce,
        Load::Connect(First::Server),
        Unit::Connection,
        Count(1_000, 5_000),
        Some(100),
        &[&[OURS, OURS.named("highwater, no linger").with(&["--no-linger"])], &others[..]].concat(),
    );
    let idle = [OURS, TOKIO, FRAMED, EPOLL, ASYNCIO, UVLOOP, GO];
    add("tcp/idle", Service::Echo, Load::Idle, Unit::Connection, Count(2_000, 10_000), None, &idle);
}

fn transfers(add: &mut Add<'_>) {
    let lines = Count(1_000_000, 1_000_000);
    let blocks = || Count(2_048, 16_384);
    add(
        "tcp/lines/in",
        Service::ReadLines,
        Load::Send(Records::Lines),
        Unit::Line,
        lines,
        Some(10_000),
        &[OURS_BORROWED, OURS, TOKIO, FRAMED, EPOLL, ASYNCIO.fewer(5), UVLOOP.fewer(5), GO],
    );
    add(
        "tcp/lines/out",
        Service::WriteLines,
        Load::Receive(Records::Lines),
        Unit::Line,
        Count(1_000_000, 1_000_000),
        Some(10_000),
        &[
            OURS.named("highwater, drain per 100"),
            OURS.named("highwater, drain after each").with(&["--every", "1"]),
            TOKIO.named("tokio BufWriter, flush per 100"),
            UNBUFFERED.fewer(20),
            EPOLL,
            ASYNCIO.named("asyncio, drain per 100").fewer(20),
            UVLOOP.named("uvloop, drain per 100").fewer(20),
            GO.named("Go, flush per 100"),
        ],
    );
    let peers = [OURS, TOKIO, EPOLL, ASYNCIO, UVLOOP, GO];
    add("tcp/bulk/in", Service::Sink, Load::Send(Records::Blocks), Unit::Block, blocks(), Some(200), &peers);
    add(
        "tcp/bulk/out",
        Service::Source,
        Load::Receive(Records::Blocks),
        Unit::Block,
        blocks(),
        Some(200),
        &peers,
    );
    add(
        "tcp/bulk/out-owned",
        Service::SourceOwned,
        Load::Receive(Records::Blocks),
        Unit::Block,
        blocks(),
        Some(200),
        &[OURS, TOKIO],
    );
}

fn tls(add: &mut Add<'_>) {
    let entrants = [OURS, TOKIO_RUSTLS, ASYNCIO, UVLOOP, GO];
    let echo = Load::Echo { connections: 1, batch: 1 };
    let (send, receive) = (Load::Send(Records::Blocks), Load::Receive(Records::Blocks));
    let connect = Load::Connect(First::Client);
    let blocks = || Count(1_024, 16_384);
    add("tls/connect", Service::Echo, connect, Unit::Connection, Count(200, 1_500), Some(50), &entrants);
    add("tls/echo", Service::Echo, echo, Unit::RoundTrip, Count(5_000, 40_000), Some(300), &entrants);
    add("tls/bulk/in", Service::Sink, send, Unit::Block, blocks(), Some(100), &entrants);
    add("tls/bulk/out", Service::Source, receive, Unit::Block, blocks(), Some(100), &entrants);
    add(
        "tls/bulk/out-owned",
        Service::SourceOwned,
        receive,
        Unit::Block,
        blocks(),
        Some(100),
        &[OURS, TOKIO_RUSTLS],
    );
    add("tls/idle", Service::Echo, Load::Idle, Unit::Connection, Count(200, 1_000), None, &entrants);
}

/// How cost grows, of ours and of whom to compare with.
fn growing(quick: bool) -> Vec<Work> {
    let connections: &[usize] = if quick { &[1, 10, 100, 1_000] } else { &[1, 10, 100, 1_000, 10_000] };
    let work = |name, at: usize, service, load, unit, place, entrants| Work {
        name,
        at: Some(at as f64),
        service,
        tls: false,
        load,
        unit,
        operations: 0,
        traced: None,
        place,
        entrants,
    };
    let echo = |connections| Load::Echo { connections, batch: 1 };
    let receive = Load::Receive(Records::Lines);
    let active = connections.iter().map(|&count| Work {
        // At least two rounds of all.
        operations: (if quick { 4_000 } else { 40_000 }).max(2 * count as u64),
        ..work(
            "tcp/growth/active-connections",
            count,
            Service::Echo,
            echo(count),
            Unit::RoundTrip,
            Place::Together,
            vec![OURS, TOKIO, EPOLL],
        )
    });
    let idle = connections.iter().skip(1).map(|&count| Work {
        operations: count as u64,
        ..work(
            "tcp/growth/idle-connections",
            count,
            Service::Echo,
            Load::Idle,
            Unit::Connection,
            Place::Together,
            vec![OURS, TOKIO, EPOLL],
        )
    });
    let drains = [1, 10, 100, 1_000].map(|every: usize| {
        let every_argument = every.to_string();
        let arguments = ["--every", &every_argument];
        Work {
            operations: if quick { 200_000 } else { 1_000_000 },
            ..work(
                "tcp/growth/writes-per-drain",
                every,
                Service::WriteLines,
                receive,
                Unit::Line,
                Place::Apart,
                // A flush for each write is a system call for each.
                vec![OURS.with(&arguments), TOKIO.with(&arguments).fewer(if every < 10 { 10 } else { 1 })],
            )
        }
    });
    let workers = [1, 2].map(|workers: usize| {
        let workers_argument = workers.to_string();
        let arguments = ["--workers", &workers_argument];
        Work {
            operations: if quick { 10_000 } else { 100_000 },
            ..work(
                "tcp/growth/workers",
                workers,
                Service::Echo,
                echo(50),
                Unit::RoundTrip,
                Place::Anywhere,
                vec![OURS.with(&arguments), TOKIO.with(&arguments)],
            )
        }
    });
    active.chain(idle).chain(drains).chain(workers).collect()
}
