//! Tells the program which commit it was built from, if it was built from a checkout of its own.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let root = Path::new("../..");
    // A source tree that was unpacked inside of somebody else's repository must not take that one's commit.
    if !root.join(".git").exists() {
        return;
    }
    for name in ["HEAD", "logs/HEAD", "packed-refs"] {
        let file = root.join(".git").join(name);
        if file.exists() {
            println!("cargo:rerun-if-changed={}", file.display());
        }
    }
    let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root).output();
    if let Ok(output) = output
        && output.status.success()
    {
        let sha = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if sha.len() >= 12 && sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            println!("cargo:rustc-env=LABTRUST_GIT_SHA={sha}");
            println!("cargo:rustc-env=LABTRUST_GIT_SHA_SHORT={}", &sha[..12]);
        }
    }
}
