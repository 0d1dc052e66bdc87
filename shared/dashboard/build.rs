//! Lets the crate compile before the web app was built: the server then says how to build it.

fn main() {
    let bundle = std::path::Path::new("web/dist");
    println!("cargo:rerun-if-changed=web/dist");
    if !bundle.exists() {
        // Failing to make the folder fails the embedding right after, with the path in its message.
        let _ = std::fs::create_dir_all(bundle);
    }
}
