//! Generates the contract's types from `sto/v1/intake.proto`; no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=sto");
    let descriptors = protox::compile(["sto/v1/intake.proto"], ["."])?;
    // Bodies are counted before they are decoded: see `BoundedCodec`.
    tonic_prost_build::configure()
        .codec_path("crate::BoundedCodec")
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
