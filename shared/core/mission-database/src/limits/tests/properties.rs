//! What holds for any limits and any text.

use proptest::prelude::*;
use space_packet::TaiTime;

use super::column::Column;
use super::*;

/// Columns as the writer puts them; the order is shuffled.
const COLUMNS: [Column; 18] = [
    Column::Parameter,
    Column::Context,
    Column::Low(0),
    Column::Low(1),
    Column::Low(2),
    Column::Low(3),
    Column::Low(4),
    Column::High(0),
    Column::High(1),
    Column::High(2),
    Column::High(3),
    Column::High(4),
    Column::Persistence,
    Column::Hysteresis,
    Column::Deadband,
    Column::EffectiveFrom,
    Column::EffectiveTo,
    Column::Reason,
];

/// Text that keeps its ends when they are trimmed.
fn words() -> impl Strategy<Value = String> {
    "[!-~\u{e4}][ -~\u{e4}\n]{0,12}[!-~\u{e4}]"
}

fn term() -> impl Strategy<Value = ContextTerm> {
    let operators = vec![
        TermOperator::Equal,
        TermOperator::Greater,
        TermOperator::GreaterOrEqual,
        TermOperator::Less,
        TermOperator::LessOrEqual,
        TermOperator::NotEqual,
    ];
    ("[A-Z/_|.]{1,6}", prop::sample::select(operators), "[a-z0-9.-]{1,4}")
        .prop_map(|(parameter, operator, value)| ContextTerm { parameter, operator, value })
}

/// Ends from the least to the most severe that are nested, some of them absent.
fn ends() -> impl Strategy<Value = [Option<f64>; 5]> {
    let step = prop::option::of(0.0..1e6_f64);
    [step.clone(), step.clone(), step.clone(), step.clone(), step].prop_map(|steps| {
        let mut so_far = 0.0;
        steps.map(|step| {
            so_far += step?;
            Some(so_far)
        })
    })
}

fn row() -> impl Strategy<Value = ParameterLimits> {
    let span = (prop::option::of(-1_i64..1_000_000), prop::option::of(1_000_001_i64..2_000_000));
    let rule = (1_u32..=10_000, 0.0..1e3_f64, 0.0..1e3_f64);
    let context = prop::collection::vec(term(), 0..4);
    (words(), context, ends(), ends(), rule, span, prop::option::of(words())).prop_map(
        |(parameter, context, low, high, (persistence, hysteresis, deadband), (from, to), reason)| {
            let bound = |value: f64| Bound { value, meaning: BoundMeaning::Good };
            let mut ranges = [AllowedRange::default(); 5];
            for (level, range) in ranges.iter_mut().enumerate() {
                range.low = low[level].map(|value| bound(-value));
                range.high = high[level].map(bound);
            }
            // Whole seconds since 1970 in TAI, long after the first leap seconds.
            let time = |seconds: i64| TaiTime((1_700_000_000 + seconds) * 1_000_000_000);
            let effective = EffectiveSpan { from: from.map(time), to: to.map(time) };
            // A good value must be left when it is taken off at both ends.
            let room = low.iter().flatten().next().zip(high.iter().flatten().next());
            let hysteresis = room.map_or(hysteresis, |(low, high)| hysteresis / 1e3 * (low + high) / 2.0);
            let rule = AlarmRule { persistence, hysteresis, deadband };
            ParameterLimits { parameter, context, ranges, rule, effective, author: None, reason, line: 0 }
        },
    )
}

fn cell(row: &ParameterLimits, column: Column) -> String {
    let bound = |bound: Option<Bound>| bound.map_or_else(String::new, |bound| bound.value.to_string());
    let time = |time: Option<TaiTime>| time.map_or_else(String::new, |time| time.to_string());
    match column {
        Column::Author => row.author.clone().unwrap_or_default(),
        Column::Context => row.context.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ;"),
        Column::Deadband => row.rule.deadband.to_string(),
        Column::EffectiveFrom => time(row.effective.from),
        Column::EffectiveTo => time(row.effective.to),
        Column::High(level) => bound(row.ranges[level].high),
        Column::Hysteresis => row.rule.hysteresis.to_string(),
        Column::Low(level) => bound(row.ranges[level].low),
        Column::Parameter => row.parameter.clone(),
        Column::Persistence => row.rule.persistence.to_string(),
        Column::Reason => row.reason.clone().unwrap_or_default(),
    }
}

/// The rows as a well-known library writes them.
fn csv_of(rows: &[ParameterLimits], columns: &[Column]) -> String {
    // `Always`, because a name may begin with the sign of a comment.
    let mut writer =
        ::csv::WriterBuilder::new().quote_style(::csv::QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| column.name())).unwrap();
    for row in rows {
        writer.write_record(columns.iter().map(|column| cell(row, *column))).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_as_csv_comes_back(
        mut rows in prop::collection::vec(row(), 0..5),
        columns in Just(COLUMNS.to_vec()).prop_shuffle(),
    ) {
        // Otherwise some of them would be in each other's way.
        for (number, row) in rows.iter_mut().enumerate() {
            row.parameter = format!("{}{number}", row.parameter);
        }
        let overlay = LimitsOverlay::parse("w.csv", &csv_of(&rows, &columns), Some(BoundMeaning::Good));
        let overlay = overlay.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let read = overlay.rows.into_iter().map(|row| ParameterLimits { line: 0, ..row });
        prop_assert_eq!(read.collect::<Vec<_>>(), rows);
    }

    #[test]
    fn what_is_written_as_toml_comes_back_and_its_lines_lead_to_its_rows(
        mut rows in prop::collection::vec(row(), 0..5),
        meaning in prop::sample::select(vec![BoundMeaning::Good, BoundMeaning::Violation]),
    ) {
        for (number, row) in rows.iter_mut().enumerate() {
            row.parameter = format!("{}{number}", row.parameter);
            row.author = row.reason.clone();
            let bounds = row.ranges.iter_mut().flat_map(|range| [&mut range.low, &mut range.high]);
            bounds.flatten().for_each(|bound| bound.meaning = meaning);
        }
        let written = LimitsOverlay { source_name: "w.toml".to_owned(), rows };
        let text = written.to_toml(meaning);
        let read = LimitsOverlay::parse("w.toml", &text, None);
        // What a document refuses, such as no room between bounds that are violations, it refuses in any form.
        if let Ok(read) = read {
            for (row, written_row) in read.rows.iter().zip(&written.rows) {
                prop_assert_eq!(written.row_at(&text, row.line + 1), Some(written_row));
            }
            let read = read.rows.into_iter().map(|row| ParameterLimits { line: 0, ..row });
            prop_assert_eq!(read.collect::<Vec<_>>(), written.rows);
        } else {
            prop_assert_eq!(meaning, BoundMeaning::Violation);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "parameter", "red_low", "context", "\"", "#", "# bounds: good\n", ",", "\n", "\r\n", "1", "T", "A=1;",
                    "[[limits]]\n", "parameter = \"T\"\n", "watch = { low = 1 }\n", "bounds = \"good\"\n", "=", "[", "{",
                    "9999-12-31T23:59:59Z", "\u{FEFF}",
                ]).prop_map(str::to_owned),
                ".{0,3}",
            ],
            0..20,
        ),
        said in prop::sample::select(vec![None, Some(BoundMeaning::Good), Some(BoundMeaning::Violation)]),
    ) {
        let text = pieces.concat();
        for name in ["any.csv", "any.toml"] {
            if let Err(error) = LimitsOverlay::parse(name, &text, said) {
                prop_assert!(error.line >= 1 && error.column >= 1);
            }
        }
    }
}
