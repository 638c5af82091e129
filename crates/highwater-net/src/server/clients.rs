//! The connections of a server, from the accept until the transport is gone and the handler has ended.

use super::service::Service;
use super::{Counts, Shared, handler};
use crate::options::Attendant;
use crate::{Incoming, ServerEvent, StreamReader, StreamWriter, Transport, WeakWriter};
use socket2::SockRef;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
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
    /// Wakes its task, which finds out that the handler is to stop. From the task's first poll on.
    task: Option<Waker>,
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

    /// Wakes the tasks of all.
    pub(super) fn wake(&self) {
        let tasks: Vec<Waker> = self.table().open.values().filter_map(|client| client.task.clone()).collect();
        tasks.into_iter().for_each(Waker::wake);
    }

    /// How many handlers run.
    pub(super) fn handled(&self) -> usize {
        self.table().open.values().filter(|client| client.is_handled).count()
    }

    pub(super) fn counts(&self) -> Counts {
        let table = self.table();
        Counts { open: table.open.len(), ..table.counts }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.table().counts);
    }
}

/// A connection that was accepted and is a client, and that nobody serves yet.
pub(super) struct Arrived {
    reader: StreamReader,
    writer: StreamWriter,
    attendant: Attendant,
    membership: Membership,
}

impl Arrived {
    pub(super) fn new(shared: &Arc<Shared>, place: OwnedSemaphorePermit, incoming: Incoming) -> Self {
        let Incoming { transport, facts } = incoming;
        if let (Some(keep_alive), Transport::Tcp(socket)) = (&shared.keep_alive, &transport) {
            // It fails on a socket that is gone already, which the first read will tell.
            keep_alive.apply(&SockRef::from(socket)).ok();
        }
        let on_unsent = Arc::clone(&shared.on_unsent);
        let (reader, writer, attendant) = shared.streams.split_attended(transport, facts, on_unsent);
        let membership = Membership::new(shared, place, writer.downgrade());
        Self { reader, writer, attendant, membership }
    }

    /// Serves the connection in a task of its own, if it is admitted.
    pub(super) fn judge_and_serve(self) {
        let shared = Arc::clone(&self.membership.shared);
        if self.is_admitted() {
            shared.clients.count(|counts| counts.accepted += 1);
            let Self { reader, writer, attendant, membership } = self;
            shared.runtime.spawn(Service::new(reader, writer, attendant, membership));
        } else {
            shared.clients.count(|counts| counts.refused += 1);
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
}

/// A place among the clients, held by the task that serves; given up when that ends in any way.
pub(super) struct Membership {
    pub(super) shared: Arc<Shared>,
    id: u64,
    /// Given back after the table has forgotten the client.
    _place: OwnedSemaphorePermit,
}

impl Membership {
    fn new(shared: &Arc<Shared>, place: OwnedSemaphorePermit, connection: WeakWriter) -> Self {
        let mut table = shared.clients.table();
        let id = table.next;
        table.next += 1;
        table.open.insert(id, Client { connection, is_handled: true, task: None });
        Self { shared: Arc::clone(shared), id, _place: place }
    }

    /// Counts from 0, in the order of the accepts.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    fn with_client(&self, change: impl FnOnce(&mut Client)) {
        if let Some(client) = self.shared.clients.table().open.get_mut(&self.id) {
            change(client);
        }
    }

    pub(super) fn has_task(&self, waker: &Waker) {
        let waker = waker.clone();
        self.with_client(|client| client.task = Some(waker));
    }

    pub(super) fn handler_has_ended(&self) {
        self.with_client(|client| client.is_handled = false);
    }

    pub(super) fn close(&self) {
        let mut connection = None;
        self.with_client(|client| connection = Some(client.connection.clone()));
        if let Some(connection) = connection {
            connection.close();
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let client = self.shared.clients.table().open.remove(&self.id);
        drop(client);
        self.shared.changed.notify_waiters();
    }
}
