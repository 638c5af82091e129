//! T5: what TLS settled is typed, on both halves, and outlives the connection.

use highwater_net::rustls::{CipherSuite, ProtocolVersion};
use highwater_net::{ClientTls, ServerTls, TlsFacts};
use highwater_tests::counted::on_one_thread;
use highwater_tests::report;
use highwater_tests::tls::{AUTHORITY, LOCALHOST, Over, both, client, server};

#[test]
fn t5_both_halves_know_and_know_it_after_the_end() {
    on_one_thread(|| async {
        let (near, far) = Over::Tcp.pairs();
        let before = (near.1.facts().peer_addr().to_string(), near.1.facts().local_addr().to_string());
        assert!(near.0.facts().tls().is_none() && far.1.facts().tls().is_none());
        let client = ClientTls::builder().roots(AUTHORITY.roots()).alpn(["imap"]).build().unwrap();
        let server = ServerTls::builder(LOCALHOST.identity()).alpn(["imap"]).build().unwrap();
        let (near, far) = both(near, client.server_name("localhost"), far, server).await.unwrap();
        near.1.close();
        far.1.close();
        near.1.wait_closed().await.unwrap();
        let check = |facts: &TlsFacts, sees_certificate: bool| {
            assert_eq!(facts.version(), Some(ProtocolVersion::TLSv1_3));
            let suite = facts.cipher_suite().unwrap().suite();
            assert!(matches!(
                suite,
                CipherSuite::TLS13_AES_256_GCM_SHA384 | CipherSuite::TLS13_AES_128_GCM_SHA256
            ));
            assert_eq!((facts.alpn(), facts.server_name()), (Some(&b"imap"[..]), Some("localhost")));
            let expected = if sees_certificate { vec![LOCALHOST.der()] } else { Vec::new() };
            assert_eq!(facts.peer_certificates(), expected);
        };
        for facts in [near.0.facts(), near.1.facts()] {
            check(facts.tls().unwrap(), true);
            assert_eq!((facts.peer_addr().to_string(), facts.local_addr().to_string()), before);
        }
        check(far.0.facts().tls().unwrap(), false);
        check(far.1.facts().tls().unwrap(), false);
    });
}

#[test]
fn t5_the_innermost_tls_tells_and_a_clone_is_as_of_then() {
    on_one_thread(|| async {
        let (near, far) = Over::Memory(4096).pairs();
        let plain = near.1.facts().clone();
        let (near, far) = both(near, client().server_name("localhost"), far, server()).await.unwrap();
        let once = near.0.facts().clone();
        let inner = AUTHORITY.issue(&["inner.test"]);
        let inner_server = ServerTls::new(inner.identity()).unwrap();
        let (near, far) = both(near, client().server_name("inner.test"), far, inner_server).await.unwrap();
        assert!(plain.tls().is_none());
        assert_eq!(once.tls().unwrap().server_name(), Some("localhost"));
        let twice = near.0.facts().clone();
        drop((near, far));
        assert_eq!(twice.tls().unwrap().server_name(), Some("inner.test"));
        assert_eq!(twice.tls().unwrap().peer_certificates(), [inner.der()]);
    });
}

#[test]
fn t5_the_size_of_what_is_known() {
    report(&format!(
        "tls: {} bytes of facts for each connection, before certificates",
        size_of::<TlsFacts>()
    ));
    assert!(size_of::<highwater_net::Facts>() <= 512);
}
