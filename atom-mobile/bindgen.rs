//! Writes the Kotlin, Swift and Python sources from the compiled library.

fn main() {
    uniffi::uniffi_bindgen_main();
}
