//! smtp-send and smtp-receive.

use std::net::SocketAddr;
use std::process::Stdio;

use highwater_net::{ClientTls, Roots, StreamReader, StreamWriter, open_connection, start_tls};

use crate::files::Folder;
#[cfg(unix)]
use crate::running::Running;
use crate::script::{Scripted, line};
use crate::support::{Ended, Server, run_into_full_disk, run_on};
use crate::{SMTP_RECEIVE, SMTP_SEND};

const PLAIN: &[&str] = &["--starttls", "never"];

async fn receive(folder: &Folder, options: &[&str]) -> Server {
    let mail = folder.path("mail");
    Server::start(SMTP_RECEIVE, &[&["--port", "0", "--folder", &mail], options].concat()).await
}

async fn send(input: Stdio, address: SocketAddr, options: &[&str]) -> Ended {
    let address = format!("localhost:{}", address.port());
    let words = [&["--from", "anna@example.org", "--to", "ben@example.org"], options, &[&address]].concat();
    run_on(input, SMTP_SEND, &words).await
}

/// The message that the server tells of next, and the sentence in which it does.
async fn stored(server: &mut Server) -> (Vec<u8>, String) {
    let told = server.line().await;
    let (sentence, path) = told.split_once(", in ").unwrap_or_else(|| panic!("{told}"));
    (std::fs::read(path).unwrap(), sentence.to_owned())
}

/// A certificate for this machine, words for a server that shows it, and words for a client.
fn certified(folder: &Folder) -> ([String; 4], [String; 2]) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let cert = folder.write("cert.pem", made.cert.pem());
    let key = folder.write("key.pem", made.signing_key.serialize_pem());
    (["--cert".into(), cert.clone(), "--key".into(), key], ["--ca".into(), cert])
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn messages_arrive_as_they_were_but_for_line_ends() {
    let folder = Folder::new();
    let mut server = receive(&folder, &[]).await;
    let large = (0..20_000).map(|number| format!(".line {number}\r\n")).collect::<String>();
    for (message, expected) in [
        ("", ""),
        ("Subject: x\n\n.\n..\n.x", "Subject: x\r\n\r\n.\r\n..\r\n.x\r\n"),
        ("a\r\n.\r\nb\r\n", "a\r\n.\r\nb\r\n"),
        ("a\n.\r\nMAIL FROM:<eve@b>\r\n\r.\r", "a\r\n.\r\nMAIL FROM:<eve@b>\r\n\r\n.\r\n"),
        ("Grüße", "Grüße\r\n"),
        (&large, &large),
    ] {
        let ended = send(folder.input(message), server.address, PLAIN).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout, "Sent: 250 2.0.0 taken\n");
        let (arrived, told) = stored(&mut server).await;
        assert_eq!(String::from_utf8(arrived).unwrap(), expected);
        let size = expected.len();
        assert_eq!(told, format!("Message from <anna@example.org> to <ben@example.org>: {size} bytes"));
    }
}

#[tokio::test]
async fn a_message_travels_inside_tls_for_whom_the_server_knows() {
    let folder = Folder::new();
    let (theirs, ours) = certified(&folder);
    let (right, wrong) = (folder.write("right", "secret\n"), folder.write("wrong", "guessed\n"));
    let options = [&words(&theirs)[..], &["--user", "anna", "--password-file", &right]].concat();
    let mut server = receive(&folder, &options).await;

    let user = [&words(&ours)[..], &["--user", "anna", "--password-file", &right]].concat();
    let ended = send(folder.input("private"), server.address, &user).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(stored(&mut server).await.0, b"private\r\n");

    let guessing = [&words(&ours)[..], &["--user", "anna", "--password-file", &wrong]].concat();
    let in_plain = [PLAIN, &["--user", "anna", "--password-file", &right]].concat();
    for (options, reason) in [
        (guessing, "the server does not know us: 535 "),
        (words(&ours), "the server takes nothing from anna@example.org: 530 5.7.0 AUTH first"),
        (PLAIN.to_vec(), "the server takes nothing from anna@example.org: 530 5.7.0 STARTTLS first"),
        (in_plain, "a password is not sent in plain"),
    ] {
        let ended = send(folder.input("x"), server.address, &options).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(ended.stderr.starts_with(&format!("smtp-send: {reason}")), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn without_tls_nothing_is_sent_unless_that_was_asked_for() {
    let folder = Folder::new();
    let mut server = receive(&folder, &[]).await;
    let (_, ours) = certified(&folder);
    let ended = send(folder.input("x"), server.address, &words(&ours)).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), "smtp-send: the server offers no STARTTLS\n"));
    let options = [&words(&ours)[..], &["--starttls", "if-offered"]].concat();
    assert_eq!(send(folder.input("x"), server.address, &options).await.code, Some(0));
    assert_eq!(stored(&mut server).await.0, b"x\r\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_message_that_is_too_large_is_not_sent_or_not_to_its_end() {
    let folder = Folder::new();
    let mut server = receive(&folder, &["--largest", "1000"]).await;
    let large = "0123456789\n".repeat(91);
    for (input, reason) in [
        (folder.input(&large), "the server takes 1000 bytes at most, and these are 1001"),
        (folder.piped(&large), "the server takes 1000 bytes at most, and there are more"),
        // Line ends count, which only the server sees.
        (folder.input(&large[11..]), "the server did not take the message: 552 5.3.4 too large a message"),
    ] {
        let ended = send(input, server.address, PLAIN).await;
        assert_eq!((ended.code, ended.stderr), (Some(1), format!("smtp-send: {reason}\n")));
    }
    assert_eq!(server.line().await, "Message refused: 552 5.3.4 too large a message");
    assert!(folder.names("mail").is_empty(), "{:?}", folder.names("mail"));
}

#[tokio::test]
async fn recipients_beyond_the_hundredth_are_told() {
    let folder = Folder::new();
    let mut server = receive(&folder, &[]).await;
    let more: Vec<_> = (2..=101).map(|number| format!("--to=r{number}@example.org")).collect();
    let ended = send(folder.input("x"), server.address, &[PLAIN, &words(&more)].concat()).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), "Sent: 250 2.0.0 taken\n"));
    let refused = "r101@example.org was refused: 452 4.5.3 enough of them; the others in another message";
    assert_eq!(ended.stderr, format!("smtp-send: taken for 100 of 101 recipients: {refused}\n"));
    let (_, told) = stored(&mut server).await;
    assert!(told.contains(", <r100@example.org>: ") && !told.contains("r101"), "{told}");
}

#[tokio::test]
async fn commands_go_out_together_where_the_server_allows_it() {
    let pipelining = [
        line("", "220 hi\r\n"),
        line("EHLO [", "250-hi\r\n250-SIZE\r\n250-8BITMIME\r\n250 PIPELINING\r\n"),
        line("MAIL FROM:<anna@example.org> SIZE=1 BODY=8BITMIME", ""),
        line("RCPT TO:<ben@example.org>", ""),
        // Only now there are replies.
        line("DATA", "250 a\r\n250 b\r\n354 c\r\n"),
        line("x", ""),
        line(".", "250 taken\r\n"),
        line("QUIT", "221 bye\r\n"),
    ];
    // Extensions that were not offered are not used.
    let in_turn = [
        line("", "220-hi\r\n220 there\r\n"),
        line("EHLO [", "502 what?\r\n"),
        line("HELO [", "250 hi\r\n"),
        line("MAIL FROM:<anna@example.org>", "250 a\r\n"),
        line("RCPT TO:<ben@example.org>", "251 b\r\n"),
        line("DATA", "354 c\r\n"),
        line("x", ""),
        line(".", "250 taken\r\n"),
        line("QUIT", ""),
    ];
    let folder = Folder::new();
    for script in [&pipelining[..], &in_turn] {
        let mut server = Scripted::start(script).await;
        let ended = send(folder.input("x"), server.address, &[PLAIN, &["--timeout", "2"]].concat()).await;
        assert_eq!(server.rest().await, "");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout, "Sent: 250 taken\n");
    }
}

#[tokio::test]
async fn a_server_that_wants_a_text_for_nobody_gets_an_empty_one() {
    let mut server = Scripted::start([
        line("", "220 hi\r\n"),
        line("EHLO [", "250-hi\r\n250 PIPELINING\r\n"),
        line("MAIL", "250 a\r\n"),
        line("RCPT", "550 no\r\n"),
        line("DATA", "354 c\r\n"),
        line(".", "554 nobody\r\n"),
        line("QUIT", "221 bye\r\n"),
    ])
    .await;
    let folder = Folder::new();
    let ended = send(folder.input("not for anybody"), server.address, PLAIN).await;
    assert_eq!(server.rest().await, "");
    let sentence = "smtp-send: nobody is there to take it: ben@example.org was refused: 550 no\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), sentence));
}

#[tokio::test]
async fn bytes_that_the_server_does_not_take_end_the_message_without_its_end() {
    let script = [
        line("", "220 hi\r\n"),
        line("EHLO [", "250 hi\r\n"),
        line("MAIL", "250 a\r\n"),
        line("RCPT", "250 b\r\n"),
        line("DATA", "354 c\r\n"),
    ];
    let mut server = Scripted::start(script).await;
    let folder = Folder::new();
    let ended = send(folder.input("Grüße\n"), server.address, PLAIN).await;
    let sentence = "smtp-send: the server takes 7-bit text alone, and this is not\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), sentence));
    assert_eq!(server.rest().await, "");
}

#[tokio::test]
async fn what_is_said_behind_go_ahead_in_plain_is_refused() {
    let script = [
        line("", "220 hi\r\n"),
        line("EHLO [", "250-hi\r\n250 STARTTLS\r\n"),
        line("STARTTLS", "220 go ahead\r\n250-eve\r\n250 AUTH PLAIN\r\n"),
    ];
    let mut server = Scripted::start(script).await;
    let folder = Folder::new();
    let (_, ours) = certified(&folder);
    let ended = send(folder.input("x"), server.address, &words(&ours)).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("25 bytes in plain"), "{}", ended.stderr);
    assert_eq!(server.rest().await, "", "no handshake has begun");
}

async fn connect(server: &Server) -> (StreamReader, StreamWriter) {
    let (mut reader, writer) = open_connection(server.address).await.unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "220 localhost ESMTP\r\n");
    (reader, writer)
}

/// The codes of the replies to lines that are sent in one go.
async fn codes(reader: &mut StreamReader, writer: &StreamWriter, lines: &str) -> Vec<String> {
    writer.write(lines.replace('\n', "\r\n")).unwrap();
    let mut codes = Vec::new();
    while codes.len() < lines.matches('\n').count() {
        let reply = reader.read_line().await.unwrap().expect("a reply");
        if reply[3] == b' ' {
            codes.push(String::from_utf8_lossy(&reply[..3]).into_owned());
        }
    }
    codes
}

#[tokio::test]
async fn commands_have_their_order() {
    let folder = Folder::new();
    let server = receive(&folder, &[]).await;
    let (mut reader, writer) = connect(&server).await;
    for (lines, expected) in [
        ("MAIL FROM:<a@b>\n", &["503"][..]),
        ("EHLO x\nRCPT TO:<a@b>\nDATA\nAUTH PLAIN\nSTARTTLS\n", &["250", "503", "503", "502", "502"]),
        (
            "MAIL FROM:<>\nMAIL FROM:<>\nDATA\nRCPT TO:<a@b>\nRSET\nDATA\n",
            &["250", "503", "503", "250", "250", "503"],
        ),
        ("MAIL FROM:<>\nRCPT TO:<a@b>\nEHLO x\nRCPT TO:<a@b>\n", &["250", "250", "250", "503"]),
        ("NOOP x\nVRFY x\nHELO x\nQUIT\n", &["250", "252", "250", "221"]),
    ] {
        assert_eq!(codes(&mut reader, &writer, lines).await, expected, "{lines}");
    }
    assert_eq!(reader.read(1).await.unwrap(), "");
}

#[tokio::test]
async fn what_was_said_in_plain_is_forgotten_inside_tls() {
    let folder = Folder::new();
    let (theirs, _) = certified(&folder);
    let secret = folder.write("secret", "secret");
    let options = [&words(&theirs)[..], &["--user", "anna", "--password-file", &secret]].concat();
    let server = receive(&folder, &options).await;
    let (mut reader, writer) = connect(&server).await;
    let lines = "EHLO x\nAUTH PLAIN AGFubmEAc2VjcmV0\nMAIL FROM:<a@b>\nSTARTTLS\n";
    assert_eq!(codes(&mut reader, &writer, lines).await, ["250", "538", "530", "220"]);

    let roots = Roots::from_pem_file(folder.path("cert.pem")).unwrap();
    let tls = ClientTls::builder().roots(roots).build().unwrap();
    let (mut reader, writer) = start_tls(reader, writer, tls.server_name("localhost")).await.unwrap();
    for (lines, expected) in [
        ("MAIL FROM:<a@b>\nAUTH PLAIN AGFubmEAc2VjcmV0\nEHLO x\n", &["503", "503", "250"][..]),
        ("STARTTLS\nAUTH PLAIN\n*\nAUTH PLAIN eA==\n", &["503", "334", "501", "501"]),
        // A line that is too long to be credentials ends that, too.
        (&format!("AUTH PLAIN\n{}\nNOOP\n", "x".repeat(1000)), &["334", "500", "250"]),
        ("AUTH PLAIN\nAGFubmEAc2VjcmV0\nAUTH PLAIN\nMAIL FROM:<a@b>\n", &["334", "235", "503", "250"]),
    ] {
        assert_eq!(codes(&mut reader, &writer, lines).await, expected, "{lines}");
    }
}

#[tokio::test]
async fn only_a_dot_between_two_line_ends_ends_a_message() {
    let folder = Folder::new();
    let server = receive(&folder, &[]).await;
    for (text, code) in [
        ("one\n.\nMAIL FROM:<eve@b>\r\n", "550"),
        ("one\n.\r\nMAIL FROM:<eve@b>\r\n", "550"),
        ("one\r\n.\nMAIL FROM:<eve@b>\r\n", "550"),
        ("one\r\n.\rMAIL FROM:<eve@b>\r\n", "550"),
        // The first reason is the one that is told.
        (&format!("one\r.\r\n{}\r\n", "x".repeat(1000)), "550"),
        (&format!("{}\r\none\n.\n\r\n", "x".repeat(1000)), "500"),
        (&format!(".{}\r\n", "x".repeat(998)), "250"),
    ] {
        let (mut reader, writer) = connect(&server).await;
        let lines = "EHLO x\nMAIL FROM:<>\nRCPT TO:<a@b>\nDATA\n";
        assert_eq!(codes(&mut reader, &writer, lines).await, ["250", "250", "250", "354"]);
        writer.write(text.to_owned()).unwrap();
        assert_eq!(codes(&mut reader, &writer, ".\nQUIT\n").await, [code, "221"], "{text:?}");
        assert_eq!(reader.read(1).await.unwrap(), "");
    }
    assert_eq!(folder.names("mail").len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_tells_clients_and_ends_the_server_well() {
    let folder = Folder::new();
    let server = receive(&folder, &[]).await;
    let (mut reader, writer) = connect(&server).await;
    assert_eq!(codes(&mut reader, &writer, "EHLO x\n").await, ["250"]);
    server.interrupt().await;
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "421 4.3.2 the server stops\r\n");
    assert_eq!(reader.read(1).await.unwrap(), "");
    assert_eq!(server.exit_code().await, Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn half_a_message_is_not_kept() {
    let folder = Folder::new();
    let server = receive(&folder, &[]).await;
    let (mut reader, writer) = connect(&server).await;
    let lines = "EHLO x\nMAIL FROM:<>\nRCPT TO:<a@b>\nDATA\n";
    assert_eq!(codes(&mut reader, &writer, lines).await, ["250", "250", "250", "354"]);
    writer.write("half a message\r\n").unwrap();
    writer.close();
    writer.wait_closed().await.unwrap();
    server.interrupt().await;
    assert_eq!(server.exit_code().await, Some(0));
    assert!(folder.names("mail").is_empty(), "{:?}", folder.names("mail"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_nobody_takes_is_told_in_a_sentence() {
    let ended = run_into_full_disk(SMTP_RECEIVE, &["--port", "0"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("smtp-receive: nobody takes the output: "), "{}", ended.stderr);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_leaves_a_message_without_its_end() {
    let mut server = Scripted::start([
        line("", "220 hi\r\n"),
        line("EHLO [", "250 hi\r\n"),
        line("MAIL", "250 a\r\n"),
        line("RCPT", "250 b\r\n"),
        line("DATA", "354 c\r\n"),
        line("begun", ""),
    ])
    .await;
    let address = server.address.to_string();
    let words = ["--starttls", "never", "--from", "a@b", "--to", "c@d", &address];
    // It waits for more on standard input, in a thread that nothing ends.
    let mut sending = Running::start(SMTP_SEND, &words, b"begun\r\n").await;
    server.reaches("begun").await;
    sending.interrupt().await;
    let ended = sending.ended().await;
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(130), "smtp-send: interrupted: the message was not sent\n")
    );
    assert_eq!(server.rest().await, "");
}

/// What it tells at Ctrl-C, and prints, when the server was told the end of the message.
#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_behind_the_end_of_a_message_does_not_deny_it() {
    let begun = [
        line("", "220 hi\r\n"),
        line("EHLO [", "250 hi\r\n"),
        line("MAIL", "250 a\r\n"),
        line("RCPT", "250 b\r\n"),
        line("DATA", "354 c\r\n"),
    ];
    let unknown = "smtp-send: interrupted: the server may have taken the message, or not\n";
    let sent = "smtp-send: interrupted: the message was sent\n";
    for (script, last, printed, farewell) in [
        (vec![line(".", "")], ".", "", unknown),
        (vec![line(".", "250 taken\r\n"), line("QUIT", "")], "QUIT", "Sent: 250 taken\n", sent),
    ] {
        let mut server = Scripted::start([&begun[..], &script].concat()).await;
        let address = server.address.to_string();
        let words = ["--starttls", "never", "--from", "a@b", "--to", "c@d", &address];
        let mut sending = Running::start(SMTP_SEND, &words, b"").await;
        sending.end_input();
        server.reaches(last).await;
        sending.interrupt().await;
        let ended = sending.ended().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(130), printed));
        assert_eq!(ended.stderr, farewell);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_message_that_was_sent_is_not_unsent_for_want_of_a_reader() {
    let folder = Folder::new();
    let mut server = receive(&folder, &[]).await;
    let address = format!("localhost:{}", server.address.port());
    let words = ["--starttls", "never", "--from", "a@b", "--to", "c@d", &address];
    let ended = run_into_full_disk(SMTP_SEND, &words).await;
    assert_eq!(ended.code, Some(0));
    let start = "smtp-send: the message was sent, but nobody takes the output: ";
    assert!(ended.stderr.starts_with(start), "{}", ended.stderr);
    stored(&mut server).await;
}

#[tokio::test]
async fn whoever_sends_no_message_is_not_listened_to_for_ever() {
    let folder = Folder::new();
    let server = receive(&folder, &[]).await;
    let (mut reader, writer) = connect(&server).await;
    assert_eq!(codes(&mut reader, &writer, "EHLO x\n").await, ["250"]);
    let lines = "MAIL FROM:<>\nRCPT TO:<a@b>\nDATA\n";
    assert_eq!(codes(&mut reader, &writer, lines).await, ["250", "250", "354"]);
    assert_eq!(codes(&mut reader, &writer, ".\n").await, ["250"]);
    // Since the last message.
    let codes = codes(&mut reader, &writer, &"NOOP\n".repeat(1001)).await;
    assert!(codes[..1000].iter().all(|code| code == "250"));
    assert_eq!(codes[1000], "421");
    assert_eq!(reader.read(1).await.unwrap(), "");
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_output_ends_no_session_whose_messages_are_filed() {
    let folder = Folder::new();
    let mail = folder.path("mail");
    // It has printed where it serves when nobody reads on.
    let words = ["--port", "0", "--folder", &mail];
    let (address, _process) = Server::start_deaf(SMTP_RECEIVE, &words).await;
    let (mut reader, writer) = open_connection(address).await.unwrap();
    reader.read_line().await.unwrap();
    let message = "MAIL FROM:<>\nRCPT TO:<a@b>\nDATA\n";
    assert_eq!(codes(&mut reader, &writer, "EHLO x\n").await, ["250"]);
    for _ in 0..2 {
        assert_eq!(codes(&mut reader, &writer, message).await, ["250", "250", "354"]);
        assert_eq!(codes(&mut reader, &writer, ".\n").await, ["250"]);
    }
    assert_eq!(codes(&mut reader, &writer, "QUIT\n").await, ["221"]);
    assert_eq!(folder.names("mail").len(), 2);
}
