//! Lines on standard output: for a client, which has nothing else to do meanwhile, and for a server, which has.

use std::io::{self, Write};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::Outcome;

/// [`say`](crate::say) for a server: while nobody reads the output, the task waits, and no thread that others need.
///
/// # Errors
/// A sentence with the operating system's reason.
///
/// # Cancel safety
/// Cancelled, the line is printed or not.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert!(highwater_examples::tell("Serving nobody").await.is_ok());
/// # });
/// ```
pub async fn tell(line: impl Into<String>) -> Outcome {
    let mut line = line.into();
    line.push('\n');
    print(line.into_bytes()).await
}

/// Prints bytes as they are, and as [`tell`] does.
///
/// # Errors
/// A sentence with the operating system's reason.
///
/// # Cancel safety
/// Cancelled, the bytes are printed or not.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert!(highwater_examples::print(b"Gr\xfc\xdfe\r\n".to_vec()).await.is_ok());
/// # });
/// ```
pub async fn print(bytes: Vec<u8>) -> Outcome {
    // One thread at a time: those who wait for their turn have none.
    static TURN: Mutex<()> = Mutex::const_new(());

    let turn = TURN.lock().await;
    let printing = tokio::task::spawn_blocking(move || {
        let _until_printed = turn;
        let mut out = io::stdout().lock();
        out.write_all(&bytes).and_then(|()| out.flush())
    });
    printing.await?.map_err(|error| format!("nobody takes the output: {error}").into())
}

/// [`tell`] for a program that ends: it does not wait long for somebody who reads.
///
/// # Errors
/// A sentence with the reason.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// assert!(highwater_examples::tell_at_the_end("Stop serving").await.is_ok());
/// # });
/// ```
pub async fn tell_at_the_end(line: impl Into<String>) -> Outcome {
    const PATIENCE: Duration = Duration::from_secs(1);

    timeout(PATIENCE, tell(line)).await.unwrap_or_else(|_| Err("nobody takes the output".into()))
}
