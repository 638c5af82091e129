//! The SMTP and FTP examples end to end: against each other, and against servers that follow a script.

mod files;
mod ftp;
mod running;
mod script;
mod smtp;
#[path = "../support/mod.rs"]
mod support;

use support::run;

const FTP: &str = env!("CARGO_BIN_EXE_ftp");
const SMTP_RECEIVE: &str = env!("CARGO_BIN_EXE_smtp-receive");
const SMTP_SEND: &str = env!("CARGO_BIN_EXE_smtp-send");

#[tokio::test]
async fn each_explains_itself() {
    for program in [FTP, SMTP_RECEIVE, SMTP_SEND] {
        let ended = run(program, &["--help"]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{program}");
        assert!(ended.stdout.contains("Usage: "), "{program}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_in_a_sentence() {
    // Bound, so that nobody else takes it meanwhile, and never listened on.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = &reserved.local_addr().unwrap().to_string();
    let mail = ["--starttls", "never", "--from", "a@b", "--to", "c@d", address];
    for (name, ended) in
        [("ftp", run(FTP, &[address, "ls"]).await), ("smtp-send", run(SMTP_SEND, &mail).await)]
    {
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        let start = format!("{name}: could not connect to {address}: ");
        assert!(ended.stderr.starts_with(&start) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    }
}
