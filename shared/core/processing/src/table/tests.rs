use mission_database::{Dictionary, MonitoringResult, Validity};
use proptest::prelude::*;
use space_packet::{GenerationTime, ReceptionTime, TaiTime};

use super::*;
use crate::{Resolution, RollUp, RolledTable};

/// Two calibrated integers, of which the second's calibration needs more than its raw value, and one that is as sent.
const XTCE: &str = r#"<SpaceSystem name="S"><TelemetryMetaData><ParameterTypeSet>
    <FloatParameterType name="Line"><IntegerDataEncoding sizeInBits="16"><DefaultCalibrator><PolynomialCalibrator>
      <Term coefficient="-50" exponent="0"/><Term coefficient="0.01" exponent="1"/></PolynomialCalibrator>
      </DefaultCalibrator></IntegerDataEncoding></FloatParameterType>
    <FloatParameterType name="Steps"><IntegerDataEncoding sizeInBits="16"><DefaultCalibrator><SplineCalibrator order="0">
      <SplinePoint raw="0" calibrated="1"/><SplinePoint raw="10" calibrated="7"/></SplineCalibrator>
      </DefaultCalibrator></IntegerDataEncoding></FloatParameterType>
    <IntegerParameterType name="Plain"><IntegerDataEncoding sizeInBits="16"/></IntegerParameterType>
    </ParameterTypeSet><ParameterSet><Parameter name="A" parameterTypeRef="Line"/>
    <Parameter name="B" parameterTypeRef="Steps"/><Parameter name="C" parameterTypeRef="Plain"/></ParameterSet>
    <ContainerSet><SequenceContainer name="K"><EntryList><ParameterRefEntry parameterRef="A"/>
    <ParameterRefEntry parameterRef="B"/><ParameterRefEntry parameterRef="C"/></EntryList></SequenceContainer>
    </ContainerSet></TelemetryMetaData></SpaceSystem>"#;

fn database() -> MissionDatabase {
    MissionDatabase::new(VersionNumber(1), Dictionary::from_xtce("s.xml", XTCE).expect("loads"))
}

/// The samples of one packet: any of its parameters, all at one time.
fn record() -> impl Strategy<Value = Vec<Sample>> {
    let raw = prop_oneof![
        any::<u64>().prop_map(Raw::Unsigned),
        any::<i64>().prop_map(Raw::Signed),
        "[a-c]{0,3}".prop_map(|text| Raw::Text(text.into())),
        proptest::collection::vec(any::<u8>(), 0..3).prop_map(|bytes| Raw::Binary(bytes.into())),
    ];
    let converted = proptest::option::of(prop_oneof![
        any::<i16>().prop_map(|number| Converted::Number(f64::from(number))),
        any::<i64>().prop_map(|time| Converted::Time(TaiTime(time))),
    ]);
    let value = (0u32..4, raw, converted, proptest::sample::select(&Validity::ALL[..]));
    let values = proptest::collection::vec(value, 1..5);
    (values, any::<i32>(), 1u32..3, proptest::sample::select(&Provenance::ALL[..])).prop_map(
        |(values, time, version, provenance)| {
            let sample =
                |(parameter, raw, converted, validity): (u32, Raw, Option<Converted>, Validity)| Sample {
                    parameter: ParameterIndex(parameter),
                    generation: GenerationTime(TaiTime(i64::from(time) * 1_000_000_000)),
                    reception: ReceptionTime(TaiTime(i64::from(time))),
                    raw,
                    // What a calibrator is for has always been converted.
                    converted: converted.or((parameter < 2).then_some(Converted::Number(0.0))),
                    validity,
                    monitoring: MonitoringResult::Normal,
                    version: VersionNumber(version),
                    provenance,
                };
            values.into_iter().map(sample).collect()
        },
    )
}

fn sorted_words(samples: impl Iterator<Item = Sample>) -> Vec<String> {
    let mut words: Vec<String> = samples.map(|sample| format!("{sample:?}")).collect();
    words.sort();
    words
}

fn samples_of(tables: &[Table], derivations: &Derivations) -> Vec<Sample> {
    let of_table = |table: &Table| {
        let entries = table.layout.entries().iter().enumerate();
        let samples = entries.flat_map(|(place, entry)| {
            let series = table.series(place, derivations);
            (0..table.rows()).map(|row| series.sample(entry.parameter, row)).collect::<Vec<_>>()
        });
        samples.collect::<Vec<_>>()
    };
    tables.iter().flat_map(of_table).collect()
}

#[test]
fn an_engineering_value_that_follows_from_the_raw_one_is_not_kept_and_comes_back_to_the_bit() {
    let derivations = Derivations::of(&database());
    let sample = |parameter, raw, number| Sample {
        parameter: ParameterIndex(parameter),
        generation: GenerationTime::default(),
        reception: ReceptionTime::default(),
        raw: Raw::Unsigned(raw),
        converted: Some(Converted::Number(number)),
        validity: Validity::Valid,
        monitoring: MonitoringResult::NotMonitored,
        version: VersionNumber(1),
        provenance: Provenance::Live,
    };
    let line = -50.0 + 0.01 * 1_234.0;
    for (given, kept) in [
        (sample(0, 1_234, line), ConvertedKind::None),
        // Somebody sent the engineering value itself.
        (sample(0, 1_234, line + 1.0), ConvertedKind::Number),
        (sample(1, 9, 1.0), ConvertedKind::None),
        (sample(1, 10, 7.0), ConvertedKind::None),
        // Beyond its last point a spline has no result.
        (sample(1, 11, f64::NAN), ConvertedKind::None),
        (sample(2, 5, 5.5), ConvertedKind::Number),
    ] {
        let mut tables = Tables::default();
        tables.push(std::slice::from_ref(&given), &derivations);
        assert_eq!(tables.all()[0].layout.entries()[0].converted, kept, "{given:?}");
        let read = samples_of(tables.all(), &derivations);
        assert_eq!(format!("{read:?}"), format!("{:?}", [&given]));
        let number = tables.all()[0].series(0, &derivations).number(0).expect("plotted");
        assert_eq!(Some(number.to_bits()), given.number().map(f64::to_bits));
    }
}

#[test]
fn packets_of_one_kind_share_a_table_and_layouts_without_number_do_not_take_memory_without_bound() {
    let derivations = Derivations::default();
    let packet = |length: u32| -> Vec<Sample> {
        let sample = |parameter| Sample {
            parameter: ParameterIndex(parameter),
            generation: GenerationTime::default(),
            reception: ReceptionTime::default(),
            raw: Raw::Unsigned(1),
            converted: None,
            validity: Validity::Valid,
            monitoring: MonitoringResult::NotMonitored,
            version: VersionNumber(1),
            provenance: Provenance::Live,
        };
        (0..length).map(sample).collect()
    };
    let mut tables = Tables::default();
    for _ in 0..10 {
        tables.push(&packet(3), &derivations);
        tables.push(&packet(2), &derivations);
    }
    assert_eq!(
        tables.all().iter().map(|table| (table.rows(), table.columns.len())).collect::<Vec<_>>(),
        [(10, 3), (10, 2)]
    );
    let mut tables = Tables::default();
    for length in 1..LAYOUTS_MAX as u32 + 50 {
        // Each a packet that ends elsewhere.
        tables.push(
            &packet(length % 60 + 1)[..1 + length as usize % 7 % (length as usize % 60 + 1)],
            &derivations,
        );
    }
    for (number, version) in (0..LAYOUTS_MAX as u32 + 50).zip(1..) {
        let mut samples = packet(2);
        samples.iter_mut().for_each(|sample| sample.version = VersionNumber(version));
        samples[0].parameter = ParameterIndex(number % 3);
        tables.push(&samples, &derivations);
    }
    let wide = tables.all().iter().filter(|table| table.columns.len() > 1).count();
    assert!(wide <= LAYOUTS_MAX, "{wide}");
}

proptest! {
    #[test]
    fn what_goes_into_tables_comes_out_of_them(records in proptest::collection::vec(record(), 0..30)) {
        let derivations = Derivations::of(&database());
        let mut tables = Tables::default();
        records.iter().for_each(|samples| tables.push(samples, &derivations));
        let sorted: Vec<Table> = tables.all().iter().cloned().map(Table::sorted).collect();
        for tables in [tables.all(), &sorted] {
            let found = samples_of(tables, &derivations);
            prop_assert_eq!(sorted_words(found.into_iter()), sorted_words(records.iter().flatten().cloned()));
        }
        prop_assert!(sorted.iter().all(|table| table.generation.is_sorted()));
    }

    #[test]
    fn parts_joined_and_their_roll_ups_merged_are_those_of_the_whole(
        records in proptest::collection::vec(record(), 1..60),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
    ) {
        let derivations = Derivations::of(&database());
        let mut tables = Tables::default();
        records.iter().for_each(|samples| tables.push(samples, &derivations));
        for whole in tables.all() {
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.rows())).collect();
            places.extend([0, whole.rows()]);
            places.sort_unstable();
            let parts: Vec<Table> =
                places.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| whole.part(pair[0]..pair[1])).collect();
            let mut joined = parts[0].clone();
            for part in &parts[1..] {
                prop_assert!(joined.append(part.clone()));
            }
            prop_assert_eq!(format!("{joined:?}"), format!("{whole:?}"));
            for resolution in Resolution::ALL {
                let rolled = |table: &Table| table.clone().sorted().rolled_up(resolution, &derivations).expect("has rows");
                let merged = RolledTable::merged(&parts.iter().map(rolled).collect::<Vec<_>>()).expect("has parts");
                prop_assert_eq!(without_sums(&merged), without_sums(&rolled(whole)));
            }
        }
    }
}

/// Sums are the same but for rounding.
fn without_sums(table: &RolledTable) -> Vec<String> {
    let columns = table.columns.iter().flat_map(|column| column.iter().zip(&table.buckets));
    columns.map(|(rolled, bucket)| format!("{:?}", RollUp { sum: 0.0, ..rolled.rollup(bucket) })).collect()
}
