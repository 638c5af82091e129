//! The file of a Unix socket: whose it is, whether anybody serves it, and when it goes.

use super::bind::{Bound, as_backlog, bound_unix};
use super::bind_to::BindPath;
use crate::unix::found;
use crate::{Address, Incoming, Listener, UnixPath, UnixPathError};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::{fd::AsRawFd, unix::fs::OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UnixListener;

/// Between two probes: as long as another server may take from its bind to its listen.
const BETWEEN_PROBES: Duration = Duration::from_millis(50);

/// The socket of a path, bound, and listening if `listen`.
pub(super) async fn bind(on: &BindPath, listen: bool) -> Result<Bound, UnixPathError> {
    on.path.check()?;
    if let (Some(mode), true) = (on.mode, on.path.is_abstract()) {
        return Err(UnixPathError::ModeOfAbstract { mode });
    }
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
    finish(on, socket, listen)
}

/// What comes after the bind. If it fails, the file goes again.
fn finish(on: &BindPath, socket: Socket, listen: bool) -> Result<Bound, UnixPathError> {
    let mut file = None;
    if !on.path.is_abstract() {
        let file = file.insert(SocketFile::made(on.path.as_path())?);
        // Before anybody can connect. The socket itself has no mode that counts: it is that of the file.
        if let Some(mode) = on.mode {
            file.set_mode(mode)?;
        }
    }
    if listen {
        socket.listen(as_backlog(on.backlog)).map_err(UnixPathError::Os)?;
    }
    if let Some(file) = &mut file {
        file.is_kept = !on.cleanup;
    }
    bound_unix(file, socket, (!listen).then_some(on.backlog)).map_err(UnixPathError::Os)
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
/// file, may have put its own there. So the file is moved aside, which takes one step, looked at again, and
/// put back if it is the wrong one: who is in the gap loses the path for a moment, and not for good.
fn move_away(path: &Path, stale: Identity) -> io::Result<()> {
    let folder = fresh_folder(path)?;
    // The long name once more: nothing that somebody needs is called so, whatever becomes of the folder.
    let aside = folder.join(folder.file_name().unwrap_or_default());
    let moved = match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            if !is_file(&aside, stale) {
                // It fails if yet another server was quicker, which then has the path.
                fs::hard_link(&aside, path).ok();
            }
            fs::remove_file(&aside)
        }
    };
    let removed = fs::remove_dir(&folder);
    moved.and(removed)
}

/// A folder of our own beside `path`. A move replaces what is there, and a folder that was just made has
/// nothing to be replaced.
fn fresh_folder(path: &Path) -> io::Result<PathBuf> {
    let mut number = 0_u64;
    loop {
        let folder = path.with_file_name(format!(".stale-{}-{number}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| folder),
        }
    }
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
    /// The file of a socket that was just bound. What is no socket was put in its way since.
    fn made(path: &Path) -> Result<Self, UnixPathError> {
        let path = std::path::absolute(path).map_err(UnixPathError::Os)?;
        let file = with_patience(|| fs::symlink_metadata(&path)).map_err(gone_or_os)?;
        match file.file_type().is_socket() {
            true => Ok(Self { path, device: file.dev(), inode: file.ino(), is_kept: false }),
            false => Err(UnixPathError::Replaced),
        }
    }

    /// Sets the mode of this file, and of no other: whoever may write to the folder may have put a link in its
    /// place, which a `chmod` of the path would follow. So what is there is opened first, without following;
    /// then it is looked at; and the mode goes through what is open.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn set_mode(&self, mode: u32) -> Result<(), UnixPathError> {
        let only_the_name = libc::O_PATH | libc::O_NOFOLLOW;
        let file = fs::OpenOptions::new().read(true).custom_flags(only_the_name).open(&self.path);
        let file = file.map_err(gone_or_os)?;
        if !self.is(&file.metadata().map_err(UnixPathError::Os)?) {
            return Err(UnixPathError::Replaced);
        }
        // Such a descriptor has no `fchmod`. This path stands for the file itself, whatever its name is now.
        let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
        fs::set_permissions(itself, Permissions::from_mode(mode)).map_err(UnixPathError::Os)
    }

    /// Other systems have no such descriptors: it is looked at before and after.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn set_mode(&self, mode: u32) -> Result<(), UnixPathError> {
        if self.is_ours() {
            fs::set_permissions(&self.path, Permissions::from_mode(mode)).map_err(gone_or_os)?;
        }
        if self.is_ours() { Ok(()) } else { Err(UnixPathError::Replaced) }
    }

    /// As long as the socket is open, its inode is in use, and no other file has its number.
    fn is_ours(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|file| self.is(&file))
    }

    fn is(&self, file: &Metadata) -> bool {
        (file.dev(), file.ino()) == (self.device, self.inode)
    }

    /// A server that listens at last where nobody can find it would be worse than one that says so.
    pub(super) fn is_still_ours(&self) -> io::Result<()> {
        if with_patience(|| self.is_ours().then_some(()).ok_or(())).is_ok() {
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

/// Looks again for a while: another server, which took our file for the stale one that it had probed, may have moved
/// it away for the moment until it puts it back ([`move_away`]).
fn with_patience<V, E>(mut look: impl FnMut() -> Result<V, E>) -> Result<V, E> {
    const LOOKS: u32 = 50;
    const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

    for _ in 1..LOOKS {
        if let Ok(found) = look() {
            return Ok(found);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    look()
}

fn gone_or_os(error: io::Error) -> UnixPathError {
    match error.kind() {
        io::ErrorKind::NotFound => UnixPathError::Replaced,
        _ => UnixPathError::Os(error),
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
    use super::{Identity, SocketFile, move_away, with_patience};
    use crate::UnixPathError;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};

    /// An empty folder, which goes at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("highwater-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn entries(&self) -> usize {
            fs::read_dir(&self.0).unwrap().count()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// The gap between the look and the removal cannot be met at will, so that this is asked of the removal
    /// itself.
    #[test]
    fn s5_a_file_that_was_not_probed_is_put_back() {
        let folder = Folder::new("put-back");
        let path = folder.0.join("s");
        let _live = UnixListener::bind(&path).unwrap();
        let file = fs::symlink_metadata(&path).unwrap();

        let another = Identity { inode: file.ino() + 1, ..Identity::of(&file) };
        move_away(&path, another).unwrap();
        assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), file.ino());
        UnixStream::connect(&path).unwrap();
        assert_eq!(folder.entries(), 1);

        move_away(&path, Identity::of(&file)).unwrap();
        assert_eq!(folder.entries(), 0);
        move_away(&path, Identity::of(&file)).unwrap();
        assert_eq!(folder.entries(), 0);
    }

    /// The one whose file it was has it again, and looks until then.
    #[test]
    fn s5_a_file_that_is_moved_away_for_a_moment_is_not_lost() {
        let folder = Folder::new("moment");
        let (path, aside) = (folder.0.join("s"), folder.0.join("aside"));
        let _live = UnixListener::bind(&path).unwrap();
        let file = SocketFile::made(&path).unwrap();
        fs::rename(&path, &aside).unwrap();
        let mut looks = 0;
        let found = with_patience(|| {
            looks += 1;
            if looks == 3 {
                fs::rename(&aside, &path).unwrap();
            }
            file.is_ours().then_some(looks).ok_or(())
        });
        assert_eq!(found, Ok(3));
        file.is_still_ours().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(file.is_still_ours().is_err(), "gone for good");
    }

    /// So is this gap, between the bind and the mode: the link is there before the first look, or after it.
    #[test]
    fn s5_the_mode_never_goes_through_a_link_that_was_put_in_the_way() {
        let folder = Folder::new("link");
        let (path, other) = (folder.0.join("s"), folder.0.join("other"));
        fs::write(&other, "not ours").unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&other, &path).unwrap();
        assert!(matches!(SocketFile::made(&path), Err(UnixPathError::Replaced)));
        fs::remove_file(&path).unwrap();

        let _ours = UnixListener::bind(&path).unwrap();
        let file = SocketFile::made(&path).unwrap();
        file.set_mode(0o666).unwrap();
        assert_eq!(mode(&path), 0o666);
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.set_mode(0o640), Err(UnixPathError::Replaced)), "gone");
        symlink(&other, &path).unwrap();
        assert!(matches!(file.set_mode(0o640), Err(UnixPathError::Replaced)), "a link");
        assert_eq!(mode(&other), 0o600);
        drop(file);
        assert!(path.is_symlink(), "what is not ours stays");
    }

    /// It is found to be ours, and is another when the mode is set: only what was looked at gets it.
    #[cfg(target_os = "linux")]
    #[test]
    fn s5_the_mode_of_a_file_that_changes_all_the_time_stays() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let folder = Folder::new("swap");
        let (path, other) = (folder.0.join("s"), folder.0.join("other"));
        let (link, aside) = (folder.0.join("link"), folder.0.join("aside"));
        fs::write(&other, "not ours").unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
        let _ours = UnixListener::bind(&path).unwrap();
        let file = SocketFile::made(&path).unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    fs::hard_link(&path, &aside).unwrap();
                    symlink(&other, &link).unwrap();
                    fs::rename(&link, &path).unwrap();
                    fs::rename(&aside, &path).unwrap();
                }
            });
            for _ in 0..20_000 {
                file.set_mode(0o666).ok();
            }
            is_done.store(true, Ordering::Relaxed);
        });
        assert_eq!(mode(&other), 0o600);
    }
}
