//! ftp, against servers that follow a script: what no server in earnest says when it is asked.

#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
use highwater_net::{StreamReader, StreamWriter, start_server};
#[cfg(unix)]
use tokio::sync::{Notify, mpsc::unbounded_channel};

use crate::FTP;
use crate::files::Folder;
#[cfg(unix)]
use crate::running::Running;
use crate::script::{Line, Scripted, line};
#[cfg(unix)]
use crate::support::TIME_LIMIT;
use crate::support::{Ended, run};

/// Up to where a transfer may begin.
fn logged_in() -> Vec<Line> {
    vec![
        line("", "120 soon\r\n220-hi\r\n there\r\n220 go on\r\n"),
        line("USER anonymous", "331 who?\r\n"),
        line("PASS anonymous@", "230-Welcome\r\n to all\r\n230 go on\r\n"),
        line("TYPE I", "200 ok\r\n"),
    ]
}

/// A server that says so from there on.
async fn server(lines: impl IntoIterator<Item = Line>) -> Scripted {
    Scripted::start(logged_in().into_iter().chain(lines).collect::<Vec<_>>()).await
}

/// A data connection through which this comes.
async fn data(content: &str) -> Scripted {
    Scripted::start([line("", content)]).await
}

fn extended(data: &Scripted) -> Line {
    line("EPSV", format!("229 here (|||{}|)\r\n", data.address.port()))
}

fn quit() -> Line {
    line("QUIT", "221 bye\r\n")
}

async fn ftp(server: &Scripted, action: &[&str]) -> Ended {
    let address = format!("127.0.0.1:{}", server.address.port());
    run(FTP, &[&["--timeout", "20", &address], action].concat()).await
}

fn fails(ended: &Ended, sentence: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert_eq!(ended.stderr, format!("ftp: {sentence}\n"));
}

#[tokio::test]
async fn an_address_in_a_reply_is_not_gone_to() {
    let data = data("content").await;
    let folder = Folder::new();
    let mut server = server([
        line("SIZE a", "213 7\r\n"),
        line("EPSV", "522 what?\r\n"),
        line("PASV", format!("227 go to (192,0,2,1,{})\r\n", data.port_bytes())),
        line("RETR a", "150 here\r\n226 done\r\n"),
        quit(),
    ])
    .await;
    let ended = ftp(&server, &["get", "a", &folder.path("a")]).await;
    assert_eq!(server.rest().await, "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(folder.read("a"), b"content");
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_told_and_kept() {
    let folder = Folder::new();
    for (said, sentence) in [
        ("226 done", "a has 10 bytes, and 7 came from 0 on"),
        ("426 it broke", "the transfer failed: 426 it broke"),
    ] {
        let data = data("content").await;
        let reply = format!("150 here\r\n{said}\r\n");
        let server = server([line("SIZE a", "213 10\r\n"), extended(&data), line("RETR a", reply)]).await;
        fails(&ftp(&server, &["get", "a", &folder.path("a")]).await, sentence);
        assert_eq!(folder.read("a"), b"content");
    }
}

#[tokio::test]
async fn the_rest_of_a_file_is_asked_for_and_appended() {
    let folder = Folder::new();
    let path = folder.write("a", "con");
    let tent = data("tent").await;
    let server = server([
        line("SIZE a", "213 7\r\n"),
        extended(&tent),
        line("REST 3", "350 go on\r\n"),
        line("RETR a", "150 here\r\n226 done\r\n"),
        quit(),
    ])
    .await;
    let ended = ftp(&server, &["get", "a", &path, "--resume"]).await;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "Got a: 4 bytes from 3 on\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(folder.read("a"), b"content");
}

#[tokio::test]
async fn a_refusal_leaves_what_is_here_as_it_is() {
    let folder = Folder::new();
    let path = folder.write("a", "con");
    let tent = data("tent").await;
    let size = || line("SIZE a", "213 7\r\n");
    let cases = [
        (vec![size(), extended(&tent), line("REST 3", "502 no\r\n")], "the server resumes nothing: 502 no"),
        (vec![size(), extended(&tent), line("REST 3", "350 k\r\n"), line("RETR a", "550 no\r\n")], "550 no"),
        (vec![size(), line("EPSV", "229 (|||0|)\r\n")], "no port is in 229 (|||0|)"),
        (
            vec![size(), line("EPSV", "500 no\r\n"), line("PASV", "425 no\r\n")],
            "the server waits for no connection: 425 no",
        ),
    ];
    for (script, reason) in cases {
        let server = server(script).await;
        fails(&ftp(&server, &["get", "a", &path, "--resume"]).await, &format!("cannot get a: {reason}"));
        assert_eq!(folder.read("a"), b"con");
    }
}

#[tokio::test]
async fn a_file_is_put_whole_or_from_where_it_ended() {
    let folder = Folder::new();
    let path = folder.write("b", "content");
    let whole = vec![line("STOR b", "150 here\r\n226 done\r\n")];
    let rest = vec![line("REST 3", "350 k\r\n"), line("STOR b", "150 here\r\n226 done\r\n")];
    for (options, before, script, sent, told) in [
        (&[][..], vec![], whole, "content", "Put b: 7 bytes from 0 on\n"),
        (&["--resume"], vec![line("SIZE b", "213 3\r\n")], rest, "tent", "Put b: 4 bytes from 3 on\n"),
    ] {
        let mut data = Scripted::start([]).await;
        let script = before.into_iter().chain([extended(&data)]).chain(script).chain([quit()]);
        let mut server = server(script).await;
        let ended = ftp(&server, &[&["put", &path], options].concat()).await;
        assert_eq!(server.rest().await, "");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), told), "{}", ended.stderr);
        assert_eq!(data.rest().await, sent);
    }
}

#[tokio::test]
async fn a_file_that_the_server_cannot_keep_is_told_in_its_words() {
    let folder = Folder::new();
    let path = folder.write("b", "content");
    let data = Scripted::start([]).await;
    let server = server([extended(&data), line("STOR b", "150 here\r\n452 the disk is full\r\n")]).await;
    fails(&ftp(&server, &["put", &path]).await, "the transfer failed: 452 the disk is full");
}

#[tokio::test]
async fn a_listing_is_facts_where_the_server_knows_them_and_lines_where_not() {
    let facts = "type=cdir; .\r\ntype=file;size=3; a\x1b[2J b\r\nnot facts\r\ntype=dir; c";
    let plain = "-rw-r--r-- 1 a b 3 Jan 1 00:00 a\x1b[2J b\r\n";
    let shown = "file            3                       a\\u{1b}[2J b\nnot facts\ndir                                     c\n";
    let lines = "-rw-r--r-- 1 a b 3 Jan 1 00:00 a\\u{1b}[2J b\n";
    for (features, verb, content, expected) in [
        ("211-Features:\r\n MLST size*;\r\n211 End\r\n", "MLSD", facts, shown),
        ("211 no features\r\n", "LIST", plain, lines),
        ("500 what?\r\n", "LIST", plain, lines),
    ] {
        let data = data(content).await;
        let script =
            [line("FEAT", features), extended(&data), line(verb, "125 it is open\r\n250 done\r\n"), quit()];
        let mut server = server(script).await;
        let ended = ftp(&server, &["ls"]).await;
        assert_eq!(server.rest().await, "");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout, expected);
    }
}

#[tokio::test]
async fn nothing_is_said_in_plain_where_tls_is_demanded() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let ca = folder.write("ca.pem", made.cert.pem());
    for (said, sentence) in [
        ("500 what?\r\n", "the server starts no TLS: 500 what?"),
        // Somebody in between, who wants to be heard inside.
        ("234 go ahead\r\n230 eve\r\n", "9 bytes in plain"),
    ] {
        let mut server = Scripted::start([line("", "220 hi\r\n"), line("AUTH TLS", said)]).await;
        let ended = ftp(&server, &["--tls", "--ca", &ca, "ls"]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
        assert_eq!(server.rest().await, "");
    }
}

#[tokio::test]
async fn a_server_is_waited_for_once() {
    let server = Scripted::start([line("", "120 soon\r\n120 soon\r\n")]).await;
    fails(&ftp(&server, &["ls"]).await, "the server serves nobody: 120 soon");
}

/// The server does not read on, and the file does not fit into what lies in between: it is on its way.
#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_file_has_no_clean_end() {
    let folder = Folder::new();
    let path = folder.write("b", vec![b'x'; 64 * 1024 * 1024]);
    let (tell, mut told) = unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let may_go_on = Arc::clone(&go_on);
    let store = move |mut reader: StreamReader, writer: StreamWriter| {
        let (tell, may_go_on) = (tell.clone(), Arc::clone(&may_go_on));
        async move {
            reader.read_exactly(1).await?;
            tell.send("begun").unwrap();
            may_go_on.notified().await;
            while let Ok(block) = reader.read(1 << 20).await {
                if block.is_empty() {
                    tell.send("whole").unwrap();
                    return Ok(());
                }
            }
            drop(writer); // And not before: it would be the end.
            tell.send("broken").unwrap();
            std::io::Result::Ok(())
        }
    };
    let data = start_server(store, ("127.0.0.1", 0)).await.unwrap();
    let port = data.local_addrs()[0].port();
    let epsv = line("EPSV", format!("229 here (|||{port}|)\r\n"));
    let server = server([epsv, line("STOR b", "150 here\r\n")]).await;
    let address = server.address.to_string();
    let mut putting = Running::start(FTP, &[&address, "put", &path], b"").await;
    assert_eq!(tokio::time::timeout(TIME_LIMIT, told.recv()).await.unwrap(), Some("begun"));
    putting.interrupt().await;
    assert_eq!(putting.ended().await.code, Some(130));
    go_on.notify_one();
    assert_eq!(tokio::time::timeout(TIME_LIMIT, told.recv()).await.unwrap(), Some("broken"));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_keeps_what_has_come() {
    let folder = Folder::new();
    let path = folder.path("a");
    // The data connection tells something, and stays.
    let data = Scripted::start([line("", "con"), line("never said", "")]).await;
    let mut server =
        server([line("SIZE a", "213 7\r\n"), extended(&data), line("RETR a", "150 here\r\n")]).await;
    let address = server.address.to_string();
    let mut getting = Running::start(FTP, &[&address, "get", "a", &path], b"").await;
    server.reaches("RETR a").await;
    let arrives = async {
        while std::fs::read(&path).unwrap_or_default() != b"con" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIME_LIMIT, arrives).await.expect("it arrives");
    getting.interrupt().await;
    let ended = getting.ended().await;
    let farewell = "ftp: interrupted: what has arrived is kept, and --resume goes on from there\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(130), farewell));
    assert_eq!(folder.read("a"), b"con");
}
