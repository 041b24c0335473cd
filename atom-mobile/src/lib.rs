//! The native library behind the Kotlin and Swift packages.

atom_core::uniffi_reexport_scaffolding!();
