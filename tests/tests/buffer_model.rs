//! Random operations on the buffers beside models that are too simple to be wrong.

use highwater_testing::strategies::{read_scripts, write_scripts};
use highwater_testing::{check_reads, check_writes};
use highwater_tests::property_cases;
use proptest::proptest;

proptest! {
    #![proptest_config(property_cases(1000))]

    #[test]
    fn r2_model_and_read_buffer_agree(script in read_scripts()) {
        check_reads(&script);
    }
}

proptest! {
    #![proptest_config(property_cases(256))]

    #[test]
    fn w3_model_and_write_buffer_agree(script in write_scripts()) {
        check_writes(&script);
    }
}
