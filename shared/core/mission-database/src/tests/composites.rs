//! Aggregates and arrays: their leaves, their lengths, and their shapes.

use super::{U8, container, derived, document, entry, entry_with, load, refusal, shown};
use crate::{CompositeIndex, DecodedPacket, Dictionary, ParameterIndex, Shape};

const VECTOR: &str = "<AggregateParameterType name='Vector'><MemberList><Member name='x' typeRef='U8'/>\
    <Member name='y' typeRef='U8'/></MemberList></AggregateParameterType>";
const STATE: &str = "<AggregateParameterType name='State'><MemberList><Member name='id' typeRef='U8'/>\
    <Member name='rate' typeRef='Vector'/></MemberList></AggregateParameterType>";

fn array(name: &str, element: &str, dimensions: &[&str]) -> String {
    let dimensions: String = dimensions
        .iter()
        .map(|end| format!("<Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex>{end}</EndingIndex></Dimension>"))
        .collect();
    format!(
        "<ArrayParameterType name='{name}' arrayTypeRef='{element}'><DimensionList>{dimensions}</DimensionList>\
         </ArrayParameterType>"
    )
}

fn fixed(last: i64) -> String {
    format!("<FixedValue>{last}</FixedValue>")
}

/// The last index is one less than what the parameter counts.
fn counted_by(parameter: &str) -> String {
    format!(
        "<DynamicValue><ParameterInstanceRef parameterRef='{parameter}'/><LinearAdjustment intercept='-1'/></DynamicValue>"
    )
}

/// Values with their full names, then each composite as `NAME@first value,first length`, then all lengths.
fn unfolded(dictionary: &Dictionary, packet: &[u8]) -> String {
    let mut into = DecodedPacket::default();
    let outcome = dictionary.decode(packet, &mut into);
    let value = |value: &crate::DecodedValue<'_>| {
        format!("{}={}", dictionary.parameter(value.parameter).name, shown(dictionary, value))
    };
    let mut parts: Vec<String> = into.values.iter().map(value).collect();
    for found in &into.composites {
        let name = &dictionary.composite(found.composite).name;
        parts.push(format!("{name}@{},{}", found.first_value, found.first_length));
    }
    parts.push(format!("{:?}", into.lengths));
    parts.extend(outcome.err().map(|error| format!("({error})")));
    parts.join(" ")
}

fn check(dictionary: &Dictionary, cases: &[(&[u8], &str)]) {
    for (packet, expected) in cases {
        assert_eq!(unfolded(dictionary, packet), *expected, "{packet:?}");
    }
}

fn leaf(index: u32) -> Shape {
    Shape::Leaf(ParameterIndex(index))
}

fn vector_of(x: u32, y: u32) -> Shape {
    Shape::Aggregate(vec![("x".to_owned(), leaf(x)), ("y".to_owned(), leaf(y))])
}

#[test]
fn members_of_an_aggregate_are_parameters_of_their_own() {
    let types = [U8, VECTOR, STATE].concat();
    let entries = [entry("ATT"), entry("AFTER")].concat();
    let dictionary = load(&document(&types, &[("ATT", "State"), ("AFTER", "U8")], &container("C", &entries)));
    check(
        &dictionary,
        &[
            (&[1, 2, 3, 4], "/S/ATT/id=1 /S/ATT/rate/x=2 /S/ATT/rate/y=3 /S/AFTER=4 /S/ATT@0,0 []"),
            (
                &[1, 2],
                "/S/ATT/id=1 /S/ATT/rate/x=2 /S/ATT@0,0 [] \
                 (packet is too short for /S/ATT/rate/y: it needs 24 bits, there are 16)",
            ),
        ],
    );
    let composite = dictionary.composite(CompositeIndex(0));
    assert_eq!((composite.name.as_str(), composite.short_name.as_str()), ("/S/ATT", "ATT"));
    let rate = ("rate".to_owned(), vector_of(1, 2));
    assert_eq!(composite.shape, Shape::Aggregate(vec![("id".to_owned(), leaf(0)), rate]));
    let member = dictionary.find("/S/ATT/rate/x").expect("members are found");
    assert_eq!(dictionary.parameter(member).short_name, "ATT/rate/x");
    assert_eq!(dictionary.find("/S/ATT"), None);
    assert_eq!(dictionary.containers()[0].fixed_bits, Some(32));
}

#[test]
fn comparisons_look_at_members() {
    let types = [U8, VECTOR, STATE].concat();
    for reference in ["ATT/rate/y", "/S/ATT/rate/y", "./ATT/rate/y"] {
        let criteria = format!("<Comparison parameterRef='{reference}' value='3'/>");
        let containers =
            [container("C", &entry("ATT")), derived("D", "C", &criteria, &entry("AFTER"))].concat();
        let dictionary = load(&document(&types, &[("ATT", "State"), ("AFTER", "U8")], &containers));
        let found = unfolded(&dictionary, &[1, 2, 3, 4]);
        assert!(found.contains("/S/AFTER=4"), "{reference}: {found}");
        assert!(!unfolded(&dictionary, &[1, 3, 2, 4]).contains("AFTER"), "{reference}");
    }
}

#[test]
fn a_comparison_with_a_whole_aggregate_is_refused() {
    let criteria = "<Comparison parameterRef='ATT' value='3'/>";
    let containers = [container("C", &entry("ATT")), derived("D", "C", criteria, "")].concat();
    let found = refusal(&document(&[U8, VECTOR].concat(), &[("ATT", "Vector")], &containers));
    assert_eq!(found, "/S/ATT is an aggregate or an array; expected one of its members");
}

#[test]
fn arrays_have_as_many_values_as_their_dimensions_say() {
    let counts = [counted_by("N"), counted_by("M")];
    let types = [
        U8.to_owned(),
        VECTOR.to_owned(),
        array("Three", "U8", &[&fixed(2)]),
        array("Many", "U8", &[&counts[0]]),
        array("Table", "U8", &[&counts[0], &counts[1]]),
        array("Vectors", "Vector", &[&counts[0]]),
    ]
    .concat();
    let with = |array: &str, counts: &[&str]| {
        let entries: String = counts.iter().copied().chain(["LIST", "AFTER"]).map(entry).collect();
        let parameters = [("N", "U8"), ("M", "U8"), ("LIST", array), ("AFTER", "U8")];
        load(&document(&types, &parameters, &container("C", &entries)))
    };
    check(
        &with("Three", &[]),
        &[(&[1, 2, 3, 4], "/S/LIST=1 /S/LIST=2 /S/LIST=3 /S/AFTER=4 /S/LIST@0,0 [3]")],
    );
    check(
        &with("Many", &["N"]),
        &[
            (&[2, 1, 2, 3], "/S/N=2 /S/LIST=1 /S/LIST=2 /S/AFTER=3 /S/LIST@1,0 [2]"),
            (&[0, 1], "/S/N=0 /S/AFTER=1 /S/LIST@1,0 [0]"),
            (
                &[3, 1],
                "/S/N=3 /S/LIST=1 /S/LIST@1,0 [3] (packet is too short for /S/LIST: it needs 24 bits, there are 16)",
            ),
            (&[200, 1], "/S/N=200 /S/LIST@1,0 [] (/S/LIST would repeat 200 times)"),
        ],
    );
    // The outer dimension once, the inner one in each turn of it.
    check(
        &with("Table", &["N", "M"]),
        &[
            (
                &[2, 3, 1, 2, 3, 4, 5, 6, 7],
                "/S/N=2 /S/M=3 /S/LIST=1 /S/LIST=2 /S/LIST=3 /S/LIST=4 /S/LIST=5 /S/LIST=6 /S/AFTER=7 /S/LIST@2,0 \
                 [2, 3, 3]",
            ),
            (&[2, 0, 7], "/S/N=2 /S/M=0 /S/AFTER=7 /S/LIST@2,0 [2, 0, 0]"),
            (&[0, 9, 7], "/S/N=0 /S/M=9 /S/AFTER=7 /S/LIST@2,0 [0]"),
        ],
    );
    let vectors = with("Vectors", &["N"]);
    check(
        &vectors,
        &[(
            &[2, 1, 2, 3, 4, 5],
            "/S/N=2 /S/LIST/x=1 /S/LIST/y=2 /S/LIST/x=3 /S/LIST/y=4 /S/AFTER=5 /S/LIST@1,0 [2]",
        )],
    );
    assert_eq!(vectors.composites()[0].shape, Shape::Array(Box::new(vector_of(2, 3))));
    let table = with("Table", &["N", "M"]);
    assert_eq!(table.composites()[0].shape, Shape::Array(Box::new(Shape::Array(Box::new(leaf(2))))));
}

#[test]
fn a_dimension_may_start_anywhere_and_run_upwards_only() {
    let with = |first: &str, last: &str| {
        let list = array("List", "U8", &[last])
            .replace("<FixedValue>0</FixedValue></Starting", &format!("{first}</Starting"));
        let entries: String = ["N", "LIST", "AFTER"].map(entry).concat();
        let parameters = [("N", "U8"), ("LIST", "List"), ("AFTER", "U8")];
        document(&[U8.to_owned(), list].concat(), &parameters, &container("C", &entries))
    };
    let dynamic = "<DynamicValue><ParameterInstanceRef parameterRef='N'/></DynamicValue>";
    let cases = [
        (fixed(2), fixed(3), "/S/N=3 /S/LIST=7 /S/LIST=8 /S/AFTER=9 /S/LIST@1,0 [2]"),
        (fixed(1), fixed(0), "/S/N=3 /S/AFTER=7 /S/LIST@1,0 [0]"),
        (fixed(2), dynamic.to_owned(), "/S/N=3 /S/LIST=7 /S/LIST=8 /S/AFTER=9 /S/LIST@1,0 [2]"),
        (dynamic.to_owned(), fixed(4), "/S/N=3 /S/LIST=7 /S/LIST=8 /S/AFTER=9 /S/LIST@1,0 [2]"),
        (dynamic.to_owned(), fixed(1), "/S/N=3 /S/LIST@1,0 [] (/S/LIST would repeat -1 times)"),
    ];
    for (first, last, expected) in cases {
        assert_eq!(unfolded(&load(&with(&first, &last)), &[3, 7, 8, 9]), expected, "{first} to {last}");
    }
    let found = refusal(&with(&fixed(2), &fixed(0)));
    assert_eq!(found, "the dimension runs from 2 to 0; expected it to run upwards");
}

#[test]
fn arrays_stand_in_aggregates_and_in_repeated_entries() {
    let types = [
        U8.to_owned(),
        array("Pair", "U8", &[&fixed(1)]),
        array("Many", "U8", &[&counted_by("N")]),
        "<AggregateParameterType name='Both'><MemberList><Member name='pair' typeRef='Pair'/><Member name='n' typeRef='U8'/>\
         </MemberList></AggregateParameterType>"
            .to_owned(),
    ]
    .concat();
    let again = "<RepeatEntry><Count><FixedValue>2</FixedValue></Count></RepeatEntry>";
    let part = container("PART", &[entry("N"), entry("LIST")].concat());
    let root = container(
        "C",
        &[entry("BOTH"), format!("<ContainerRefEntry containerRef='PART'>{again}</ContainerRefEntry>")]
            .concat(),
    );
    let parameters = [("N", "U8"), ("LIST", "Many"), ("BOTH", "Both")];
    let dictionary = load(&document(&types, &parameters, &[root, part].concat()));
    check(
        &dictionary,
        &[(
            &[1, 2, 3, 1, 8, 2, 6, 7],
            "/S/BOTH/pair=1 /S/BOTH/pair=2 /S/BOTH/n=3 /S/N=1 /S/LIST=8 /S/N=2 /S/LIST=6 /S/LIST=7 /S/BOTH@0,0 /S/LIST@4,1 \
             /S/LIST@6,2 [2, 1, 2]",
        )],
    );
}

#[test]
fn arrays_of_single_bits_may_fill_the_whole_packet() {
    let types = [
        U8.to_owned(),
        "<IntegerParameterType name='Bit'><IntegerDataEncoding sizeInBits='1'/></IntegerParameterType>"
            .to_owned(),
        array("Flags", "Bit", &[&counted_by("N")]),
        array("Rows", "Bit", &[&counted_by("N"), &fixed(0)]),
    ]
    .concat();
    for its_type in ["Flags", "Rows"] {
        let entries = [entry("N"), entry("LIST")].concat();
        let dictionary =
            load(&document(&types, &[("N", "U8"), ("LIST", its_type)], &container("C", &entries)));
        let mut packet = vec![0x55; 33];
        packet[0] = 255;
        let mut into = DecodedPacket::default();
        dictionary.decode(&packet, &mut into).unwrap_or_else(|error| panic!("{its_type}: {error}"));
        assert_eq!(into.values.len(), 256, "{its_type}");
    }
}

#[test]
fn types_that_cannot_be_unfolded_are_refused() {
    let member = |name: &str, of: &str| {
        format!(
            "<AggregateParameterType name='{name}'><MemberList><Member name='m' typeRef='{of}'/></MemberList></AggregateParameterType>"
        )
    };
    let same = "<Member name='x' typeRef='U8'/>".repeat(2);
    let twice =
        format!("<AggregateParameterType name='T'><MemberList>{same}</MemberList></AggregateParameterType>");
    let cases = [
        (member("T", "T"), "types hold each other: /S/T -> /S/T; expected an end"),
        (member("T", "B") + &array("B", "T", &[&fixed(1)]), "types hold each other: /S/T -> /S/B -> /S/T"),
        (member("T", "Z"), "parameter type \"Z\" is not defined"),
        (twice, "means two parameters"),
        (array("T", "U8", &[&fixed(-2)]), "expected an index between 0 and 2147483647"),
        (array("T", "U8", &[&fixed(1 << 31)]), "expected an index between 0 and 2147483647"),
        (array("T", "U8", &[&fixed(i64::from(i32::MAX))]), "expected it to lie within 0 and 524336"),
        (array("T", "U8", &[&counted_by("NOBODY")]), "parameter \"NOBODY\" is not defined"),
        (array("T", "U8", &[&counted_by("LATER")]), "/S/LATER is not decoded before this point"),
        ("<ArrayParameterType name='T' arrayTypeRef='U8'/>".to_owned(), "no DimensionList was found"),
    ];
    for (types, expected) in cases {
        let parameters = [("P", "T"), ("LATER", "U8")];
        let found = refusal(&document(&(types + U8), &parameters, &container("C", &entry("P"))));
        assert!(found.contains(expected), "expected {expected}, found: {found}");
    }
}

#[test]
fn a_member_and_a_parameter_of_the_same_full_name_are_refused_in_either_order() {
    let inner = "<SpaceSystem name='P'><TelemetryMetaData><ParameterSet><Parameter name='x' parameterTypeRef='U8'/>\
                 </ParameterSet></TelemetryMetaData></SpaceSystem>";
    let outer = document(&[U8, VECTOR].concat(), &[("P", "Vector")], "");
    let before = outer.replacen("<TelemetryMetaData>", &format!("{inner}<TelemetryMetaData>"), 1);
    let after = outer.replace("</SpaceSystem>", &format!("{inner}</SpaceSystem>"));
    for xml in [before, after] {
        let found = refusal(&xml);
        assert!(found.starts_with("/S/P/x means "), "{found}");
    }
}

#[test]
fn an_entry_of_an_array_may_have_a_condition_and_a_location() {
    let types = [U8.to_owned(), array("Pair", "U8", &[&fixed(1)])].concat();
    let condition = "<IncludeCondition><Comparison parameterRef='N' value='1'/></IncludeCondition>";
    let place = "<LocationInContainerInBits><FixedValue>8</FixedValue></LocationInContainerInBits>";
    let entries = [entry("N"), entry_with("LIST", &format!("{place}{condition}")), entry("AFTER")].concat();
    let parameters = [("N", "U8"), ("LIST", "Pair"), ("AFTER", "U8")];
    let dictionary = load(&document(&types, &parameters, &container("C", &entries)));
    check(
        &dictionary,
        &[
            (&[1, 0, 2, 3, 4], "/S/N=1 /S/LIST=2 /S/LIST=3 /S/AFTER=4 /S/LIST@1,0 [2]"),
            (&[2, 5], "/S/N=2 /S/AFTER=5 []"),
        ],
    );
}
