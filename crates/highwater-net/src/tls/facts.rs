//! What is known of a TLS session, kept after it is gone.

use rustls::pki_types::CertificateDer;
use rustls::{CommonState, ProtocolVersion, SupportedCipherSuite};
use std::fmt;

/// What a handshake has settled.
///
/// # Source
/// asyncio: `get_extra_info` of `"cipher"`, `"peercert"`, `"ssl_object"`, typed.
///
/// ```
/// # use highwater_net::*;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
/// # let roots = Roots::from_pem(made.cert.pem()).unwrap();
/// let server = ServerTls::builder(identity).alpn(["imap"]).build().unwrap();
/// let client = ClientTls::builder().roots(roots).alpn(["imap"]).build().unwrap();
/// let ((near, to_far), (far, to_near)) = duplex(4096);
/// let (ours, theirs) = tokio::join!(
///     start_tls(near, to_far, client.server_name("localhost")),
///     start_tls(far, to_near, server),
/// );
/// let (reader, writer) = ours.unwrap();
/// writer.close();
/// let facts = reader.facts().tls().expect("it is TLS");
/// assert_eq!(facts.version(), Some(rustls::ProtocolVersion::TLSv1_3));
/// assert_eq!(facts.alpn(), Some(&b"imap"[..]));
/// assert_eq!(facts.peer_certificates().len(), 1);
/// assert_eq!(theirs.unwrap().0.facts().tls().unwrap().server_name(), Some("localhost"));
/// # });
/// ```
#[derive(Clone)]
pub struct TlsFacts {
    version: Option<ProtocolVersion>,
    cipher_suite: Option<SupportedCipherSuite>,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    peer_certificates: Vec<CertificateDer<'static>>,
}

macro_rules! example {
    ($show:literal) => {
        concat!(
            "```\nuse highwater_net::TlsFacts;\nfn show(facts: &TlsFacts) {\n    ",
            $show,
            "\n}\n# let _ = show;\n```"
        )
    };
}

impl TlsFacts {
    pub(super) fn of(session: &CommonState, server_name: Option<&str>) -> Self {
        let peer_certificates = session.peer_certificates().unwrap_or_default();
        Self {
            version: session.protocol_version(),
            cipher_suite: session.negotiated_cipher_suite(),
            alpn: session.alpn_protocol().map(<[u8]>::to_vec),
            server_name: server_name.map(str::to_owned),
            peer_certificates: peer_certificates.iter().map(|der| der.clone().into_owned()).collect(),
        }
    }

    /// The version: TLS 1.2 or 1.3.
    ///
    #[doc = example!("println!(\"{:?}\", facts.version());")]
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.version
    }

    /// The cipher suite. asyncio: `get_extra_info("cipher")`.
    ///
    #[doc = example!("println!(\"{:?}\", facts.cipher_suite());")]
    pub fn cipher_suite(&self) -> Option<SupportedCipherSuite> {
        self.cipher_suite
    }

    /// The protocol that was agreed upon by ALPN, if any was.
    ///
    #[doc = example!("println!(\"HTTP/2: {}\", facts.alpn() == Some(b\"h2\"));")]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// The name of the server: on a server what the client asked for, if it did; on a client what the
    /// certificate was verified for.
    ///
    #[doc = example!("println!(\"{}\", facts.server_name().unwrap_or(\"no name\"));")]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The chain of the peer, its own certificate first. Empty for a client that showed none. asyncio:
    /// `get_extra_info("peercert")`.
    ///
    #[doc = example!("println!(\"{} certificates\", facts.peer_certificates().len());")]
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        &self.peer_certificates
    }
}

/// Without the bytes of certificates.
impl fmt::Debug for TlsFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFacts")
            .field("version", &self.version)
            .field("cipher_suite", &self.cipher_suite.map(|suite| suite.suite()))
            .field("alpn", &self.alpn.as_deref().map(String::from_utf8_lossy))
            .field("server_name", &self.server_name)
            .field("peer_certificates", &self.peer_certificates.len())
            .finish()
    }
}
