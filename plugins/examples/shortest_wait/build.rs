//! A WebAssembly plugin declares the most memory that it may have; only the linker can write that down.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory=16777216");
    }
}
