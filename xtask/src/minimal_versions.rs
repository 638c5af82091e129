//! `cargo xtask minimal-versions`: that the libraries build with the oldest versions that their manifests allow.
//!
//! Not a step of [`ci`](crate::ci): it asks the registry for versions that nothing else here uses.

use crate::outcome::Outcome;
use crate::process;
use crate::publish::LIBRARIES;
use crate::workspace::Workspace;

/// The oldest of what each manifest names, and of the rest what cargo picks. With features that need a C compiler too.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let folder = workspace.fresh_folder("minimal-versions")?;
    let libraries = LIBRARIES.map(|library| format!("-p {library}")).join(" ");
    let mut command = workspace.cargo(&format!("check --all-features {libraries}"));
    // With a lock file of its own, so that the one of the workspace stays as it is.
    let lock = format!("resolver.lockfile-path={:?}", folder.join("Cargo.lock"));
    command.args(["-Z", "direct-minimal-versions", "-Z", "lockfile-path", "--config", &lock]);
    command.arg("--target-dir").arg(&folder);
    // Two options that a stable cargo has and does not offer.
    command.env("RUSTC_BOOTSTRAP", "1");
    println!("$ {}", process::shown(&command));
    process::run(&mut command)
}
