//! The task of a connection: the handshake, the handler, and all that is sent, until the transport is gone.
//!
//! There is one for each connection, and most of them wait most of the time. So it is written by hand, to hold
//! nothing twice, and what only a handshake needs is in a block of its own that goes with it.

use super::ServerEvent;
use super::clients::Membership;
use super::handler::{Ended, Running};
#[cfg(feature = "tls")]
use super::tls::{self, Securing};
use super::trace::ConnectionSpan;
#[cfg(feature = "tls")]
use crate::TlsError;
use crate::options::Attendant;
use crate::{StreamReader, StreamWriter};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

pub(super) struct Service {
    stage: Stage,
    /// Sends what is written, in this task too. Dropped after the halves that `stage` holds.
    attendant: Attendant,
    membership: Membership,
    span: ConnectionSpan,
    /// The client's entry knows this task.
    is_known: bool,
}

enum Stage {
    #[cfg(feature = "tls")]
    Securing(Securing),
    Handling(Running),
    /// The handler has ended; the connection may go on without it.
    Handled,
}

impl Service {
    pub(super) fn new(
        reader: StreamReader,
        writer: StreamWriter,
        attendant: Attendant,
        membership: Membership,
    ) -> Self {
        let shared = &membership.shared;
        #[cfg(feature = "tls")]
        let stage = match &shared.tls {
            Some(tls) => Stage::Securing(tls::secure(reader, writer, tls.clone())),
            None => Stage::Handling(Running::new((shared.serve)(reader, writer))),
        };
        #[cfg(not(feature = "tls"))]
        let stage = Stage::Handling(Running::new((shared.serve)(reader, writer)));
        let span = ConnectionSpan::new(membership.id(), attendant.facts());
        Self { stage, attendant, membership, span, is_known: false }
    }

    fn poll_within(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.attendant.begin();
        let handled = self.poll_stage(cx);
        let gone = self.attendant.poll(cx);
        if handled.is_ready() { gone } else { Poll::Pending }
    }

    /// Until the handler has ended. What happens to a pair before its handler sees it happens here.
    fn poll_stage(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        #[cfg(feature = "tls")]
        if let Stage::Securing(securing) = &mut self.stage {
            let secured = ready!(securing.as_mut().poll(cx));
            self.stage = self.after(secured);
        }
        let Stage::Handling(running) = &mut self.stage else { return Poll::Ready(()) };
        let ended = if self.membership.shared.is_cancelled.load(Ordering::Acquire) {
            running.stop(Ended::Well)
        } else {
            ready!(running.poll(cx))
        };
        self.stage = Stage::Handled;
        self.handled(ended);
        Poll::Ready(())
    }

    #[cfg(feature = "tls")]
    fn after(&self, secured: Result<(StreamReader, StreamWriter), TlsError>) -> Stage {
        let shared = &self.membership.shared;
        match secured {
            Ok((reader, writer)) => Stage::Handling(Running::new((shared.serve)(reader, writer))),
            Err(error) => {
                shared.clients.count(|counts| counts.failed_handshakes += 1);
                let peer = self.attendant.facts().peer_addr().clone();
                shared.tell(&ServerEvent::HandshakeFailed { peer, error });
                Stage::Handled
            }
        }
    }

    fn handled(&self, ended: Ended) {
        self.membership.handler_has_ended();
        let peer = || self.attendant.facts().peer_addr().clone();
        let event = match ended {
            Ended::Well => return,
            Ended::Failed(error) => ServerEvent::HandlerFailed { peer: peer(), error },
            Ended::Panicked(message) => ServerEvent::HandlerPanicked { peer: peer(), message },
        };
        let shared = &self.membership.shared;
        shared.clients.count(|counts| counts.handler_errors += 1);
        self.membership.close(); // Also where a half was given away.
        shared.tell(&event);
    }
}

impl Future for Service {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_known {
            self.is_known = true;
            self.membership.has_task(cx.waker());
        }
        let span = self.span.clone();
        span.in_scope(|| self.poll_within(cx))
    }
}
