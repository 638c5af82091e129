//! T1: whom a client trusts, whom a server shows itself as and lets in, and what is wrong with a configuration.

use highwater_net::rustls::version::{TLS12, TLS13};
use highwater_net::rustls::{
    CertificateError, ClientConfig, ProtocolVersion, ServerConfig, SignatureScheme, SupportedProtocolVersion,
};
use highwater_net::{
    ClientAuth, ClientTls, Identity, Roots, ServerTls, StartTlsError, TlsConfigError, TlsError, TlsFacts,
    duplex, start_tls,
};
use highwater_tests::counted::run_paused;
use highwater_tests::net::Halves;
use highwater_tests::tls::{
    AUTHORITY, Authority, Issued, LOCALHOST, ONLY_12, ONLY_13, Provider, client, each, rustls_client,
    rustls_server, server,
};
use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

async fn shake(
    client: &ClientTls,
    name: &str,
    server: &ServerTls,
) -> (Result<Halves, StartTlsError>, Result<Halves, StartTlsError>) {
    let (near, far) = duplex(64 * 1024);
    each(near, client.server_name(name), far, server).await
}

async fn connected(client: &ClientTls, name: &str, server: &ServerTls) -> (Halves, Halves) {
    let (near, far) = shake(client, name, server).await;
    (near.unwrap(), far.unwrap())
}

fn tls(halves: &Halves) -> &TlsFacts {
    halves.1.facts().tls().unwrap()
}

fn refused(result: Result<Halves, StartTlsError>) -> TlsError {
    match result {
        Err(StartTlsError::Handshake(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn only(issued: &Issued) -> ServerTls {
    ServerTls::new(issued.identity()).unwrap()
}

/// What the client says of the certificate; the server hears of it as well.
async fn distrusted(client: &ClientTls, name: &str, server: &ServerTls) -> (CertificateError, String) {
    let (near, far) = shake(client, name, server).await;
    let error = refused(near);
    assert!(matches!(refused(far), TlsError::Protocol(_)));
    let text = error.to_string();
    assert_eq!(io::Error::from(error.clone()).kind(), ErrorKind::InvalidData);
    match error {
        TlsError::Certificate { server_name, error } => {
            assert_eq!(server_name.as_deref(), Some(name));
            (error, text)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn t1_certificates_that_are_not_to_be_trusted() {
    run_paused(|| async {
        for provider in Provider::ALL {
            let client = provider.client();
            let other = Authority::new("somebody else").issue(&["localhost"]);
            let (error, text) = distrusted(&client, "localhost", &only(&other)).await;
            assert!(matches!(error, CertificateError::UnknownIssuer), "{error:?}");
            assert!(text.starts_with("the certificate of localhost is not to be trusted: "), "{text}");

            let expired = AUTHORITY.issue_expired(&["localhost"]);
            let (error, text) = distrusted(&client, "localhost", &only(&expired)).await;
            let is_expired =
                matches!(error, CertificateError::Expired | CertificateError::ExpiredContext { .. });
            assert!(is_expired && text.contains("expired"), "{error:?}: {text}");

            let wrong = AUTHORITY.issue(&["example.net"]);
            let (error, text) = distrusted(&client, "localhost", &only(&wrong)).await;
            let is_wrong = matches!(
                error,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            );
            assert!(is_wrong && text.contains("localhost"), "{error:?}: {text}");
        }
    });
}

#[test]
fn t1_an_ip_address_is_a_name_for_which_the_certificate_has_to_be_valid() {
    run_paused(|| async {
        for name in ["127.0.0.1", "::1", "::1%lo", "localhost", "localhost.", "LOCALHOST"] {
            let (near, far) = connected(&client(), name, &server()).await;
            assert_eq!(tls(&near).server_name(), Some(name));
            let asked = tls(&far).server_name();
            // RFC 6066 §3: an address is not sent.
            assert_eq!(asked.is_some(), name.to_lowercase().starts_with('l'), "{asked:?}");
        }
        let (error, _) = distrusted(&client(), "127.0.0.2", &server()).await;
        assert!(matches!(
            error,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        ));
        for name in ["", "no name", "a..b", "300.0.0.1:5", "localhost%evil", "127.0.0.1.", "localhost.."] {
            let (reader, writer) = duplex(64).0;
            let error = start_tls(reader, writer, client().server_name(name)).await.unwrap_err();
            assert_eq!(error.to_string(), format!("{name:?} is neither a DNS name nor an IP address"));
            assert!(matches!(&error, StartTlsError::InvalidServerName { name: given, .. } if given == name));
            let (_, writer) = error.into_halves().expect("nothing has changed");
            writer.write("still in plain").unwrap();
            let error = io::Error::from(TlsError::InvalidServerName(name.to_owned()));
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    });
}

fn with_client_auth(auth: ClientAuth, provider: Provider) -> ServerTls {
    let builder = ServerTls::builder(LOCALHOST.identity()).client_auth(auth).provider(provider.rustls());
    builder.build().unwrap()
}

fn as_client(issued: &Issued, version: &'static SupportedProtocolVersion) -> ClientTls {
    let builder = ClientTls::builder().roots(AUTHORITY.roots()).versions([version]);
    builder.identity(issued.identity()).build().unwrap()
}

#[test]
fn t1_client_certificates() {
    run_paused(|| async {
        let users = Authority::new("our users");
        let ours = users.issue_to_client("alice");
        let foreign = Authority::new("other users").issue_to_client("mallory");
        for (provider, version) in Provider::ALL.into_iter().zip([&TLS12, &TLS13]) {
            let required = with_client_auth(ClientAuth::Required(users.roots()), provider);
            let optional = with_client_auth(ClientAuth::Optional(users.roots()), provider);
            let nobody = ClientTls::builder().roots(AUTHORITY.roots()).versions([version]).build().unwrap();

            for server in [&required, &optional] {
                let (_near, far) = connected(&as_client(&ours, version), "localhost", server).await;
                assert_eq!(tls(&far).peer_certificates(), [ours.der()]);
                let (_near, far) = shake(&as_client(&foreign, version), "localhost", server).await;
                let error = refused(far);
                assert!(matches!(&error, TlsError::Certificate { server_name: None, .. }), "{error:?}");
                assert!(
                    error.to_string().starts_with("the certificate of the client is not to be trusted: ")
                );
            }
            let (_near, far) = connected(&nobody, "localhost", &optional).await;
            assert_eq!(tls(&far).peer_certificates(), []);
            let (near, far) = shake(&nobody, "localhost", &required).await;
            assert!(matches!(refused(far), TlsError::Protocol(_)));
            // In TLS 1.3 the client is through before the server has looked.
            match near {
                Ok((mut reader, _writer)) => {
                    let error = reader.read(1).await.unwrap_err();
                    assert_eq!(
                        (error.kind(), version.version),
                        (ErrorKind::InvalidData, ProtocolVersion::TLSv1_3)
                    );
                }
                Err(error) => assert!(matches!(error, StartTlsError::Handshake(TlsError::Protocol(_)))),
            }
        }
    });
}

fn speaking(client: &[&str], server: &[&str]) -> (ClientTls, ServerTls) {
    let client = ClientTls::builder().roots(AUTHORITY.roots()).alpn(client.iter().copied()).build().unwrap();
    let server = ServerTls::builder(LOCALHOST.identity()).alpn(server.iter().copied()).build().unwrap();
    (client, server)
}

#[test]
fn t1_alpn_the_servers_dearest_wins_and_no_common_one_is_refused() {
    run_paused(|| async {
        let spoken: [(&[&str], &[&str], Option<&str>); 4] = [
            (&["http/1.1", "h2"], &["h2", "http/1.1"], Some("h2")),
            (&[], &["h2"], None),
            (&["h2"], &[], None),
            (&[], &[], None),
        ];
        for (ours, theirs, expected) in spoken {
            let (client, server) = speaking(ours, theirs);
            let (near, far) = connected(&client, "localhost", &server).await;
            assert_eq!(tls(&near).alpn(), expected.map(str::as_bytes));
            assert_eq!(tls(&far).alpn(), expected.map(str::as_bytes));
        }
        let (client, server) = speaking(&["imap"], &["h2"]);
        let (near, far) = shake(&client, "localhost", &server).await;
        assert!(matches!(refused(near), TlsError::Protocol(_)));
        let TlsError::Protocol(error) = refused(far) else { panic!() };
        assert!(matches!(error, highwater_net::rustls::Error::NoApplicationProtocol), "{error:?}");
    });
}

#[test]
fn t1_versions_and_where_there_is_no_common_one() {
    run_paused(|| async {
        let client_of =
            |version| ClientTls::builder().roots(AUTHORITY.roots()).versions([version]).build().unwrap();
        let server_of =
            |version| ServerTls::builder(LOCALHOST.identity()).versions([version]).build().unwrap();
        for version in [&TLS12, &TLS13] {
            for (client, server) in [(client_of(version), server()), (client(), server_of(version))] {
                let (near, far) = connected(&client, "localhost", &server).await;
                assert_eq!(tls(&near).version(), Some(version.version));
                assert_eq!(tls(&far).version(), Some(version.version));
            }
        }
        let (near, far) = connected(&client(), "localhost", &server()).await;
        assert_eq!(tls(&near).version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(tls(&far).cipher_suite(), tls(&near).cipher_suite());
        for (ours, theirs) in [(&TLS12, &TLS13), (&TLS13, &TLS12)] {
            let (near, far) = shake(&client_of(ours), "localhost", &server_of(theirs)).await;
            assert!(matches!(refused(near), TlsError::Protocol(_)));
            assert!(matches!(refused(far), TlsError::Protocol(_)));
        }
        let none = ClientTls::builder().roots(AUTHORITY.roots()).versions([]).build().unwrap_err();
        assert!(matches!(&none, TlsConfigError::Refused(_)) && none.source().is_some(), "{none:?}");
        assert!(none.to_string().starts_with("the TLS configuration was refused: "), "{none}");
        let none = ServerTls::builder(LOCALHOST.identity()).versions([]).build().unwrap_err();
        assert!(matches!(none, TlsConfigError::Refused(_)));
    });
}

/// The certificate that a client is shown.
async fn shown(
    name: &str,
    client: &ClientTls,
    server: &ServerTls,
) -> highwater_net::rustls::pki_types::CertificateDer<'static> {
    let (near, _far) = connected(client, name, server).await;
    tls(&near).peer_certificates()[0].clone()
}

#[test]
fn t1_the_certificate_is_chosen_by_the_name_that_is_asked_for() {
    run_paused(|| async {
        let org = AUTHORITY.issue(&["example.org", "127.0.0.1", "unknown.test"]);
        let wild = AUTHORITY.issue(&["*.example.net"]);
        let net = AUTHORITY.issue(&["a.example.net", "example.net"]);
        let server = ServerTls::builder(org.identity()).identity(wild.identity()).identity(net.identity());
        let server = server.build().unwrap();
        for (name, expected) in [
            ("example.org", &org),
            ("EXAMPLE.ORG", &org),
            // The first that is valid.
            ("a.example.net", &wild),
            ("example.net", &net),
            // No name is sent for an address, and one that nobody has gets the first.
            ("127.0.0.1", &org),
        ] {
            assert_eq!(shown(name, &client(), &server).await, expected.der(), "{name}");
        }
        let (near, _) = shake(&client(), "nobody.test", &server).await;
        assert!(refused(near).to_string().contains("nobody.test"));
        // One star is one label.
        let (near, _) = shake(&client(), "a.b.example.net", &server).await;
        assert!(matches!(refused(near), TlsError::Certificate { .. }));
    });
}

#[test]
fn t1_certificates_are_replaced_while_connections_are_open() {
    run_paused(|| async {
        for provider in Provider::ALL {
            let (before, after) = (AUTHORITY.issue(&["localhost"]), AUTHORITY.issue(&["localhost"]));
            let server = ServerTls::builder(before.identity()).provider(provider.rustls()).build().unwrap();
            let ((mut reader, _writer), (_, open)) = connected(&client(), "localhost", &server).await;
            assert_eq!(reader.facts().tls().unwrap().peer_certificates(), [before.der()]);
            let running = server.clone();
            server.replace_identities([after.identity()]).unwrap();
            assert_eq!(shown("localhost", &client(), &running).await, after.der());
            open.write("still here\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "still here\n");

            // All of them, or none.
            let bad = Identity::from_pem(&before.certificate, &after.key).unwrap();
            let error = server.replace_identities([before.identity(), bad]).unwrap_err();
            assert!(matches!(error, TlsConfigError::KeyMismatch { .. }));
            let error = server.replace_identities([]).unwrap_err();
            assert!(matches!(error, TlsConfigError::NoIdentity));
            assert_eq!(error.to_string(), "a TLS server needs at least one certificate");
            assert_eq!(shown("localhost", &client(), &running).await, after.der());
        }
        let error =
            ServerTls::from(rustls_server(ONLY_13)).replace_identities([LOCALHOST.identity()]).unwrap_err();
        assert!(error.to_string().contains("certificates of its own"), "{error}");
    });
}

#[test]
fn t1_prepared_configurations_are_taken_as_they_are() {
    run_paused(|| async {
        for versions in [ONLY_12, ONLY_13] {
            let client: [ClientTls; 2] =
                [rustls_client(versions).into(), Arc::<ClientConfig>::new(rustls_client(versions)).into()];
            let server: [ServerTls; 2] =
                [rustls_server(versions).into(), Arc::<ServerConfig>::new(rustls_server(versions)).into()];
            for (client, server) in client.iter().zip(&server) {
                let (near, _far) = connected(client, "localhost", server).await;
                assert_eq!(tls(&near).version(), Some(versions[0].version));
            }
        }
    });
}

#[test]
fn t1_roots_add_up_and_der_is_as_good_as_pem() {
    run_paused(|| async {
        let other = Authority::new("other");
        let theirs = only(&other.issue(&["localhost"]));
        let both_roots = AUTHORITY.roots().and(Roots::from_der([other.der()]));
        let twice = ClientTls::builder().roots(AUTHORITY.roots()).roots(other.roots()).build().unwrap();
        let once = ClientTls::builder().roots(both_roots).build().unwrap();
        for client in [&twice, &once] {
            connected(client, "localhost", &server()).await;
            connected(client, "localhost", &theirs).await;
        }
        let identity = Identity::from_der([LOCALHOST.der()], LOCALHOST.key_der());
        connected(&once, "localhost", &ServerTls::new(identity).unwrap()).await;
    });
}

struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("highwater-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn t1_files_that_are_not_what_they_should_be() {
    let dir = Scratch::new("pem");
    let good = dir.file("good.pem", &LOCALHOST.certificate);
    let key = dir.file("key.pem", &LOCALHOST.key);
    let empty = dir.file("empty.pem", "");
    let prose = dir.file("prose.pem", "dear sir or madam,\n");
    let broken = dir.file("broken.pem", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    let endless = dir.file("endless.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let nonsense = dir.file("nonsense.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let bad_key = dir.file("bad_key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let other_key = dir.file("other_key.pem", &AUTHORITY.issue(&["localhost"]).key);
    let der = dir.file("certificate.der", LOCALHOST.der());
    let missing = format!("{}/missing.pem", dir.0.display());
    let both_in_one = dir.file("both.pem", format!("{}{}", LOCALHOST.key, LOCALHOST.certificate));

    let error = Identity::from_pem_files(&missing, &key).unwrap_err();
    assert!(matches!(&error, TlsConfigError::Read { path, .. } if path.ends_with("missing.pem")));
    assert!(error.to_string().starts_with(&format!("cannot read {missing}: ")), "{error}");
    assert!(error.source().is_some());
    assert_eq!(io::Error::from(error).kind(), ErrorKind::NotFound);

    for path in [&empty, &prose, &key, &der] {
        let error = Identity::from_pem_files(path, &key).unwrap_err();
        assert!(
            matches!(error, TlsConfigError::NothingFound { wanted: "certificate", .. }),
            "{path}: {error:?}"
        );
        assert_eq!(error.to_string(), format!("there is no certificate in {path}"));
        let error = Roots::from_pem_file(path).unwrap_err();
        assert_eq!(error.to_string(), format!("there is no certificate in {path}"));
        assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
    }
    for path in [&empty, &good] {
        let error = Identity::from_pem_files(&good, path).unwrap_err();
        assert!(matches!(error, TlsConfigError::NothingFound { wanted: "private key", .. }));
        assert_eq!(error.to_string(), format!("there is no private key in {path}"));
    }
    for path in [&broken, &endless] {
        let error = Identity::from_pem_files(path, &key).unwrap_err();
        assert!(matches!(error, TlsConfigError::Pem { .. }), "{path}: {error:?}");
        assert!(error.to_string().starts_with(&format!("{path} is not PEM: ")), "{error}");
    }
    let error = Identity::from_pem("", &LOCALHOST.key).unwrap_err();
    assert_eq!(error.to_string(), "there is no certificate in the PEM text");

    // What takes cryptography to find out is found out when the configuration is made.
    for provider in Provider::ALL {
        let built = |chain: &str, key: &str| {
            let identity = Identity::from_pem_files(chain, key).unwrap();
            ServerTls::builder(identity).provider(provider.rustls()).build()
        };
        let error = built(&nonsense, &key).unwrap_err();
        assert!(matches!(error, TlsConfigError::Certificate { .. }), "{error:?}");
        assert!(
            error.to_string().starts_with(&format!("a certificate in {nonsense} cannot be used: ")),
            "{error}"
        );
        let error = built(&good, &bad_key).unwrap_err();
        assert!(matches!(error, TlsConfigError::PrivateKey { .. }), "{error:?}");
        assert!(
            error.to_string().starts_with(&format!("the private key in {bad_key} cannot be used: ")),
            "{error}"
        );
        let error = built(&good, &other_key).unwrap_err();
        assert!(matches!(error, TlsConfigError::KeyMismatch { .. }), "{error:?}");
        let text = format!("the private key in {other_key} is not that of the certificate in {good}");
        assert_eq!(error.to_string(), text);
        built(&both_in_one, &both_in_one).unwrap();
    }
    let roots = Roots::from_pem_file(&nonsense).unwrap();
    let error = ClientTls::builder().roots(roots).build().unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("a certificate in {nonsense} cannot be used: ")),
        "{error}"
    );
    let error = ClientTls::builder().roots(Roots::from_der([])).build().unwrap_err();
    assert!(matches!(error, TlsConfigError::NoRoots), "{error:?}");
    let error = ServerTls::new(Identity::from_der([], LOCALHOST.key_der())).unwrap_err();
    assert!(matches!(error, TlsConfigError::NothingFound { wanted: "certificate", .. }), "{error:?}");
    for auth in [ClientAuth::Required(Roots::from_der([])), ClientAuth::Optional(Roots::from_der([]))] {
        let error = ServerTls::builder(LOCALHOST.identity()).client_auth(auth).build().unwrap_err();
        assert!(matches!(error, TlsConfigError::NoRoots), "{error:?}");
    }
}

#[test]
fn t1_a_resumed_session_shows_no_certificate_anew() {
    run_paused(|| async {
        let (client, before) = (client(), AUTHORITY.issue(&["localhost"]));
        let server = only(&before);
        for round in 0..3 {
            let ((mut reader, writer), (_, peer)) = connected(&client, "localhost", &server).await;
            // The ticket comes with the data.
            peer.write("with a ticket\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "with a ticket\n");
            assert_eq!(writer.facts().tls().unwrap().peer_certificates(), [before.der()], "{round}");
            server.replace_identities([AUTHORITY.issue(&["localhost"]).identity()]).unwrap();
        }
        // Never for another name.
        let (near, _) = shake(&client, "example.org", &server).await;
        assert!(matches!(refused(near), TlsError::Certificate { .. }));
    });
}

#[test]
fn t1_protocols_that_no_hello_can_carry_are_refused() {
    let server = |alpn: Vec<Vec<u8>>| ServerTls::builder(LOCALHOST.identity()).alpn(alpn).build();
    let client = |alpn: Vec<Vec<u8>>| ClientTls::builder().roots(AUTHORITY.roots()).alpn(alpn).build();
    for length in [0, 256, 300] {
        let alpn = vec![b"h2".to_vec(), vec![b'x'; length]];
        for error in [server(alpn.clone()).unwrap_err(), client(alpn.clone()).unwrap_err()] {
            assert!(
                matches!(error, TlsConfigError::AlpnName { length: told } if told == length),
                "{error:?}"
            );
            let sentence = format!("the name of an ALPN protocol has 1 to 255 bytes, and one has {length}");
            assert_eq!(error.to_string(), sentence);
        }
    }
    let many = |count| vec![vec![b'x'; 255]; count];
    assert!(server(many(32)).is_ok() && client(many(32)).is_ok());
    for error in [server(many(33)).unwrap_err(), client(many(33)).unwrap_err()] {
        assert!(matches!(error, TlsConfigError::AlpnList { length: 8448, most: 8192 }), "{error:?}");
    }
}

/// A key that the client cannot verify is passed over, although its certificate comes first.
#[test]
fn t1_the_key_is_one_that_the_client_can_verify() {
    run_paused(|| async {
        let names = &["localhost"][..];
        let (edwards, ecdsa) = (AUTHORITY.issue_ed25519(names), AUTHORITY.issue(names));
        let server = ServerTls::builder(edwards.identity()).identity(ecdsa.identity()).build().unwrap();
        let builder = || ClientTls::builder().roots(AUTHORITY.roots());
        let mut without = Provider::AwsLcRs.rustls();
        let schemes = without.signature_verification_algorithms.mapping.iter().copied();
        let schemes = schemes.filter(|(scheme, _)| *scheme != SignatureScheme::ED25519).collect::<Vec<_>>();
        without.signature_verification_algorithms.mapping = schemes.leak();
        for (tls, shown) in
            [(builder().build().unwrap(), &edwards), (builder().provider(without).build().unwrap(), &ecdsa)]
        {
            let (near, _far) = connected(&tls, "localhost", &server).await;
            assert_eq!(self::tls(&near).peer_certificates(), [shown.der()]);
        }
    });
}

#[test]
fn t1_what_newcomers_bring_is_refused_in_a_sentence_that_helps() {
    run_paused(|| async {
        // An encrypted key is there, and cannot be read.
        let certificate = &LOCALHOST.certificate;
        for key in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END RSA PRIVATE KEY-----\n",
        ] {
            let error = Identity::from_pem(certificate, key).unwrap_err();
            assert!(matches!(error, TlsConfigError::EncryptedKey { .. }), "{error:?}");
            let sentence =
                "the private key in the PEM text is encrypted: decrypt it first, with `openssl pkey`";
            assert_eq!(error.to_string(), sentence);
        }

        // A certificate that signs itself as an authority does.
        let own = Authority::new("localhost").as_a_server();
        let tls = ClientTls::builder().roots(Roots::from_pem(&own.certificate).unwrap()).build().unwrap();
        let (_, sentence) = distrusted(&tls, "localhost", &ServerTls::new(own.identity()).unwrap()).await;
        assert!(
            sentence.ends_with("an authority (CA:TRUE), which is not taken for a server's"),
            "{sentence}"
        );

        // A peer that speaks something else.
        let ((reader, writer), (_, peer)) = duplex(4096);
        peer.write("220 ready\r\n").unwrap();
        let error = start_tls(reader, writer, client().server_name("localhost")).await.unwrap_err();
        let start = "the TLS handshake failed: the peer does not seem to speak TLS: ";
        assert!(error.to_string().starts_with(start), "{error}");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    });
}

#[test]
fn t3_no_time_at_all_is_a_handshake_that_times_out() {
    run_paused(|| async {
        let none = std::time::Duration::ZERO;
        for side in ["client", "server"] {
            let (near, far) = duplex(64 * 1024);
            let (client, server) = match side {
                "client" => (client().handshake_timeout(none), server()),
                _ => (client(), server().handshake_timeout(none)),
            };
            let (ours, theirs) = each(near, client.server_name("localhost"), far, server).await;
            let (hasty, other) = if side == "client" { (ours, theirs) } else { (theirs, ours) };
            let error = hasty.unwrap_err();
            let timed_out = StartTlsError::Handshake(TlsError::TimedOut { after: none });
            assert_eq!(error.to_string(), timed_out.to_string());
            assert!(other.is_err());
        }
    });
}
