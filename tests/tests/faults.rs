//! Every operation meets a reset and an end of the stream at each byte, an error at each call of the transport,
//! and the drop of its future at each poll: no panic, no hang, no byte lost that was acknowledged and none
//! delivered twice, no loss that looks like an end, and nothing left behind.

use highwater_tests::counted;
use highwater_tests::faults::{connects, reads, servers, upgrades, writes};

#[test]
fn r4_every_read_meets_every_fault() {
    reads::run_all();
}

#[test]
fn w9_every_write_meets_every_fault() {
    writes::run_all();
}

#[test]
fn t2_every_handshake_and_upgrade_meets_every_fault() {
    upgrades::run_all();
}

#[test]
fn s3_accepting_and_every_end_of_a_server_meet_every_fault() {
    servers::run_all();
}

#[cfg(target_os = "linux")]
#[test]
fn c1_connecting_meets_every_fault() {
    counted::on_one_thread(|| async { connects::run_all().await });
}
