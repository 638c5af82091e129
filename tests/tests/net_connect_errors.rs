//! C2 (every attempt's address and error is kept) and C1's `ConnectError`: what it lists and displays.

use highwater_net::{ConnectError, open_connection};
use highwater_tests::counted::{on_one_thread, run_paused};
use highwater_tests::net::{Silent, refusing};
use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

#[test]
fn c2_a_refused_address_is_kept_with_its_error() {
    on_one_thread(|| async {
        let (address, _socket) = refusing();
        let error = open_connection(address).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0].address(), address);
        assert_eq!(attempts[0].error().kind(), io::ErrorKind::ConnectionRefused);
        assert!(attempts[0].error().raw_os_error().is_some());

        let text = error.to_string();
        assert!(text.starts_with(&format!("could not connect to {address}: ")), "{text}");
        assert!(text.ends_with(&attempts[0].error().to_string()), "{text}");
        assert_eq!(error.source().unwrap().to_string(), attempts[0].error().to_string());

        let error = io::Error::from(error);
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.get_ref().unwrap().is::<ConnectError>());
    });
}

/// As many as `localhost` has on this host.
#[test]
fn c2_every_address_that_was_tried_is_kept_in_order() {
    on_one_thread(|| async {
        let (address, _socket) = refusing();
        let resolved: Vec<SocketAddr> = ("localhost", address.port()).to_socket_addrs().unwrap().collect();
        let error = open_connection(("localhost", address.port())).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
        assert_eq!(attempts.iter().map(|attempt| attempt.address()).collect::<Vec<_>>(), resolved);
        let text = error.to_string();
        assert!(text.starts_with(&format!("could not connect to localhost:{}: ", address.port())));
        for attempt in attempts {
            assert!(text.contains(&attempt.to_string()), "{text} lacks {attempt}");
        }
    });
}

#[test]
fn c2_an_address_that_was_being_tried_when_the_time_ran_out_is_kept() {
    run_paused(|| async {
        let silent = Silent::new();
        let connecting = open_connection(silent.address).connect_timeout(Duration::from_secs(1));
        let error = connecting.await.unwrap_err();
        let ConnectError::TimedOut { attempts, .. } = &error else { panic!("{error:?}") };
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0].address(), silent.address);
        assert_eq!(attempts[0].error().kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains(&attempts[0].error().to_string()), "{error}");
    });
}

#[test]
fn c1_a_name_that_does_not_resolve_is_an_error_of_its_own() {
    on_one_thread(|| async {
        for text in ["no port", "127.0.0.1:no-port", "", ":80:80"] {
            let error = open_connection(text).await.unwrap_err();
            assert!(matches!(error, ConnectError::Resolve { .. }), "{text}: {error:?}");
            assert!(error.to_string().starts_with(&format!("{text} did not resolve: ")), "{error}");
            assert!(error.source().is_some());
        }
    });
}

#[test]
fn c1_an_ipv6_host_is_displayed_in_brackets() {
    on_one_thread(|| async {
        // Nobody can listen on port 0, and nobody can be reached there.
        let error = open_connection(("::1", 0)).await.unwrap_err();
        assert!(error.to_string().starts_with("could not connect to [::1]:0: "), "{error}");
    });
}

#[test]
fn c1_after_an_error_the_address_can_be_tried_again() {
    on_one_thread(|| async {
        let (address, socket) = refusing();
        assert!(open_connection(address).await.is_err());
        socket.listen(1).unwrap();
        let listener: TcpListener = socket.into();
        let (_reader, writer) = open_connection(address).await.unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(writer.facts().local_addr().socket_addr(), Some(peer));
    });
}

/// No TCP connection leads to a broadcast address, on no network.
#[test]
fn c1_an_unreachable_address_is_told_with_the_address() {
    on_one_thread(|| async {
        let error = open_connection(("255.255.255.255", 80)).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
        assert_eq!(attempts[0].address(), SocketAddr::from(([255, 255, 255, 255], 80)));
        assert!(attempts[0].error().raw_os_error().is_some());
        let kind = attempts[0].error().kind();
        assert_ne!(kind, io::ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("could not connect to 255.255.255.255:80: "), "{error}");
        assert_eq!(io::Error::from(error).kind(), kind);
    });
}

/// The last attempt stands for all where one has to; the others stay inside.
#[test]
fn c2_attempts_that_differ_keep_their_errors() {
    on_one_thread(|| async {
        let (address, _socket) = refusing();
        let broadcast = SocketAddr::from(([255, 255, 255, 255], 80));
        let resolver = move |_| async move { Ok(vec![broadcast, address]) };
        let error = open_connection(("both.internal", 80)).resolver(resolver).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
        let [first, last] = &attempts[..] else { panic!("{attempts:?}") };
        assert_eq!((first.address(), last.address()), (broadcast, address));
        assert_eq!(error.to_string(), format!("could not connect to both.internal:80: {first}; {last}"));
        assert_eq!(error.source().unwrap().to_string(), last.error().to_string());
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);
    });
}
