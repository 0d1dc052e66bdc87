//! Nodes of a running hub, each enrolled over QUIC by a token of its own.

use std::path::PathBuf;

use anyhow::{Context, bail};
use cloud_hub::archive::{Address, Database, Registry};
use cloud_hub::config::HubConfig;
use cloud_hub::run::{DATABASE, Ready};
use provisioning::{Authority, EnrollOptions, Identity, NewToken, Token, enroll};

use crate::ground::GroundSegment;

/// Longer than any test.
const TOKEN_VALID_S: u64 = 3_600;

/// Makes tokens in the registry of a running hub, as `cloud-hub token create` does, without a process for each.
pub struct Enroller {
    registry: Registry,
    pin: [u8; 32],
    reception: String,
    folder: PathBuf,
}

impl Enroller {
    /// Of a hub that runs; identities are stored below `folder`.
    pub fn of(ground: &GroundSegment, folder: PathBuf) -> anyhow::Result<Self> {
        let config = HubConfig::read(&ground.hub_config())?;
        let ready = std::fs::read(config.data_directory.join("ready.json")).context("the hub is ready")?;
        let ready: Ready = serde_json::from_slice(&ready)?;
        let database = match &ready.database {
            Address::Private { socket_directory, port, user } => {
                Database::in_cluster(socket_directory, *port, user, DATABASE)
            }
            Address::Yours => {
                let url = config.database.url.as_ref().context("its database is in its configuration")?;
                Database::at_url(url.reveal())?
            }
        };
        let authority = Authority::open_or_create(&config.data_directory.join("authority"), unix_now())?;
        Ok(Self {
            registry: Registry::new(database),
            pin: authority.spki_sha256(),
            reception: ground.reception().to_string(),
            folder,
        })
    }

    /// Enrols a node that is known by no other name here.
    pub async fn enrol(&self, name: &str) -> anyhow::Result<Identity> {
        let wanted = NewToken {
            hub_addresses: vec![self.reception.clone()],
            node_name: name.to_owned(),
            site: format!("{name} station"),
            missions: None,
            expires_unix: unix_now() + TOKEN_VALID_S,
        };
        let (token, record) = Token::issue(wanted, self.pin)?;
        self.registry.insert_token(&record, "a test").await?;
        let options = EnrollOptions::new(self.folder.join(name), name.to_owned());
        match enroll(&token.to_text(), &options).await {
            Ok(enrolled) => Ok(enrolled.identity),
            Err(error) => bail!("{name} was not enrolled: {error:#?}"),
        }
    }
}

fn unix_now() -> u64 {
    u64::try_from(simulator::clock::now().to_unix_nanos() / 1_000_000_000).unwrap_or(0)
}
