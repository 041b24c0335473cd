//! Registers the native module with Node.

fn main() {
    napi_build::setup();
}
