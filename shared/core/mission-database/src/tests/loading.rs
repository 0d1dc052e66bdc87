//! What is accepted, what is refused, and where it says the fault is.

use super::{decoded, document, load};
use crate::{DecodeError, DecodedPacket, Dictionary, ParameterKind, Unused};

/// The first of the lines is line 1 of the document.
fn refusal(xml: &str) -> String {
    match Dictionary::from_xtce("demo.xml", xml) {
        Ok(_) => panic!("this was accepted:\n{xml}"),
        Err(error) => error.to_string(),
    }
}

const NUMBER: &str =
    "<IntegerParameterType name='U8'><IntegerDataEncoding sizeInBits='8'/></IntegerParameterType>";

#[test]
fn xml_that_does_not_parse_says_where() {
    let cases = [
        (
            "<SpaceSystem name='S'>\n  <Header></Heder>\n</SpaceSystem>",
            "demo.xml:2:11: expected 'Header' tag, not 'Heder'; expected well-formed XML",
        ),
        ("", "demo.xml:1:1: the document does not have a root node; expected well-formed XML"),
        ("<XTCE name='S'/>", "demo.xml:1:1: /XTCE[S]: the root element is XTCE; expected SpaceSystem"),
        ("<SpaceSystem/>", "demo.xml:1:1: /SpaceSystem: attribute name is missing; expected a value for it"),
    ];
    for (xml, expected) in cases {
        assert_eq!(refusal(xml), expected);
    }
}

/// Types and containers stand on lines of their own, so that a place is easy to check: types on 3, containers
/// on 9.
fn check_refused(types: &str, containers: &str, expected: &str) {
    assert_eq!(refusal(&document(types, &[("P", "T")], containers)), expected);
}

fn check_type_refused(its_type: &str, expected: &str) {
    check_refused(its_type, "", &format!("demo.xml:3:{expected}"));
}

const TYPES: &str = "/SpaceSystem[S]/TelemetryMetaData/ParameterTypeSet";

#[test]
fn a_type_that_would_decode_wrongly_is_refused_with_its_place() {
    let integer =
        |encoding: &str| format!("<IntegerParameterType name='T'>{encoding}</IntegerParameterType>");
    let at_encoding = format!("32: {TYPES}/IntegerParameterType[T]/IntegerDataEncoding");
    let cases = [
        (
            "<ArrayParameterType name='T'/>".to_owned(),
            format!("1: {TYPES}/ArrayParameterType[T]: attribute arrayTypeRef is missing; expected a value for it"),
        ),
        (
            integer("<IntegerDataEncoding sizeInBits='65'/>"),
            format!("{at_encoding}: sizeInBits=\"65\" was found; expected 1 to 64"),
        ),
        (
            integer("<IntegerDataEncoding sizeInBits='many'/>"),
            format!("{at_encoding}: sizeInBits=\"many\" was found; expected a number of bits"),
        ),
        (
            integer("<IntegerDataEncoding encoding='gray'/>"),
            format!("{at_encoding}: encoding=\"gray\" is not supported yet; expected unsigned, twosComplement, \
                     signMagnitude, onesComplement or BCD"),
        ),
        (
            integer("<IntegerDataEncoding sizeInBits='12' byteOrder='leastSignificantByteFirst'/>"),
            format!("{at_encoding}: byteOrder=\"leastSignificantByteFirst\" was found with 12 bits; expected a whole \
                     number of bytes"),
        ),
        (
            integer("<IntegerDataEncoding sizeInBits='16' byteOrder='0,0'/>"),
            format!("{at_encoding}: byteOrder=\"0,0\" was found; expected mostSignificantByteFirst, \
                     leastSignificantByteFirst, or the significance of each of 2 bytes"),
        ),
        (
            integer("<IntegerDataEncoding><ContextCalibratorList><ContextCalibrator/></ContextCalibratorList></IntegerDataEncoding>"),
            format!("76: {TYPES}/IntegerParameterType[T]/IntegerDataEncoding/ContextCalibratorList/ContextCalibrator: \
                     ContextMatch or Calibrator is missing; expected both"),
        ),
        (
            integer("<IntegerDataEncoding><DefaultCalibrator><SplineCalibrator/></DefaultCalibrator></IntegerDataEncoding>"),
            format!("72: {TYPES}/IntegerParameterType[T]/IntegerDataEncoding/DefaultCalibrator/SplineCalibrator: \
                     no SplinePoint was found; expected at least one"),
        ),
        (
            integer("<StringDataEncoding><SizeInBits><FixedValue>8</FixedValue></SizeInBits></StringDataEncoding>"),
            format!("32: {TYPES}/IntegerParameterType[T]/StringDataEncoding: StringDataEncoding in \
                     IntegerParameterType is not supported yet; expected IntegerDataEncoding"),
        ),
        (
            "<BinaryParameterType name='T'><BinaryDataEncoding><SizeInBits><FixedValue>999999999</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>".to_owned(),
            format!("63: {TYPES}/BinaryParameterType[T]/BinaryDataEncoding/SizeInBits/FixedValue: \"999999999\" was \
                     found; expected a number of bits between 0 and 524336"),
        ),
        (
            "<StringParameterType name='T'><StringDataEncoding><Variable maxSizeInBits='8'/></StringDataEncoding></StringParameterType>".to_owned(),
            format!("31: {TYPES}/StringParameterType[T]/StringDataEncoding: no size was found; expected SizeInBits or \
                     Variable that says one"),
        ),
        (
            "<EnumeratedParameterType name='T'><EnumerationList><Enumeration value='3' maxValue='1' label='A'/></EnumerationList></EnumeratedParameterType>".to_owned(),
            format!("52: {TYPES}/EnumeratedParameterType[T]/EnumerationList/Enumeration: maxValue=\"1\" was found; \
                     expected at least value=\"3\""),
        ),
    ];
    for (its_type, expected) in cases {
        check_type_refused(&its_type, &expected);
    }
}

const CONTAINERS: &str = "/SpaceSystem[S]/TelemetryMetaData/ContainerSet";

#[test]
fn a_container_that_would_decode_wrongly_is_refused_with_its_place() {
    let types = NUMBER.replace("U8", "T");
    let entries = |entries: &str| {
        format!("<SequenceContainer name='C'><EntryList>{entries}</EntryList></SequenceContainer>")
    };
    let derived = |criteria: &str| {
        format!(
            "{}\n<SequenceContainer name='D'><EntryList/><BaseContainer containerRef='C'><RestrictionCriteria>\n\
             {criteria}</RestrictionCriteria></BaseContainer></SequenceContainer>",
            entries("<ParameterRefEntry parameterRef='P'/>")
        )
    };
    let at_entry = format!("9:40: {CONTAINERS}/SequenceContainer[C]/EntryList/ParameterRefEntry");
    let in_entry = format!("9:76: {CONTAINERS}/SequenceContainer[C]/EntryList/ParameterRefEntry");
    let criteria = format!("11:1: {CONTAINERS}/SequenceContainer[D]/BaseContainer/RestrictionCriteria");
    let cases = [
        (
            entries("<ParameterRefEntry parameterRef='Q'/>"),
            format!(
                "{at_entry}: parameter \"Q\" is not defined; expected one of /S or above, or an absolute path"
            ),
        ),
        (
            entries("<ParameterRefEntry parameterRef='P'><IncludeCondition/></ParameterRefEntry>"),
            format!(
                "{in_entry}/IncludeCondition: no Comparison was found; expected Comparison, ComparisonList or \
                     BooleanExpression"
            ),
        ),
        (
            entries("<ParameterRefEntry parameterRef='P'><RepeatEntry/></ParameterRefEntry>"),
            format!("{in_entry}/RepeatEntry: no Count was found; expected one"),
        ),
        (
            entries("<CommandRefEntry parameterRef='P'/>"),
            format!(
                "9:40: {CONTAINERS}/SequenceContainer[C]/EntryList/CommandRefEntry: CommandRefEntry is not \
                     supported here yet; expected ParameterRefEntry or ContainerRefEntry"
            ),
        ),
        (
            entries(
                "<ParameterRefEntry parameterRef='P'><LocationInContainerInBits><FixedValue>-8</FixedValue></LocationInContainerInBits></ParameterRefEntry>",
            ),
            format!("{at_entry}: the entry is at bit -8; expected it to lie within 0 and 524336"),
        ),
        (
            derived("<Comparison parameterRef='MODE' value='1'/>"),
            format!(
                "{criteria}/Comparison: parameter \"MODE\" is not defined; expected one of /S or above, or an \
                     absolute path"
            ),
        ),
        (
            derived("<Comparison parameterRef='P' value='ON'/>"),
            format!(
                "{criteria}/Comparison: value=\"ON\" was found for parameter \"P\"; expected a whole number"
            ),
        ),
        (
            derived("<Comparison parameterRef='P' value='1' comparisonOperator='='/>"),
            format!("{criteria}/Comparison: operator \"=\" was found; expected ==, !=, <, <=, > or >="),
        ),
        (
            derived("<BooleanExpression/>"),
            format!("{criteria}/BooleanExpression: no Condition was found; expected at least one"),
        ),
    ];
    for (containers, expected) in cases {
        check_refused(&types, &containers, &format!("demo.xml:{expected}"));
    }
}

#[test]
fn containers_that_need_each_other_are_refused_by_name() {
    let types = NUMBER.replace("U8", "T");
    let derived = |name: &str, base: &str| {
        format!(
            "<SequenceContainer name='{name}'><EntryList/><BaseContainer containerRef='{base}'/></SequenceContainer>\n"
        )
    };
    let including = |name: &str, other: &str| {
        format!(
            "<SequenceContainer name='{name}'><EntryList><ContainerRefEntry containerRef='{other}'/></EntryList>\
             </SequenceContainer>\n"
        )
    };
    let cases = [
        (
            derived("A", "C") + &derived("B", "A") + &derived("C", "B"),
            format!(
                "10:41: {CONTAINERS}/SequenceContainer[B]/BaseContainer: containers derive from each other: \
                     /S/A -> /S/C -> /S/B -> /S/A; expected a base that ends"
            ),
        ),
        (
            including("A", "B") + &including("B", "A"),
            format!(
                "10:40: {CONTAINERS}/SequenceContainer[B]/EntryList/ContainerRefEntry: containers include each \
                     other: /S/A -> /S/B -> /S/A; expected an end"
            ),
        ),
        (
            including("A", "B") + &derived("B", "A"),
            format!(
                "9:40: {CONTAINERS}/SequenceContainer[A]/EntryList/ContainerRefEntry: containers include each \
                     other: /S/A -> /S/A; expected an end"
            ),
        ),
    ];
    for (containers, expected) in cases {
        check_refused(&types, &containers, &format!("demo.xml:{expected}"));
    }
}

#[test]
fn containers_that_include_each_other_often_are_refused_before_they_fill_the_memory() {
    let twice = |level: usize| {
        let other = format!("<ContainerRefEntry containerRef='C{}'/>", level + 1);
        format!(
            "<SequenceContainer name='C{level}'><EntryList>{other}{other}</EntryList></SequenceContainer>"
        )
    };
    let containers: String = (0..40).map(twice).collect::<String>() + "<SequenceContainer name='C40'/>";
    let found = refusal(&document("", &[], &containers));
    assert!(found.ends_with("containers have too many entries; expected at most 1000000 in all"), "{found}");
}

#[test]
fn names_are_found_in_their_own_system_and_those_above() {
    let reference = |name: &str| format!("<ParameterRefEntry parameterRef='{name}'/>");
    let system = |name: &str, references: &str| {
        format!(
            "<SpaceSystem name='{name}'><TelemetryMetaData><ParameterSet><Parameter name='P' parameterTypeRef='U8'/>\
             <Parameter name='ONLY.{name}' parameterTypeRef='/S/U8'/></ParameterSet><ContainerSet>\
             <SequenceContainer name='C'><EntryList>{references}</EntryList></SequenceContainer></ContainerSet>\
             </TelemetryMetaData></SpaceSystem>"
        )
    };
    let references = ["P", "../P", "ROOT", "/S/B/P", "../B/ONLY.B", "B/P", "./P"].map(reference).concat();
    let xml = document(NUMBER, &[("P", "U8"), ("ROOT", "U8")], "")
        .replace("</SpaceSystem>", &(system("A", &references) + &system("B", "") + "</SpaceSystem>"));
    let dictionary = load(&xml);
    let mut packet = DecodedPacket::default();
    dictionary.decode(&[0; 7], &mut packet).expect("seven bytes are enough");
    let names: Vec<_> =
        packet.values.iter().map(|value| dictionary.parameter(value.parameter).name.as_str()).collect();
    assert_eq!(names, ["/S/A/P", "/S/P", "/S/ROOT", "/S/B/P", "/S/B/ONLY.B", "/S/B/P", "/S/A/P"]);
    for parameter in dictionary.parameters() {
        let found = dictionary.find(&parameter.name).expect("its own name finds it");
        assert_eq!(dictionary.parameter(found), parameter);
    }
    assert_eq!(dictionary.find("/S/NOPE"), None);
}

#[test]
fn a_name_is_defined_once() {
    let found = refusal(&document(&[NUMBER, NUMBER].join("\n"), &[], ""));
    let expected =
        "IntegerParameterType[U8]: parameter type \"U8\" is defined twice; expected a name of its own in /S";
    assert_eq!(found, format!("demo.xml:4:1: {TYPES}/{expected}"));
}

#[test]
fn elements_match_whatever_their_namespace() {
    let plain = document(
        NUMBER,
        &[("P", "U8")],
        "<SequenceContainer name='C'><EntryList><ParameterRefEntry parameterRef='P'/></EntryList></SequenceContainer>",
    );
    let prefixed = plain.replace("</", "\u{0}").replace('<', "<x:").replace('\u{0}', "</x:").replacen(
        "name=",
        "xmlns:x=\"http://www.omg.org/spec/XTCE/20180204\" name=",
        1,
    );
    let default = plain.replacen("name=", "xmlns=\"http://www.omg.org/space/xtce\" name=", 1);
    for xml in [plain, prefixed, default] {
        assert_eq!(decoded(&load(&xml), &[7]), "/S/C P=7");
    }
}

#[test]
fn the_dictionary_tells_units_descriptions_and_what_it_did_not_use() {
    let xml = "<SpaceSystem name=\"S\">\n  <Header version=\"7.1\"/>\n  <TelemetryMetaData><ParameterTypeSet>\n\
               <FloatParameterType name=\"T\"><UnitSet><Unit>m</Unit><Unit power=\"-1\">s</Unit></UnitSet>\n\
               <FloatDataEncoding/><DefaultAlarm><ChangeAlarmRanges/></DefaultAlarm></FloatParameterType>\n</ParameterTypeSet><ParameterSet>\n\
               <Parameter name=\"P\" parameterTypeRef=\"T\"><LongDescription> Speed. </LongDescription>\n\
               é<AliasSet/></Parameter></ParameterSet></TelemetryMetaData>\n<CommandMetaData/></SpaceSystem>";
    let dictionary = load(xml);
    assert_eq!((dictionary.name(), dictionary.version()), ("S", Some("7.1")));
    let parameter = &dictionary.parameters()[0];
    assert_eq!(parameter.unit.as_deref(), Some("m s^-1"));
    assert_eq!(parameter.description.as_deref(), Some("Speed."));
    assert_eq!((&parameter.kind, parameter.calibrated), (&ParameterKind::Float, false));
    let unused = |element: &str, line, column| Unused { element: element.to_owned(), line, column };
    let expected =
        [unused("ChangeAlarmRanges", 5, 35), unused("AliasSet", 8, 2), unused("CommandMetaData", 9, 1)];
    assert_eq!(dictionary.unused(), expected);
}

#[test]
fn a_dictionary_without_containers_loads_and_decodes_nothing() {
    let dictionary = load(&document(NUMBER, &[("P", "U8")], ""));
    let outcome = dictionary.decode(&[1], &mut DecodedPacket::default());
    assert_eq!(outcome, Err(DecodeError::NoContainer));
}

#[test]
fn a_document_beyond_the_limit_is_refused_unread() {
    let xml = " ".repeat(64 * 1024 * 1024 + 1);
    assert_eq!(refusal(&xml), "demo.xml:1:1: the document has 67108865 bytes; expected at most 67108864");
}
