//! Servers over sockets: each a process of its own, all of them driven by one client, so that only they differ.

mod calls;
mod external;
mod identity;
mod load;
mod place;
mod server;
mod wire;
mod works;

use crate::Choice;
use calls::Tracer;
use external::External;
use highwater_benches::Measurement;
use identity::Identity;
use load::Cost;
use place::Cores;
use server::Server;
use std::io;
use works::{Entrant, Work};

/// Every work over sockets that is wanted.
///
/// # Errors
/// A sentence about a server that lost something or stood still.
pub(crate) fn measure(choice: &Choice) -> Result<Vec<Measurement>, String> {
    let mut works = works::all(choice.quick);
    works.retain(|work| choice.includes(work.name));
    if works.is_empty() {
        return Ok(Vec::new());
    }
    let measured = Bench::new(choice).and_then(|bench| {
        let mut measurements = Vec::new();
        for work in &works {
            eprintln!("{}{}", work.name, work.at.map_or(String::new(), |at| format!(" at {at}")));
            measurements.extend(bench.measure(work)?);
        }
        bench.cores.release()?;
        Ok(measurements)
    });
    measured.map_err(|error| error.to_string())
}

/// What all works share.
struct Bench {
    external: External,
    identity: Identity,
    cores: Cores,
    tracer: Option<Tracer>,
    rounds: usize,
}

impl Bench {
    fn new(choice: &Choice) -> io::Result<Self> {
        let files = crate::built("sockets");
        std::fs::create_dir_all(&files)?;
        server::allow_many_descriptors()?;
        Ok(Self {
            external: if choice.external { External::prepare(&files) } else { External::default() },
            identity: Identity::new(&files)?,
            cores: Cores::new()?,
            tracer: Tracer::find(&files),
            // A round takes a start of every server: in a hurry, three tell which figure is off.
            rounds: if choice.quick { choice.rounds.min(3) } else { choice.rounds },
        })
    }

    /// One work, whose entrants take turns.
    fn measure(&self, work: &Work) -> io::Result<Vec<Measurement>> {
        let about = |entrant: &Entrant, error: io::Error| {
            io::Error::new(error.kind(), format!("{} by {}: {error}", work.name, entrant.name))
        };
        let entrants: Vec<_> =
            work.entrants.iter().filter(|entrant| self.external.has(entrant.program)).collect();
        let mut costs: Vec<Vec<Cost>> = entrants.iter().map(|_| Vec::new()).collect();
        for round in 0..self.rounds {
            for turn in 0..entrants.len() {
                let turn = (round + turn) % entrants.len();
                let entrant = entrants[turn];
                costs[turn].push(self.run(work, entrant).map_err(|error| about(entrant, error))?);
            }
        }
        let mut measurements = Vec::new();
        for (entrant, costs) in entrants.into_iter().zip(costs) {
            let calls = self.count_calls(work, entrant).map_err(|error| about(entrant, error))?;
            let mut add = |metric, samples: Vec<f64>| {
                measurements.push(Measurement {
                    work: work.name.to_owned(),
                    metric,
                    contender: entrant.name.to_owned(),
                    role: entrant.role,
                    at: work.at,
                    samples,
                });
            };
            let metrics = work.unit.metrics();
            if work.load.is_idle() {
                add(works::IDLE, costs.iter().map(|cost| cost.memory).collect());
            } else {
                add(metrics.cpu, costs.iter().map(|cost| cost.cpu).collect());
                add(metrics.time, costs.iter().map(|cost| cost.time).collect());
                add(works::PEAK, costs.iter().map(|cost| cost.memory).collect());
            }
            if let Some(calls) = calls {
                add(metrics.calls, vec![calls]);
            }
        }
        Ok(measurements)
    }

    fn run(&self, work: &Work, entrant: &Entrant) -> io::Result<Cost> {
        let server = self.start(work, entrant, Vec::new())?;
        let cost = load::measure(work, &server, &self.identity, work.operations / entrant.fewer)?;
        server.stop()?;
        Ok(cost)
    }

    /// System calls per operation, in runs of their own: whoever is traced is slow.
    fn count_calls(&self, work: &Work, entrant: &Entrant) -> io::Result<Option<f64>> {
        let (Some(tracer), Some(count)) = (&self.tracer, work.traced) else { return Ok(None) };
        tracer.calls_per_operation(count, |prefix, count| {
            let server = self.start(work, entrant, prefix)?;
            load::measure(work, &server, &self.identity, count)?;
            server.stop()
        })
    }

    fn start(&self, work: &Work, entrant: &Entrant, prefix: Vec<String>) -> io::Result<Server> {
        let mut words = prefix;
        words.extend(self.external.command(entrant.program)?);
        words.push(work.service.name());
        words.extend(entrant.arguments.iter().cloned());
        if work.tls {
            words.extend(self.identity.arguments());
        }
        self.cores.place_server(work.place)?;
        let server = Server::start(&words)?;
        self.cores.place_client(work.place)?;
        Ok(server)
    }
}
