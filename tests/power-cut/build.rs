//! Compiles the recorder that is loaded in front of the C library.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=recorder.c");
    println!("cargo:rerun-if-env-changed=CC");
    let folder = std::env::var_os("OUT_DIR").expect("cargo sets it");
    let library = PathBuf::from(folder).join("librecorder.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(&compiler);
    command.args([
        "-std=c11",
        "-O1",
        "-Wall",
        "-Wextra",
        "-U_FORTIFY_SOURCE",
        "-shared",
        "-fPIC",
        "-pthread",
    ]);
    command.arg("-o").arg(&library).args(["recorder.c", "-ldl"]);
    let status = command.status();
    let compiled = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    assert!(compiled, "{} could not compile recorder.c: {status:?}", compiler.display());
    println!("cargo:rustc-env=POWER_CUT_RECORDER={}", library.display());
}
