//! The connections of a server, from the accept until the transport is gone and the handler has ended.

use super::Shared;
use super::handler::{self, Ended};
use crate::{Facts, ServerEvent, Transport, WeakWriter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Clients {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<u64, WeakWriter>,
}

impl Clients {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<WeakWriter> {
        self.table().open.values().cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table().open.is_empty()
    }
}

/// Serves one connection, in a task of its own. It is a client from here on.
pub(super) fn serve(shared: &Arc<Shared>, transport: Transport, facts: Facts) {
    let (reader, writer) = shared.streams.split(transport, facts);
    let connection = writer.downgrade();
    let membership = Membership::new(shared, connection.clone());
    shared.runtime.spawn(async move {
        let shared = &membership.shared;
        let peer = writer.facts().peer_addr().clone();
        let event = match handler::run(&shared.serve, reader, writer).await {
            Ended::Well => None,
            Ended::Failed(error) => Some(ServerEvent::HandlerFailed { peer, error }),
            Ended::Panicked(message) => Some(ServerEvent::HandlerPanicked { peer, message }),
        };
        if let Some(event) = event {
            connection.close(); // Also where a half was given away.
            shared.tell(&event);
        }
        connection.wait_gone().await;
    });
}

/// A place among the clients, held by the task that serves; given up when that ends in any way.
struct Membership {
    shared: Arc<Shared>,
    id: u64,
}

impl Membership {
    fn new(shared: &Arc<Shared>, connection: WeakWriter) -> Self {
        let mut table = shared.clients.table();
        let id = table.next;
        table.next += 1;
        table.open.insert(id, connection);
        Self { shared: Arc::clone(shared), id }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.shared.clients.table().open.remove(&self.id);
        self.shared.changed.notify_waiters();
    }
}
