//! The connections of a server, from the accept until the transport is gone and the handler has ended.

use super::handler::{self, Ended};
#[cfg(feature = "tls")]
use super::tls;
use super::{Counts, Shared};
use crate::{Incoming, ServerEvent, StreamReader, StreamWriter, Transport, WeakWriter};
use socket2::SockRef;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

#[derive(Default)]
pub(super) struct Clients {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Client>,
    /// Without `open`, which is the size of the table.
    counts: Counts,
}

struct Client {
    connection: WeakWriter,
    /// Its handler runs, or is about to.
    is_handled: bool,
}

impl Clients {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<WeakWriter> {
        self.table().open.values().map(|client| client.connection.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table().open.is_empty()
    }

    /// How many connections are not gone. A handler may outlive its own.
    pub(super) fn connected(&self) -> usize {
        self.table().open.values().filter(|client| !client.connection.is_gone()).count()
    }

    /// How many handlers run.
    pub(super) fn handled(&self) -> usize {
        self.table().open.values().filter(|client| client.is_handled).count()
    }

    pub(super) fn counts(&self) -> Counts {
        let table = self.table();
        Counts { open: table.open.len(), ..table.counts }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.table().counts);
    }
}

/// A connection that was accepted and is a client, and that nobody serves yet.
pub(super) struct Arrived {
    reader: StreamReader,
    writer: StreamWriter,
    membership: Membership,
}

impl Arrived {
    pub(super) fn new(shared: &Arc<Shared>, place: OwnedSemaphorePermit, incoming: Incoming) -> Self {
        let Incoming { transport, facts } = incoming;
        if let (Some(keep_alive), Transport::Tcp(socket)) = (&shared.keep_alive, &transport) {
            // It fails on a socket that is gone already, which the first read will tell.
            keep_alive.apply(&SockRef::from(socket)).ok();
        }
        let (reader, writer) = shared.streams.split_for(transport, facts, Arc::clone(&shared.on_unsent));
        let membership = Membership::new(shared, place, writer.downgrade());
        Self { reader, writer, membership }
    }

    /// Serves the connection in a task of its own, if it is admitted.
    pub(super) fn judge_and_serve(self) {
        let clients = &self.membership.shared.clients;
        if self.is_admitted() {
            clients.count(|counts| counts.accepted += 1);
            let runtime = self.membership.shared.runtime.clone();
            runtime.spawn(self.serve());
        } else {
            clients.count(|counts| counts.refused += 1);
            // Not a close, which would linger: who is not wanted costs no more than this.
            self.writer.abort();
        }
    }

    fn is_admitted(&self) -> bool {
        let shared = &self.membership.shared;
        let Some(admit) = &shared.admit else { return true };
        let facts = self.writer.facts();
        let judged = catch_unwind(AssertUnwindSafe(|| admit(facts)));
        judged.unwrap_or_else(|panic| {
            let (peer, message) = (facts.peer_addr().clone(), handler::message(&*panic));
            shared.tell(&ServerEvent::AdmitPanicked { peer, message });
            false
        })
    }

    /// From the accepted pair to the end of the connection. What happens to a pair before its handler sees it
    /// happens here.
    async fn serve(self) {
        let Self { reader, writer, membership } = self;
        let shared = &membership.shared;
        let connection = writer.downgrade();
        let peer = writer.facts().peer_addr().clone();
        #[cfg(feature = "tls")]
        let (reader, writer) = match tls::secure(reader, writer, shared.tls.as_ref()).await {
            Ok(halves) => halves,
            Err(error) => {
                shared.clients.count(|counts| counts.failed_handshakes += 1);
                shared.tell(&ServerEvent::HandshakeFailed { peer, error });
                return connection.wait_gone().await;
            }
        };
        let event = match handler::run(&shared.serve, reader, writer, shared.cancelled()).await {
            Ended::Well | Ended::Stopped => None,
            Ended::Failed(error) => Some(ServerEvent::HandlerFailed { peer, error }),
            Ended::Panicked(message) => Some(ServerEvent::HandlerPanicked { peer, message }),
        };
        membership.handler_has_ended();
        if let Some(event) = event {
            shared.clients.count(|counts| counts.handler_errors += 1);
            connection.close(); // Also where a half was given away.
            shared.tell(&event);
        }
        connection.wait_gone().await;
    }
}

/// A place among the clients, held by the task that serves; given up when that ends in any way.
struct Membership {
    shared: Arc<Shared>,
    id: u64,
    /// Given back after the table has forgotten the client.
    _place: OwnedSemaphorePermit,
}

impl Membership {
    fn new(shared: &Arc<Shared>, place: OwnedSemaphorePermit, connection: WeakWriter) -> Self {
        let mut table = shared.clients.table();
        let id = table.next;
        table.next += 1;
        table.open.insert(id, Client { connection, is_handled: true });
        Self { shared: Arc::clone(shared), id, _place: place }
    }

    fn handler_has_ended(&self) {
        if let Some(client) = self.shared.clients.table().open.get_mut(&self.id) {
            client.is_handled = false;
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.shared.clients.table().open.remove(&self.id);
        self.shared.changed.notify_waiters();
    }
}
