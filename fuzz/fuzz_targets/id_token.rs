#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| atom_core::testing::fuzz::id_token(data));
