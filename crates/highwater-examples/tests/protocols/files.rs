//! Files of a test, in a folder that goes with it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Folder(PathBuf);

/// One that nobody else has in this process.
fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Folder {
    pub(crate) fn new() -> Self {
        let name = format!("protocols-{}-{}", std::process::id(), number());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// A file as standard input, whose size can be seen.
    pub(crate) fn input(&self, content: impl AsRef<[u8]>) -> Stdio {
        fs::File::open(self.write(&format!("input-{}", number()), content)).unwrap().into()
    }

    /// A pipe as standard input, whose size cannot.
    #[cfg(unix)]
    pub(crate) fn piped(&self, content: impl AsRef<[u8]>) -> Stdio {
        let path = self.write(&format!("input-{}", number()), content);
        let mut cat = std::process::Command::new("cat").arg(path).stdout(Stdio::piped()).spawn().unwrap();
        let output = cat.stdout.take().unwrap();
        std::thread::spawn(move || cat.wait());
        output.into()
    }

    /// What is in a folder within, by name.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
