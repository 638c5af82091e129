//! What a server has seen so far, in numbers.

/// What a server has seen so far: see [`Server::counts`](crate::Server::counts). Each connection that is
/// accepted ends up in `accepted` or in `refused`.
///
/// ```
/// assert_eq!(highwater_net::Counts::default().accepted, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that are there now: being served, or not quite closed.
    pub open: usize,
    /// Connections that were taken on.
    pub accepted: u64,
    /// Connections that [`admit`](crate::StartServer::admit) declined.
    pub refused: u64,
    /// Connections whose handshake failed, of those that were taken on, on a server with `.tls`. One that
    /// fails in `start_tls` is an error of the handler.
    pub failed_handshakes: u64,
    /// Handlers that returned an error or panicked.
    pub handler_errors: u64,
}
