//! What a figure was measured on and with, as far as the system tells.

use std::fs;
use std::process::Command;

const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
/// The crates whose work is in the figures.
const CRATES: [&str; 9] = [
    "aho-corasick",
    "aws-lc-rs",
    "bytes",
    "futures-util",
    "memchr",
    "rustls",
    "tokio",
    "tokio-rustls",
    "tokio-util",
];

/// Processor, memory and kernel, in a sentence.
pub(crate) fn hardware() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpuinfo, "model name").unwrap_or("an unknown processor");
    let virtual_machine =
        field(&cpuinfo, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kib: f64 = field(&text, "MemTotal")?.trim_end_matches(" kB").parse().ok()?;
        Some(format!(", {:.0} GiB of memory", kib / 1024.0 / 1024.0))
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The rest of it is what a distribution or a host calls its own.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    format!(
        "{model}, {cores} {}cores{}, {} {kernel}",
        if virtual_machine { "virtual " } else { "" },
        memory.unwrap_or_default(),
        std::env::consts::OS,
    )
}

/// How busy the machine is: processes that run or want to, over the last minute.
pub(crate) fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next().map(str::to_owned)
}

/// The compiler, the crates, and the programs that are not Rust if they take part.
pub(crate) fn versions(external: bool) -> String {
    let mut versions: Vec<_> = version("rustc", "--version").into_iter().collect();
    versions.extend(CRATES.into_iter().filter_map(locked));
    if external {
        versions.extend(version("python3", "--version"));
        versions.extend(version("go", "version"));
    }
    versions.join(", ")
}

/// What a file of `/proc` says of `name`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

fn locked(name: &str) -> Option<String> {
    let (_, rest) = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(format!("{name} {}", rest.split('"').next()?))
}

fn version(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_of_crates_are_those_that_are_locked() {
        for name in CRATES {
            assert!(locked(name).is_some(), "{name} is not in the lock file");
        }
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        assert_eq!(field("model\t: 26\nmodel name\t: A B\n", "model name"), Some("A B"));
    }
}
