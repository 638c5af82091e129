//! The file of a Unix socket: whose it is, whether anybody serves it, and when it goes.

use super::bind::{Bound, as_backlog, bound_unix};
use super::bind_to::BindPath;
use crate::unix::found;
use crate::{Address, Incoming, Listener, UnixPath, UnixPathError};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UnixListener;

/// Between two probes: as long as another server may take from its bind to its listen.
const BETWEEN_PROBES: Duration = Duration::from_millis(50);

/// The socket of a path, bound, and listening if `listen`.
pub(super) async fn bind(on: &BindPath, listen: bool) -> Result<Bound, UnixPathError> {
    on.path.check()?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(UnixPathError::Os)?;
    let address = SockAddr::unix(on.path.as_path()).map_err(UnixPathError::Os)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // An abstract name goes with its socket, so somebody lives there.
            if on.path.is_abstract() {
                return Err(UnixPathError::InUse);
            }
            clear_away(on.path.as_path(), &address).await?;
            // Somebody else may have been quicker.
            socket.bind(&address).map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => UnixPathError::InUse,
                _ => UnixPathError::Os(error),
            })?;
        }
        bound => bound.map_err(UnixPathError::Os)?,
    }
    finish(on, socket, listen).map_err(UnixPathError::Os)
}

/// What comes after the bind. If it fails, the file goes again.
fn finish(on: &BindPath, socket: Socket, listen: bool) -> io::Result<Bound> {
    let mut file = None;
    if !on.path.is_abstract() {
        let file = file.insert(SocketFile::made(on.path.as_path())?);
        // Before anybody can connect. The socket itself has no mode that counts: it is that of the file.
        if let Some(mode) = on.mode {
            fs::set_permissions(&file.path, Permissions::from_mode(mode))?;
        }
    }
    if listen {
        socket.listen(as_backlog(on.backlog))?;
    }
    if let Some(file) = &mut file {
        file.is_kept = !on.cleanup;
    }
    bound_unix(file, socket, Some(on.backlog))
}

/// Which file it is. A path is just a name, which may pass to another file at any time. The number of a file
/// that is gone may come back, so the time belongs to it.
#[derive(Clone, Copy, PartialEq)]
struct Identity {
    device: u64,
    inode: u64,
    made: (i64, i64),
}

impl Identity {
    fn of(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino(), made: (file.mtime(), file.mtime_nsec()) }
    }
}

/// Removes a socket file that nobody serves, and refuses anything else.
///
/// A server that is between its bind and its listen refuses a probe, too; so does, on some systems, one whose
/// queue is full. Therefore there are two probes with a pause in between, of one and the same file.
///
/// diverges: asyncio removes whatever socket it finds, and so takes the clients of a server that is alive
/// (gh-121252).
async fn clear_away(path: &Path, address: &SockAddr) -> Result<(), UnixPathError> {
    let Some(stale) = probe(path, address)? else { return Ok(()) };
    tokio::time::sleep(BETWEEN_PROBES).await;
    if probe(path, address)?.is_some() && is_file(path, stale) {
        move_away(path, stale).map_err(UnixPathError::Os)?;
    }
    // If it is another file by now, the next bind tells that somebody has the path.
    Ok(())
}

fn is_file(path: &Path, identity: Identity) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| Identity::of(&file) == identity)
}

/// The file, which refuses connections. `None` if there is none any more.
fn probe(path: &Path, address: &SockAddr) -> Result<Option<Identity>, UnixPathError> {
    let file = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(UnixPathError::Os)?,
    };
    if let Some(found) = found(file.file_type()) {
        return Err(UnixPathError::NotASocket { found });
    }
    let client = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(UnixPathError::Os)?;
    client.set_nonblocking(true).map_err(UnixPathError::Os)?;
    match client.connect(address).map_err(|error| (error.kind(), error)) {
        Err((io::ErrorKind::ConnectionRefused, _)) => Ok(Some(Identity::of(&file))),
        Err((io::ErrorKind::NotFound, _)) => Ok(None),
        // Whether somebody lives there is not for us to know.
        Err((io::ErrorKind::PermissionDenied, error)) => Err(UnixPathError::Os(error)),
        // Connected; or the queue is full; or the socket is of another type: all of them alive.
        _ => Err(UnixPathError::InUse),
    }
}

/// Removes the file if it is the one that was probed.
///
/// Between the look and the removal there is a gap, in which another server, which has seen the same stale
/// file, may have put its own there. So the file is moved to a name of its own, which takes one step, looked
/// at again, and put back if it is the wrong one: who is in the gap loses the path for a moment, and not for
/// good.
fn move_away(path: &Path, stale: Identity) -> io::Result<()> {
    static MOVED: AtomicU64 = AtomicU64::new(0);
    let number = MOVED.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_file_name(format!(".stale-{}-{number}", std::process::id()));
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        moved => moved?,
    }
    if !is_file(&aside, stale) {
        // It fails if yet another server was quicker, which then has the path.
        fs::hard_link(&aside, path).ok();
    }
    fs::remove_file(&aside)
}

/// A socket file that this process has made. It goes when this is dropped, if it is still the same.
#[derive(Debug)]
pub(super) struct SocketFile {
    /// Absolute: the working directory may change.
    path: PathBuf,
    device: u64,
    inode: u64,
    is_kept: bool,
}

impl SocketFile {
    fn made(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let file = fs::symlink_metadata(&path)?;
        Ok(Self { path, device: file.dev(), inode: file.ino(), is_kept: false })
    }

    /// As long as the socket is open, its inode is in use, and no other file has its number.
    fn is_ours(&self) -> bool {
        let file = fs::symlink_metadata(&self.path);
        file.is_ok_and(|file| (file.dev(), file.ino()) == (self.device, self.inode))
    }

    /// A server that listens at last where nobody can find it would be worse than one that says so.
    pub(super) fn is_still_ours(&self) -> io::Result<()> {
        if self.is_ours() {
            return Ok(());
        }
        let error = UnixPathError::Replaced;
        let text = format!("cannot listen on {}: {error}", UnixPath::new(&self.path));
        Err(io::Error::new(error.kind(), text))
    }

    pub(super) fn with(self, listener: UnixListener) -> impl Listener {
        OnFile { _file: self, listener }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.is_kept && self.is_ours() {
            // If it fails, the next server finds it stale.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// A listener on a file. The file goes first: as long as the socket is open, the file's number is its own,
/// and nobody can take the path.
struct OnFile {
    _file: SocketFile,
    listener: UnixListener,
}

impl Listener for OnFile {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        Listener::poll_accept(&mut self.listener, cx)
    }

    fn local_addr(&self) -> Address {
        Listener::local_addr(&self.listener)
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, move_away};
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::{UnixListener, UnixStream};

    /// The gap between the look and the removal cannot be met at will, so that this is asked of the removal
    /// itself.
    #[test]
    fn s5_a_file_that_was_not_probed_is_put_back() {
        let folder = std::env::temp_dir().join(format!("highwater-put-back-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("s");
        let _live = UnixListener::bind(&path).unwrap();
        let file = fs::symlink_metadata(&path).unwrap();

        let another = Identity { inode: file.ino() + 1, ..Identity::of(&file) };
        move_away(&path, another).unwrap();
        assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), file.ino());
        UnixStream::connect(&path).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

        move_away(&path, Identity::of(&file)).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        move_away(&path, Identity::of(&file)).unwrap();
        fs::remove_dir(&folder).unwrap();
    }
}
