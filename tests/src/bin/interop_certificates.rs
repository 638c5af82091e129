//! Certificates for `tests/interop`: `interop_certificates FOLDER` makes an authority and what it issues, good
//! and bad, and another authority.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use highwater_tests::tls::{Authority, Issued};

const LOCAL: &[&str] = &["localhost", "127.0.0.1"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: interop_certificates FOLDER")?;
    let ours = Authority::new("authority of the interop suite");
    let other = Authority::new("an authority that nobody knows");
    fs::write(folder.join("ca.pem"), ours.pem())?;
    fs::write(folder.join("other-ca.pem"), other.pem())?;
    for (name, issued) in [
        ("server", ours.issue(LOCAL)),
        ("client", ours.issue_to_client("client.test")),
        ("elsewhere", ours.issue(&["elsewhere.test"])),
        ("expired", ours.issue_expired(LOCAL)),
        ("stranger", other.issue(LOCAL)),
        ("stranger-client", other.issue_to_client("client.test")),
    ] {
        let Issued { certificate, key } = issued;
        fs::write(folder.join(format!("{name}.pem")), certificate)?;
        fs::write(folder.join(format!("{name}.key")), key)?;
    }
    Ok(())
}
