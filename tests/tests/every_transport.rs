//! One suite of stream behaviour over every transport and both flavours of the runtime: the reading table,
//! and each contract of writing.

use highwater_tests::every_transport::{check, makers, run};

#[test]
fn r2_on_every_transport() {
    run("r2");
}

#[test]
fn r3_on_every_transport() {
    run("r3");
}

#[test]
fn r4_on_every_transport() {
    run("r4");
}

#[test]
fn w1_on_every_transport() {
    run("w1");
}

#[test]
fn w2_on_every_transport() {
    run("w2");
}

#[test]
fn w3_on_every_transport() {
    run("w3");
}

#[test]
fn w4_on_every_transport() {
    run("w4");
}

#[test]
fn w5_on_every_transport() {
    run("w5");
}

#[test]
fn w6_on_every_transport() {
    run("w6");
}

#[test]
fn w7_on_every_transport() {
    run("w7");
}

#[test]
fn w8_on_every_transport() {
    run("w8");
}

#[test]
fn w9_on_every_transport() {
    run("w9");
}

#[test]
fn w10_on_every_transport() {
    run("w10");
}

#[test]
fn w11_on_every_transport() {
    run("w11");
}

/// The suite reports once the last contract has run, which it would never do if one had no test.
#[test]
fn every_contract_of_the_suite_has_a_test_here() {
    let contracts = check::contracts();
    for contract in &contracts {
        assert!(include_str!("every_transport.rs").contains(&format!("run(\"{contract}\")")), "{contract}");
    }
    for number in 1..=11 {
        assert!(contracts.contains(&format!("w{number}")), "w{number}");
    }
}

#[test]
fn n1_the_suite_knows_every_transport() {
    let names: Vec<_> = makers().iter().map(|maker| maker.name).collect();
    let unix: &[_] = if cfg!(unix) { &["Unix"] } else { &[] };
    for name in ["memory", "TCP", "TLS by aws-lc-rs", "TLS by ring"].iter().chain(unix) {
        assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name} in {names:?}");
    }
}
