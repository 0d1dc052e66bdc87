//! A fleet on the map.

use std::f64::consts::PI;
use std::path::Path;
use std::time::Instant;

use testkit::configuration::Mission;
use testkit::ground::GroundPlan;

use super::{Part, script};
use crate::database;
use crate::fleet::load::FleetLoad;
use crate::fleet::{self, CONNECTED_WITHIN, IDLE};

/// All nodes have a session and report once a second; their sites are placed by a statement of SQL.
pub(super) async fn measure(nodes: usize, directory: &Path) -> anyhow::Result<()> {
    let mut plan = GroundPlan::new(directory);
    plan.mission = Mission::load();
    let ground = plan.start().await?;
    let fleet = FleetLoad::start(fleet::enrol(&ground, directory, nodes).await?, IDLE);
    fleet.back(Instant::now(), CONNECTED_WITHIN, |node| node.opened).await?;
    place(directory, nodes).await?;
    let options = [("nodes", nodes.to_string())];
    script::run(&ground, directory, Part::Map, &options, script::Measured::print).await?;
    fleet.stop().await;
    ground.stop().await
}

async fn place(directory: &Path, nodes: usize) -> anyhow::Result<()> {
    let (sites, places): (Vec<_>, Vec<_>) =
        (0..nodes).map(|number| (format!("node-{number} station"), over_the_earth(number, nodes))).unzip();
    let (latitudes, longitudes): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
    let sql = "INSERT INTO site_place (site, latitude_deg, longitude_deg, height_m, mask_deg, set_at, set_by)
               SELECT site, latitude, longitude, 0, 5, $4, 'bench'
               FROM unnest($1::text[], $2::float8[], $3::float8[]) AS placed (site, latitude, longitude)";
    let now = simulator::clock::now().0;
    database::connect(directory).await?.execute(sql, &[&sites, &latitudes, &longitudes, &now]).await?;
    Ok(())
}

/// Latitude and longitude of one of so many sites, all about as far from each other as the Earth lets them.
fn over_the_earth(number: usize, all: usize) -> (f64, f64) {
    let golden_angle = PI * (3.0 - 5.0_f64.sqrt());
    let height = 1.0 - (2.0 * number as f64 + 1.0) / all as f64;
    let around = (number as f64 * golden_angle).to_degrees() % 360.0;
    (height.asin().to_degrees(), around - 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_on_the_earth_and_in_all_of_its_quarters() {
        let mut quarters = [0; 4];
        for number in 0..1_000 {
            let (latitude, longitude) = over_the_earth(number, 1_000);
            assert!(latitude.abs() < 90.0 && longitude.abs() <= 180.0, "{latitude} {longitude}");
            quarters[usize::from(latitude > 0.0) * 2 + usize::from(longitude > 0.0)] += 1;
        }
        assert!(quarters.iter().all(|&sites| (240..=260).contains(&sites)), "{quarters:?}");
    }
}
