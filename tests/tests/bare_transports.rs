//! The checks that users run on transports of their own, on every transport of ours.

use highwater_tests::bounded::{bounded, one_thread};
use highwater_tests::every_transport::makers;
use highwater_tests::report;

#[test]
fn n1_every_transport_is_what_the_streams_take_it_to_be() {
    for maker in makers() {
        let found = bounded(move || one_thread().block_on(maker.bare_conformance().run()));
        assert!(found.holds(), "{}: {found}", maker.name);
        let told = found.to_string();
        let counts = told.lines().next_back().expect("a line of counts");
        report(&format!("bare transports: {}: {counts}", maker.name));
    }
}
