//! `edge-node enroll`: from a token in a file to an identity on disk.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use link::Clock;
use provisioning::{EnrollOptions, enroll};
use tokio::io::AsyncReadExt;

use crate::config::EdgeConfig;

/// A token is a few hundred characters; a file that is longer is not one.
const TOKEN_BYTES_MAX: u64 = 4_096;

/// Enrols with the token in `token_file`, or on standard input for `-`. Never from the command line, where every
/// process of the machine could read it.
pub async fn run(config: &EdgeConfig, token_file: &Path, replace: bool) -> anyhow::Result<ExitCode> {
    let token = read_token(token_file).await?;
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let hostname = hostname.trim();
    let hostname = if hostname.is_empty() { "unnamed" } else { hostname };
    let mut options = EnrollOptions::new(config.data_directory.clone(), hostname.to_owned());
    options.profile = config.forwarding.profile;
    options.clock = Clock::system();
    options.replace = replace;
    match enroll(&token, &options).await {
        Ok(enrolled) => {
            let identity = &enrolled.identity;
            println!("enrolled as {:?} of site {:?}", identity.name, identity.site);
            println!(
                "  hub          {} ({} ms away); its authority matches the token",
                enrolled.hub,
                enrolled.rtt.as_millis()
            );
            println!("  node id      {}", identity.node_id);
            println!("Next: edge-node run --config FILE");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{}", error.report());
            Ok(ExitCode::from(error.exit_code()))
        }
    }
}

async fn read_token(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        tokio::io::stdin().take(TOKEN_BYTES_MAX).read_to_string(&mut text).await
    } else {
        let file = tokio::fs::File::open(path)
            .await
            .with_context(|| format!("cannot open the token file {}", path.display()))?;
        file.take(TOKEN_BYTES_MAX).read_to_string(&mut text).await
    };
    read.context("cannot read the token")?;
    Ok(text.trim().to_owned())
}
