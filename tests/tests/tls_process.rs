//! T1, T2 and T3: what TLS does to its process: it installs no provider, leaves no descriptor and no task behind,
//! and takes the platform's roots from where the platform says. One test, so that nobody else is in it.
#![cfg(target_os = "linux")]

use highwater_net::rustls::crypto::CryptoProvider;
use highwater_net::{ClientTls, TlsConfigError, start_tls};
use highwater_tests::bounded::{bounded, one_thread, settle, two_workers};
use highwater_tests::counted::leaves_nothing;
use highwater_tests::net::descriptors;
use highwater_tests::report;
use highwater_tests::tls::{AUTHORITY, Over, Provider, both, client, server};
use std::env;
use std::process::Command;
use std::time::Duration;

const ROLE: &str = "HIGHWATER_TLS_ROLE";

async fn used_and_closed() {
    for over in [Over::Tcp, Over::Unix] {
        for provider in Provider::ALL {
            let (near, far) = over.pairs();
            let tls = provider.client().server_name("localhost");
            let (near, mut far) = both(near, tls, far, provider.server()).await.unwrap();
            near.1.write("to the end\n").unwrap();
            near.1.close();
            assert_eq!(far.0.read_to_end(100).await.unwrap(), "to the end\n");
            far.1.close();
            near.1.wait_closed().await.unwrap();
            far.1.wait_closed().await.unwrap();
        }
    }
}

async fn failed() {
    let (near, far) = Over::Tcp.pairs();
    assert!(both(near, client().server_name("other.test"), far, server()).await.is_err());
    let (near, _far) = Over::Tcp.pairs();
    let timed_out = client().handshake_timeout(Duration::from_millis(1)).server_name("localhost");
    assert!(start_tls(near.0, near.1, timed_out).await.is_err());
}

async fn given_up() {
    for polls in 0..2 {
        let before = descriptors();
        let (near, far) = Over::Tcp.pairs();
        let weak = [near.1.downgrade(), far.1.downgrade()];
        let mut serving = Box::pin(start_tls(far.0, far.1, server()).into_future());
        let mut upgrading =
            Box::pin(start_tls(near.0, near.1, client().server_name("localhost")).into_future());
        for _ in 0..polls {
            assert!(futures::poll!(&mut upgrading).is_pending());
            let _ = futures::poll!(&mut serving);
            settle().await;
        }
        drop((upgrading, serving));
        if polls > 0 {
            assert_eq!(descriptors(), before, "closed there and then");
        }
        for weak in weak {
            weak.wait_gone().await;
        }
    }
}

/// What an open connection holds while nothing happens, as the allocator's arena grows.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

async fn idle() {
    let (client, server) = (client(), server());
    let mut open = Vec::new();
    for _ in 0..20 {
        let (near, far) = Over::Memory(4096).pairs();
        open.push(both(near, client.server_name("localhost"), far, server.clone()).await.unwrap());
    }
    settle().await;
    let before = resident();
    for _ in 0..500 {
        let (near, far) = Over::Memory(4096).pairs();
        open.push(both(near, client.server_name("localhost"), far, server.clone()).await.unwrap());
    }
    settle().await;
    let each = resident().saturating_sub(before) / 1000;
    report(&format!("tls: about {each} bytes are resident for each idle end of a connection"));
    assert!(each < 128 * 1024, "{each}");
    drop(open);
}

/// In a child, with the variable of the platform set.
fn platform_roots(role: &str) {
    let made = ClientTls::new();
    match role {
        "empty" => {
            let error = made.unwrap_err();
            assert!(matches!(error, TlsConfigError::NoPlatformRoots(_)), "{error:?}");
            let text = "there is nothing to trust: the platform has no roots";
            assert!(error.to_string().starts_with(text), "{error}");
            // Roots of the caller's are something to trust.
            ClientTls::builder().roots(AUTHORITY.roots()).platform_roots().build().unwrap();
        }
        "ours" => {
            // The child has an authority of its own: what is trusted is the one in the file.
            let made = made.unwrap();
            one_thread().block_on(async {
                let (near, far) = Over::Memory(4096).pairs();
                let chain = env::var_os("HIGHWATER_TLS_CHAIN").unwrap();
                let key = env::var_os("HIGHWATER_TLS_KEY").unwrap();
                let identity = highwater_net::Identity::from_pem_files(chain, key).unwrap();
                let server = highwater_net::ServerTls::new(identity).unwrap();
                both(near, made.server_name("localhost"), far, server.clone()).await.unwrap();
                let (near, far) = Over::Memory(4096).pairs();
                let theirs = highwater_tests::tls::server();
                assert!(both(near, made.server_name("localhost"), far, theirs).await.is_err());

                // Roots of the caller's are trusted in place of the platform's, and beside them on request.
                let builder = || ClientTls::builder().roots(AUTHORITY.roots());
                for (tls, is_trusted) in
                    [(builder().build().unwrap(), false), (builder().platform_roots().build().unwrap(), true)]
                {
                    let (near, far) = Over::Memory(4096).pairs();
                    let shaken = both(near, tls.server_name("localhost"), far, server.clone()).await;
                    assert_eq!(shaken.is_ok(), is_trusted);
                }
            });
        }
        role => panic!("{role}"),
    }
}

fn in_children() {
    let dir = env::temp_dir().join(format!("highwater-roots-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let issued = AUTHORITY.issue(&["localhost"]);
    let files = [
        ("empty", String::new()),
        ("ours", AUTHORITY.pem()),
        ("chain", issued.certificate),
        ("key", issued.key),
    ];
    for (name, text) in &files {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let ran = ["empty", "ours"].map(|role| {
        Command::new(env::current_exe().unwrap())
            .env(ROLE, role)
            .env("SSL_CERT_FILE", dir.join(role))
            .env("HIGHWATER_TLS_CHAIN", dir.join("chain"))
            .env("HIGHWATER_TLS_KEY", dir.join("key"))
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap()
    });
    std::fs::remove_dir_all(&dir).unwrap();
    for output in ran {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn t1_nothing_is_installed_and_nothing_left_behind() {
    if let Ok(role) = env::var(ROLE) {
        return platform_roots(&role);
    }
    bounded(|| {
        for runtime in [one_thread(), two_workers()] {
            leaves_nothing("connections that were used and closed", &runtime, used_and_closed);
            leaves_nothing("handshakes that failed", &runtime, failed);
            leaves_nothing("upgrades that were given up", &runtime, given_up);
        }
        one_thread().block_on(idle());
        in_children();
        assert!(CryptoProvider::get_default().is_none());
    });
}
