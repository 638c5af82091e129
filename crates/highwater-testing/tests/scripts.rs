//! The random scripts that are no buffer's: searches, and pairs that write and read at once.

use highwater_testing::strategies::{pair_scripts, search_scripts};
use highwater_testing::{check_pair, check_searches};
use proptest::prelude::*;
use tokio::runtime::Builder;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn searches_agree_with_the_model(script in search_scripts()) {
        check_searches(&script);
    }

    #[test]
    fn what_one_end_writes_is_what_the_other_reads(script in pair_scripts()) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime of one thread").block_on(check_pair(&script));
    }
}
