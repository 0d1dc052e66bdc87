//! Servers of NATS: a leaf and its hub, over TLS with certificates on both sides.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::Syncing;

const PROGRAM: &str = "nats-server";

/// A running server; dropping it kills it.
pub(super) struct NatsServer {
    child: Child,
}

impl NatsServer {
    /// Starts it with a configuration file.
    pub(super) fn start(config: &Path) -> anyhow::Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(config.with_extension("log"))?;
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| {
            format!(
                "{PROGRAM} does not start: `./dev bench delivery` installs it, `--without-nats` leaves it out"
            )
        })?;
        Ok(Self { child })
    }

    /// Its process number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is what we wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program calls its version.
pub(super) fn version() -> anyhow::Result<String> {
    let output = Command::new(PROGRAM).arg("--version").output().with_context(|| {
        format!(
            "{PROGRAM} is not on the path: `./dev bench delivery` installs it, `--without-nats` leaves it out"
        )
    })?;
    ensure!(output.status.success(), "{PROGRAM} --version failed");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Addresses of both servers.
pub(super) struct Addresses {
    pub(super) hub: SocketAddr,
    pub(super) leaf: SocketAddr,
    pub(super) leaf_link: SocketAddr,
}

/// Writes the configuration files of hub and leaf.
pub(super) fn write_configs(
    directory: &Path,
    addresses: &Addresses,
    syncing: Syncing,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    fs::create_dir_all(directory)?;
    write_certificates(directory)?;
    let sync = match syncing {
        Syncing::Always => "sync_interval: always",
        Syncing::Default => "",
    };
    let place = directory.display();
    let tls = format!(
        "tls {{ cert_file: \"{place}/server.pem\", key_file: \"{place}/server.key\", ca_file: \"{place}/ca.pem\", \
         verify: true }}"
    );
    let hub = format!(
        "server_name: hub\nlisten: \"{}\"\njetstream {{ store_dir: \"{place}/hub\", domain: hub, {sync} }}\n\
         leafnodes {{ listen: \"{}\", {tls} }}\n",
        addresses.hub, addresses.leaf_link
    );
    let tls = tls.replace(", verify: true", "");
    let leaf = format!(
        "server_name: leaf\nlisten: \"{}\"\njetstream {{ store_dir: \"{place}/leaf\", domain: leaf, {sync} }}\n\
         leafnodes {{ reconnect: 1, remotes: [ {{ url: \"tls://{}\", {tls} }} ] }}\n",
        addresses.leaf, addresses.leaf_link
    );
    let (hub_file, leaf_file) = (directory.join("hub.conf"), directory.join("leaf.conf"));
    fs::write(&hub_file, hub)?;
    fs::write(&leaf_file, leaf)?;
    Ok((hub_file, leaf_file))
}

/// An authority, and one certificate that either side shows.
fn write_certificates(directory: &Path) -> anyhow::Result<()> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    fs::write(directory.join("ca.pem"), authority.pem())?;
    fs::write(directory.join("server.pem"), server.pem())?;
    Ok(fs::write(directory.join("server.key"), key.serialize_pem())?)
}
