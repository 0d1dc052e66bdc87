//! Generates the contract's types from `sto/v1/*.proto`; no `protoc` is needed.

use protox::prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=sto");
    let descriptors =
        protox::compile(["sto/v1/alarms.proto", "sto/v1/intake.proto", "sto/v1/telemetry.proto"], ["."])?;
    // For who asks a server what it can be asked.
    let file = std::path::Path::new(&std::env::var("OUT_DIR")?).join("descriptors.bin");
    std::fs::write(file, descriptors.encode_to_vec())?;
    // Bodies are counted before they are decoded: see `BoundedCodec`.
    tonic_prost_build::configure()
        .codec_path("crate::BoundedCodec")
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
