//! Hands the target triple to `famulor version`: only a build script is told it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok(target) = std::env::var("TARGET") {
        println!("cargo:rustc-env=FAMULOR_TARGET={target}");
    }
}
