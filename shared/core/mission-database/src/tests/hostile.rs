//! Documents made to hurt: each is refused with a reason, or loads, in little memory and time.

use super::{U8, container, decoded, document, entry, load, refusal};
use crate::{DecodeError, DecodedPacket, Dictionary};

fn check(xml: &str, expected: &str) {
    let found = refusal(xml);
    assert!(found.contains(expected), "expected {expected}, found: {found:.300}");
}

#[test]
fn entities_are_not_expanded() {
    let laughs: String = (1..10)
        .map(|level| format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10)))
        .collect();
    let cases = [
        format!("<!DOCTYPE x [<!ENTITY e0 \"ha\">{laughs}]><SpaceSystem name=\"S\">&e9;</SpaceSystem>"),
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><SpaceSystem name='S'/>".to_owned(),
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'http://localhost/'>]><SpaceSystem name='S'>&e;</SpaceSystem>"
            .to_owned(),
    ];
    for xml in cases {
        check(&xml, "DTD");
    }
    check("<SpaceSystem name='S'>&e;</SpaceSystem>", "expected well-formed XML");
}

#[test]
fn elements_may_nest_as_deep_as_they_like_but_systems_may_not() {
    let levels = 100_000;
    let nested = |opening: &str, closing: &str| opening.repeat(levels) + &closing.repeat(levels);
    let within = |inner: &str| format!("<SpaceSystem name='S'>{inner}</SpaceSystem>");
    load(&within(&nested("<CommandMetaData>", "</CommandMetaData>")));
    let systems = nested("<SpaceSystem name='S'>", "</SpaceSystem>");
    check(&systems, "systems nest too deep; expected at most 64 levels");
    check(&"<SpaceSystem name='S'>".repeat(levels), "expected well-formed XML");
    let conditions = nested("<ANDedConditions>", "</ANDedConditions>");
    let condition =
        format!("<IncludeCondition><BooleanExpression>{conditions}</BooleanExpression></IncludeCondition>");
    let containers = container("C", &super::entry_with("P", &condition));
    check(&document(U8, &[("P", "U8")], &containers), "conditions nest too deep; expected at most 64 levels");
}

#[test]
fn types_and_containers_that_stand_on_each_other_too_deep_are_refused() {
    let types: String = (0..5_000)
        .map(|level| format!("<IntegerParameterType name='T{level}' baseType='T{}'/>", level + 1))
        .collect();
    check(&document(&types, &[], ""), "types are based on each other too deep; expected at most 64 levels");
    let members: String = (0..5_000)
        .map(|level| {
            let member = format!("<MemberList><Member name='m' typeRef='T{}'/></MemberList>", level + 1);
            format!("<AggregateParameterType name='T{level}'>{member}</AggregateParameterType>")
        })
        .collect();
    let end = "<IntegerParameterType name='T5000'><IntegerDataEncoding/></IntegerParameterType>";
    check(&document(&(members + end), &[("P", "T0")], ""), "has too many parts; expected at most 64 levels");
    let bases: String = (0..5_000)
        .map(|level| super::derived(&format!("C{level}"), &format!("C{}", level + 1), "", ""))
        .collect();
    check(
        &document("", &[], &(bases + &container("C5000", ""))),
        "containers derive too deep; expected at most 64",
    );
    let included: String = (0..5_000)
        .map(|level| {
            container(&format!("C{level}"), &format!("<ContainerRefEntry containerRef='C{}'/>", level + 1))
        })
        .collect();
    let included = included + &container("C5000", "");
    check(&document("", &[], &included), "containers include each other too deep; expected at most 64");
    let dimension = "<Dimension><EndingIndex><FixedValue>0</FixedValue></EndingIndex></Dimension>";
    let array = format!(
        "<ArrayParameterType name='T' arrayTypeRef='U8'><DimensionList>{}</DimensionList></ArrayParameterType>",
        dimension.repeat(100_000)
    );
    check(&document(&(array + U8), &[("P", "T")], ""), "has too many parts; expected at most 64 levels");
}

#[test]
fn aggregates_that_double_at_each_level_are_refused_before_they_fill_the_memory() {
    let doubled = |level: usize| {
        let member = |name: &str| format!("<Member name='{name}' typeRef='T{}'/>", level + 1);
        let members = member("a") + &member("b");
        format!(
            "<AggregateParameterType name='T{level}'><MemberList>{members}</MemberList></AggregateParameterType>"
        )
    };
    let types: String = (0..40).map(doubled).collect();
    // With a leaf at the end, and with nothing at all there.
    let ends = [
        "<IntegerParameterType name='T40'><IntegerDataEncoding/></IntegerParameterType>",
        "<AggregateParameterType name='T40'/>",
    ];
    for end in ends {
        let xml = document(&(types.clone() + end), &[("P", "T0")], "");
        check(&xml, "too many parts; expected at most 64 levels and 200000 parts in all");
    }
}

#[test]
fn what_many_parameters_share_is_not_copied_without_end() {
    let labels: String =
        (0..3_000).map(|value| format!("<Enumeration value='{value}' label='{value}'/>")).collect();
    let its_type = format!(
        "<EnumeratedParameterType name='T'><IntegerDataEncoding sizeInBits='16'/><EnumerationList>{labels}\
         </EnumerationList></EnumeratedParameterType>"
    );
    let names: Vec<String> = (0..3_000).map(|number| format!("P{number}")).collect();
    let parameters: Vec<_> = names.iter().map(|name| (name.as_str(), "T")).collect();
    check(&document(&its_type, &parameters, ""), "names, descriptions and labels of parameters are too long");
    let name = "N".repeat(2_000);
    check(&document(U8, &[(&name, "U8")], ""), "the full name has 2003 bytes; expected at most 1024");
    check(&format!("<SpaceSystem name='{name}'/>"), "the full name has 2001 bytes; expected at most 1024");
}

#[test]
fn included_containers_are_not_read_again_without_end() {
    let comparison = "<Comparison parameterRef='P' value='1'/>".repeat(2_000);
    let condition =
        format!("<IncludeCondition><ComparisonList>{comparison}</ComparisonList></IncludeCondition>");
    let part = container("PART", &(entry("P") + &super::entry_with("P", &condition)));
    let many = container("C", &"<ContainerRefEntry containerRef='PART'/>".repeat(2_000));
    let xml = document(U8, &[("P", "U8")], &(many + &part));
    check(&xml, "containers have too many entries; expected at most 1000000 in all");
}

#[test]
fn containers_that_derive_from_a_long_one_are_not_copied_without_end() {
    let names: Vec<String> = (0..5_000).map(|number| format!("P{number}")).collect();
    let parameters: Vec<_> = names.iter().map(|name| (name.as_str(), "U8")).collect();
    let entries: String = names.iter().map(|name| entry(name)).collect();
    let derived: String =
        (0..4_000).map(|number| super::derived(&format!("D{number}"), "C", "", "")).collect();
    let xml = document(U8, &parameters, &(container("C", &entries) + &derived));
    check(&xml, "too many containers derive from ones with many entries; expected fewer");
}

#[test]
fn what_the_parser_would_take_too_long_for_is_refused_before() {
    let attributes: String = (0..300).map(|number| format!(" a{number}=''")).collect();
    check(&format!("<SpaceSystem name='S'{attributes}/>"), "too many attributes; expected at most 256");
    let namespaces: String = (0..40).map(|number| format!(" xmlns:n{number}='u{number}'")).collect();
    check(&format!("<SpaceSystem name='S'{namespaces}/>"), "too many namespaces are declared");
    // Marks in comments, texts and values are none.
    let banner = "a='' ".repeat(300) + "xmlns:q='' <";
    let quoted = banner.replace('\'', "&apos;").replace('<', ">");
    let xml = format!(
        "<?xml version='1.0'?><!--{banner}--><SpaceSystem name='S'><Note text='{quoted}'><![CDATA[{banner}]]></Note>\
         </SpaceSystem>"
    );
    load(&xml);
}

#[test]
fn names_that_are_defined_twice_are_refused() {
    let twice = |inner: &str| inner.replace('#', "A") + &inner.replace('#', "A");
    let parameter = "<Parameter name='#' parameterTypeRef='U8'/>";
    let set = format!("<ParameterSet>{}</ParameterSet>", twice(parameter));
    let cases = [
        (document(&twice(&U8.replace("U8", "#")), &[], ""), "parameter type \"A\" is defined twice"),
        (document(U8, &[("A", "U8"), ("A", "U8")], ""), "parameter \"A\" is defined twice"),
        (document("", &[], &twice(&container("#", ""))), "container \"A\" is defined twice"),
        (
            document(U8, &[], "").replace("<ParameterSet>", &format!("{set}<ParameterSet>")),
            "is defined twice",
        ),
        (document(U8, &[("a/b", "U8")], ""), "expected a name without \"/\""),
        (document(U8, &[("", "U8")], ""), "expected a name without \"/\""),
    ];
    for (xml, expected) in cases {
        check(&xml, expected);
    }
}

#[test]
fn references_to_nothing_are_refused() {
    let cases = [
        (document("", &[("P", "T")], ""), "parameter type \"T\" is not defined"),
        (document("", &[], &container("C", &entry("P"))), "parameter \"P\" is not defined"),
        (
            document("", &[], &container("C", "<ContainerRefEntry containerRef='D'/>")),
            "container \"D\" is not defined",
        ),
        (document("", &[], &super::derived("C", "D", "", "")), "container \"D\" is not defined"),
        (document(U8, &[("P", "../../../U8")], ""), "parameter type \"../../../U8\" is not defined"),
        (
            document("<IntegerParameterType name='T'/>", &[("P", "T")], &container("C", &entry("P"))),
            "no data encoding",
        ),
    ];
    for (xml, expected) in cases {
        check(&xml, expected);
    }
}

#[test]
fn sizes_that_are_negative_or_overflow_are_refused() {
    let integer = |bits: &str| {
        format!(
            "<IntegerParameterType name='T'><IntegerDataEncoding sizeInBits='{bits}'/></IntegerParameterType>"
        )
    };
    let blob = |bits: &str| {
        format!(
            "<BinaryParameterType name='T'><BinaryDataEncoding><SizeInBits><FixedValue>{bits}</FixedValue></SizeInBits>\
             </BinaryDataEncoding></BinaryParameterType>"
        )
    };
    for bits in ["-8", "0", "65", "4294967304", "99999999999999999999", "8.0", ""] {
        check(&document(&integer(bits), &[], ""), "was found; expected");
    }
    for bits in ["-8", "524337", "4294967304", "9223372036854775807", "99999999999999999999", ""] {
        check(&document(&blob(bits), &[], ""), "expected a number of bits between 0 and 524336");
    }
    // One by one they fit, together they do not.
    let containers = container("C", &entry("P").repeat(3));
    check(&document(&blob("262144"), &[("P", "T")], &containers), "the entry is at bit 786432");
}

fn counted(bits: u32, slope: &str, element: &str) -> Dictionary {
    let types = format!(
        "{U8}<IntegerParameterType name='Count'><IntegerDataEncoding sizeInBits='{bits}'/></IntegerParameterType>\
         <BinaryParameterType name='Empty'><BinaryDataEncoding><SizeInBits><FixedValue>0</FixedValue></SizeInBits>\
         </BinaryDataEncoding></BinaryParameterType><AggregateParameterType name='Nothing'/>\
         <ArrayParameterType name='List' arrayTypeRef='{element}'><DimensionList><Dimension><EndingIndex><DynamicValue>\
         <ParameterInstanceRef parameterRef='N'/><LinearAdjustment slope='{slope}' intercept='-1'/></DynamicValue></EndingIndex>\
         </Dimension></DimensionList></ArrayParameterType>\
         <ArrayParameterType name='Table' arrayTypeRef='List'><DimensionList><Dimension><EndingIndex><DynamicValue>\
         <ParameterInstanceRef parameterRef='N'/></DynamicValue></EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    );
    let entries: String = ["N", "LIST", "TABLE"].map(entry).concat();
    load(&document(
        &types,
        &[("N", "Count"), ("LIST", "List"), ("TABLE", "Table")],
        &container("C", &entries),
    ))
}

#[test]
fn a_packet_that_lies_about_counts_ends_in_an_error() {
    let cases = [
        (32, "1", "U8", &[0x80, 0, 0, 0][..], "/S/C N=2147483648 (/S/LIST would repeat 2147483648 times)"),
        (32, "1", "Empty", &[0x80, 0, 0, 0], "/S/C N=2147483648 (/S/LIST would repeat 2147483648 times)"),
        (8, "-1", "U8", &[3], "/S/C N=3 (/S/LIST would repeat -3 times)"),
        (8, "1e20", "U8", &[3], "/S/C N=3 (/S/LIST would repeat 300000000000000000000 times)"),
        (8, "NaN", "U8", &[3], "/S/C N=3 (/S/LIST would repeat NaN times)"),
        (
            64,
            "1",
            "U8",
            &[0xFF; 8],
            "/S/C N=18446744073709551615 (/S/LIST would repeat 18446744073709552000 times)",
        ),
    ];
    for (bits, slope, element, packet, expected) in cases {
        assert_eq!(decoded(&counted(bits, slope, element), packet), expected);
    }
}

#[test]
fn what_has_no_bits_does_not_repeat_without_end() {
    for element in ["Empty", "Nothing"] {
        let dictionary = counted(32, "1", element);
        let mut packet = vec![0; 8_000];
        packet[..4].copy_from_slice(&60_000_u32.to_be_bytes());
        let mut into = DecodedPacket::default();
        let error = dictionary.decode(&packet, &mut into).expect_err("a table has too many lists");
        assert!(matches!(error, DecodeError::TooManyRepeats { .. }), "{element}: {error}");
        assert!(into.values.len() <= packet.len() * 8 + 1, "{} values of {element}", into.values.len());
        assert!(into.composites.len() + into.lengths.len() <= packet.len() * 16 + 4, "{element}");
    }
}

#[test]
fn lists_without_elements_do_not_repeat_without_end() {
    let count = |intercept: i32| {
        format!(
            "<DynamicValue><ParameterInstanceRef parameterRef='N'/><LinearAdjustment intercept='{intercept}'/></DynamicValue>"
        )
    };
    let dimension = |last: &str| format!("<Dimension><EndingIndex>{last}</EndingIndex></Dimension>");
    let array = |name: &str, dimensions: &str| {
        format!(
            "<ArrayParameterType name='{name}' arrayTypeRef='U8'><DimensionList>{dimensions}</DimensionList></ArrayParameterType>"
        )
    };
    let from_one = "<StartingIndex><FixedValue>1</FixedValue></StartingIndex><EndingIndex><FixedValue>0</FixedValue></EndingIndex>";
    let none = format!("<Dimension>{from_one}</Dimension>");
    let cube = [dimension(&count(-1)), dimension("<FixedValue>49</FixedValue>"), none.clone()].concat();
    let types = [
        U8.to_owned(),
        "<IntegerParameterType name='Count'><IntegerDataEncoding sizeInBits='32'/></IntegerParameterType>"
            .to_owned(),
        array("Empty", &none),
        array("Cube", &cube),
    ];
    let repeat = format!("<RepeatEntry><Count>{}</Count></RepeatEntry>", count(0));
    let again = format!("<ContainerRefEntry containerRef='PART'>{repeat}</ContainerRefEntry>");
    let part = container("PART", &entry("EMPTY").repeat(50));
    let parameters = [("N", "Count"), ("EMPTY", "Empty"), ("CUBE", "Cube")];
    for what in [again.as_str(), &entry("CUBE")] {
        let root = container("C", &(entry("N") + what));
        let dictionary = load(&document(&types.concat(), &parameters, &[root, part.clone()].concat()));
        let mut packet = vec![0; 1_000];
        packet[..4].copy_from_slice(&8_000_u32.to_be_bytes());
        let mut into = DecodedPacket::default();
        let error = dictionary.decode(&packet, &mut into).expect_err("there are too many lists");
        assert!(matches!(error, DecodeError::TooManyRepeats { .. }), "{error}");
        assert!(into.composites.len() + into.lengths.len() <= packet.len() * 16 + 4);
    }
}

#[test]
fn the_same_bytes_are_not_copied_again_and_again() {
    let types = "<IntegerParameterType name='Count'><IntegerDataEncoding sizeInBits='12'/></IntegerParameterType>\
                 <BinaryParameterType name='Blob'><BinaryDataEncoding><SizeInBits><FixedValue>8000</FixedValue></SizeInBits>\
                 </BinaryDataEncoding></BinaryParameterType>";
    let repeat = "<RepeatEntry><Count><DynamicValue><ParameterInstanceRef parameterRef='N'/></DynamicValue></Count><Offset>\
                  <FixedValue>-8000</FixedValue></Offset></RepeatEntry>";
    let entries = [entry("N"), super::entry_with("BLOB", repeat)].concat();
    let dictionary = load(&document(types, &[("N", "Count"), ("BLOB", "Blob")], &container("C", &entries)));
    let packet = vec![0xFF; 1_100];
    let mut into = DecodedPacket::default();
    let error = dictionary.decode(&packet, &mut into).expect_err("it is read too often");
    assert!(matches!(error, DecodeError::TooManyRepeats { .. }), "{error}");
    assert_eq!(into.values.len(), 9);
}

#[test]
fn a_large_dictionary_loads() {
    let names: Vec<String> = (0..10_000).map(|number| format!("P{number}")).collect();
    let parameters: Vec<_> = names.iter().map(|name| (name.as_str(), "U8")).collect();
    let part = |(number, names): (usize, &[String])| {
        let entries: String = names.iter().map(|name| entry(name)).collect();
        container(&format!("C{number}"), &entries)
    };
    let containers: String = names.chunks(50).enumerate().map(part).collect();
    let dictionary = load(&document(U8, &parameters, &containers));
    let census = dictionary.census();
    assert_eq!((census.parameters, census.containers, census.entries), (10_000, 200, 10_000));
}
