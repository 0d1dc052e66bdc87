//! Calibration on read, and what the hub tells SQL of a dictionary.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const CALIBRATORS: [&str; 9] = [
    "<PolynomialCalibrator><Term coefficient='2.5' exponent='0'/></PolynomialCalibrator>",
    "<PolynomialCalibrator><Term coefficient='0.1' exponent='1'/><Term coefficient='-40' exponent='0'/></PolynomialCalibrator>",
    "<PolynomialCalibrator><Term coefficient='1e-7' exponent='5'/><Term coefficient='3' exponent='2'/></PolynomialCalibrator>",
    "<PolynomialCalibrator><Term coefficient='1e300' exponent='1'/><Term coefficient='-1e308' exponent='0'/></PolynomialCalibrator>",
    "<PolynomialCalibrator><Term coefficient='1e-300' exponent='3'/></PolynomialCalibrator>",
    "<SplineCalibrator><SplinePoint raw='0' calibrated='1'/><SplinePoint raw='10' calibrated='7'/>
     <SplinePoint raw='1e9' calibrated='-3'/></SplineCalibrator>",
    "<SplineCalibrator extrapolate='true'><SplinePoint raw='-1e300' calibrated='1e300'/><SplinePoint raw='0.1' calibrated='7'/>
     <SplinePoint raw='3' calibrated='0.3'/></SplineCalibrator>",
    "<SplineCalibrator order='0' extrapolate='true'><SplinePoint raw='-5' calibrated='1'/>
     <SplinePoint raw='5' calibrated='2'/></SplineCalibrator>",
    "<SplineCalibrator extrapolate='true'><SplinePoint raw='1' calibrated='4'/></SplineCalibrator>",
];

fn xtce(calibrators: &[&str]) -> String {
    let types = calibrators.iter().enumerate().map(|(number, calibrator)| {
        format!(
            "<FloatParameterType name='T{number}'><FloatDataEncoding sizeInBits='64'>
             <DefaultCalibrator>{calibrator}</DefaultCalibrator></FloatDataEncoding></FloatParameterType>"
        )
    });
    let parameters = (0..calibrators.len())
        .map(|number| format!("<Parameter name='P{number}' parameterTypeRef='T{number}'/>"));
    format!(
        "<SpaceSystem name='C'><TelemetryMetaData><ParameterTypeSet>{}</ParameterTypeSet><ParameterSet>{}</ParameterSet>
         </TelemetryMetaData></SpaceSystem>",
        types.collect::<String>(),
        parameters.collect::<String>()
    )
}

async fn check(world: &World, mission: &Mission, raw: &[f64]) {
    let sql = "SELECT array_agg(sto_sql.calibrated(raw.value, c.coefficients, c.raw_points, c.engineering_points, c.is_linear,
                                               c.extrapolates) ORDER BY raw.place)
        FROM calibration AS c, unnest($2::float8[]) WITH ORDINALITY AS raw (value, place) WHERE c.parameter_id = $1";
    for (index, parameter_id) in (0..).map(ParameterIndex).zip(&mission.parameter_ids) {
        let row = world.client.query_one(sql, &[parameter_id, &raw]).await;
        let found: Vec<f64> = row.unwrap_or_else(|failed| panic!("{index:?}: {failed:?}")).get(0);
        let derivation = mission.database.derivation(VersionNumber(1), index).expect("it is calibrated");
        for (&raw, found) in raw.iter().zip(found) {
            let expected = derivation.apply(raw);
            let is_same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            assert!(is_same, "{index:?} of {raw:e}: {found:e} instead of {expected:e}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_calibrates_to_the_bit_as_decoding_does() {
    let world = World::new().await;
    let mission = world.mission("test", &xtce(&CALIBRATORS)).await;
    let special =
        [0.0, -0.0, 1.0, 3.0, 0.1, 5.0, -5.0, 1e9, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e8, 1e-8];
    check(&world, &mission, &special).await;
    check(&world, &mission, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).await;
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
        let number = prop_oneof![any::<u64>().prop_map(f64::from_bits), -1e6_f64..1e6, -20.0_f64..20.0];
        TestRunner::new(config).run(&proptest::collection::vec(number, 1..200), |raw| {
            runtime.block_on(check(&world, &mission, &raw));
            Ok(())
        })
    });
    checked.await.expect("no panic").expect("equal");
}

async fn described(world: &World) -> Vec<(String, bool)> {
    let sql = "SELECT p.name, c.coefficients IS NOT NULL FROM calibration AS c JOIN parameter AS p USING (parameter_id)
        ORDER BY 1";
    let rows = world.client.query(sql, &[]).await.expect("answers");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_version_that_is_replaced_leaves_no_calibration_behind() {
    let world = World::new().await;
    let mission = world.mission("test", &xtce(&CALIBRATORS[..2])).await;
    let both = [("/C/P0".to_owned(), true), ("/C/P1".to_owned(), true)];
    assert_eq!(described(&world).await, both);
    let versions = "SELECT xmin::text FROM calibration UNION ALL SELECT xmin::text FROM parameter";
    let before: Vec<String> = texts(&world, versions).await;
    describe(&world.client, mission.mission_id, &mission.database, &mission.parameter_ids)
        .await
        .expect("told");
    assert_eq!(texts(&world, versions).await, before, "nothing is written twice");
    let other = Dictionary::from_xtce("test.xml", &xtce(&CALIBRATORS[5..6])).expect("loads");
    let replaced = MissionDatabase::new(VersionNumber(1), other);
    describe(&world.client, mission.mission_id, &replaced, &mission.parameter_ids[..1]).await.expect("told");
    assert_eq!(described(&world).await, [("/C/P0".to_owned(), false)]);
}

async fn texts(world: &World, sql: &str) -> Vec<String> {
    world.client.query(sql, &[]).await.expect("answers").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn parameters_have_their_units() {
    let world = World::new().await;
    world.mission("test", XTCE).await;
    let sql = "SELECT mission || parameter || ' ' || unit || ': ' || description FROM sto_sql.parameters WHERE description IS NOT NULL";
    assert_eq!(texts(&world, sql).await, ["test/T/plain counts: What was counted"]);
}
