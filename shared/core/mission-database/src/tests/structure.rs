//! What stands where: conditions, repetitions, locations, included containers, and entries that are not read yet.

use super::{U8, container, decoded, derived, document, entry, entry_with, load, refusal};
use crate::{Census, DecodeError, DecodedPacket, Dictionary};

const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "N"];

/// All parameters are numbers of one byte, except a text `TEXT` of `N` bytes.
fn with(containers: &str) -> Dictionary {
    load(&written(containers))
}

fn written(containers: &str) -> String {
    let text = "<StringParameterType name='Text'><StringDataEncoding><SizeInBits><DynamicValue><ParameterInstanceRef \
                parameterRef='N'/><LinearAdjustment slope='8'/></DynamicValue></SizeInBits></StringDataEncoding></StringParameterType>";
    let lookup = "<BinaryParameterType name='Looked'><BinaryDataEncoding><SizeInBits><DiscreteLookupList>\
                  <DiscreteLookup value='8'><Comparison parameterRef='N' value='1'/></DiscreteLookup><DiscreteLookup value='16'>\
                  <ComparisonList><Comparison parameterRef='N' value='2' comparisonOperator='>='/><Comparison parameterRef='N' \
                  value='9' comparisonOperator='&lt;'/></ComparisonList></DiscreteLookup></DiscreteLookupList></SizeInBits>\
                  </BinaryDataEncoding></BinaryParameterType>";
    let mut parameters: Vec<_> = NAMES.map(|name| (name, "U8")).to_vec();
    parameters.extend([("TEXT", "Text"), ("BLOB", "Looked")]);
    document(&[U8, text, lookup].concat(), &parameters, containers)
}

fn check(dictionary: &Dictionary, cases: &[(&[u8], &str)]) {
    for (packet, expected) in cases {
        assert_eq!(decoded(dictionary, packet), *expected, "{packet:?}");
    }
}

fn when(parameter: &str, value: &str) -> String {
    format!("<IncludeCondition><Comparison parameterRef='{parameter}' value='{value}'/></IncludeCondition>")
}

fn fixed(bits: i64) -> String {
    format!("<FixedValue>{bits}</FixedValue>")
}

fn at(reference: &str, quantity: &str) -> String {
    format!(
        "<LocationInContainerInBits referenceLocation='{reference}'>{quantity}</LocationInContainerInBits>"
    )
}

fn dynamic(parameter: &str, slope: &str, intercept: &str) -> String {
    format!(
        "<DynamicValue><ParameterInstanceRef parameterRef='{parameter}'/><LinearAdjustment slope='{slope}' \
         intercept='{intercept}'/></DynamicValue>"
    )
}

fn repeated(count: &str, gap_bits: i64) -> String {
    format!("<RepeatEntry><Count>{count}</Count><Offset>{}</Offset></RepeatEntry>", fixed(gap_bits))
}

#[test]
fn an_entry_whose_condition_does_not_hold_takes_no_bits() {
    let part = "<ContainerRefEntry containerRef='PART'>{}</ContainerRefEntry>".replace("{}", &when("A", "2"));
    let entries = [entry("A"), entry_with("B", &when("A", "1")), part, entry("E")].concat();
    let containers =
        [container("ROOT", &entries), container("PART", &[entry("C"), entry("D")].concat())].concat();
    check(
        &with(&containers),
        &[
            (&[1, 7, 9], "/S/ROOT A=1 B=7 E=9"),
            (&[2, 7, 8, 9], "/S/ROOT A=2 C=7 D=8 E=9"),
            (&[3, 9], "/S/ROOT A=3 E=9"),
            (&[1], "/S/ROOT A=1 (packet is too short for /S/B: it needs 16 bits, there are 8)"),
        ],
    );
}

#[test]
fn a_condition_on_an_entry_that_was_left_out_does_not_hold() {
    let entries =
        [entry("A"), entry_with("B", &when("A", "1")), entry_with("C", &when("B", "0")), entry("D")].concat();
    check(
        &with(&container("ROOT", &entries)),
        &[(&[1, 0, 5, 6], "/S/ROOT A=1 B=0 C=5 D=6"), (&[2, 0, 5], "/S/ROOT A=2 D=0")],
    );
}

#[test]
fn repeated_entries_stand_behind_each_other_or_apart() {
    let with_repeat =
        |repeat: &str| with(&container("ROOT", &[entry("N"), entry_with("A", repeat), entry("B")].concat()));
    let count = dynamic("N", "1", "0");
    check(
        &with_repeat(&repeated(&count, 0)),
        &[
            (&[3, 4, 5, 6, 7], "/S/ROOT N=3 A=4 A=5 A=6 B=7"),
            (&[0, 7], "/S/ROOT N=0 B=7"),
            (&[200, 7], "/S/ROOT N=200 (/S/A would repeat 200 times)"),
        ],
    );
    // The offset counts from the end of one to the start of the next.
    check(&with_repeat(&repeated(&count, 8)), &[(&[3, 4, 0, 5, 0, 6, 7], "/S/ROOT N=3 A=4 A=5 A=6 B=7")]);
    check(&with_repeat(&repeated(&count, -8)), &[(&[3, 4, 5], "/S/ROOT N=3 A=4 A=4 A=4 B=5")]);
    check(
        &with_repeat(&repeated(&count, -24)),
        &[(&[3, 4, 5], "/S/ROOT N=3 A=4 (/S/A would start 8 bits before the packet)")],
    );
    let half = dynamic("N", "0.5", "-1");
    check(
        &with_repeat(&repeated(&half, 0)),
        &[
            (&[6, 4, 5, 7], "/S/ROOT N=6 A=4 A=5 B=7"),
            (&[5, 4, 5, 7], "/S/ROOT N=5 (/S/A would repeat 1.5 times)"),
            (&[0, 7], "/S/ROOT N=0 (/S/A would repeat -1 times)"),
        ],
    );
}

#[test]
fn included_containers_repeat_with_all_they_hold() {
    let repeat = repeated(&dynamic("N", "1", "0"), 0);
    let again = format!("<ContainerRefEntry containerRef='PART'>{repeat}</ContainerRefEntry>");
    let part = container("PART", &[entry("A"), entry_with("B", &at("containerStart", &fixed(0)))].concat());
    let root = container("ROOT", &[entry("N"), again, entry("C")].concat());
    check(&with(&[root, part].concat()), &[(&[2, 4, 5, 6], "/S/ROOT N=2 A=4 B=4 A=5 B=5 C=6")]);
}

#[test]
fn locations_may_come_from_the_packet() {
    let entries = [
        entry("N"),
        entry_with("A", &at("containerStart", &dynamic("N", "8", "0"))),
        entry_with("B", &at("previousEntry", &dynamic("N", "-8", "0"))),
    ];
    check(
        &with(&container("ROOT", &entries.concat())),
        &[
            (&[1, 5, 6], "/S/ROOT N=1 A=5 B=5"),
            (&[2, 5, 6], "/S/ROOT N=2 A=6 B=5"),
            (&[3, 5, 6], "/S/ROOT N=3 (packet is too short for /S/A: it needs 32 bits, there are 24)"),
        ],
    );
    let broken = [entry("N"), entry_with("A", &at("previousEntry", &dynamic("N", "0.5", "0")))].concat();
    check(
        &with(&container("ROOT", &broken)),
        &[(&[1, 5, 6], "/S/ROOT N=1 (/S/A would be NaN bits long)"), (&[16, 5, 6], "/S/ROOT N=16 A=6")],
    );
    let before = [entry("N"), entry_with("A", &at("previousEntry", &dynamic("N", "-8", "0")))].concat();
    let expected = "/S/ROOT N=2 (/S/A would start 8 bits before the packet)";
    check(&with(&container("ROOT", &before)), &[(&[2, 5], expected), (&[1, 5], "/S/ROOT N=1 A=1")]);
}

#[test]
fn container_start_is_where_an_included_container_starts_also_behind_a_variable_field() {
    let part = container(
        "PART",
        &[entry("A"), entry("B"), entry_with("C", &at("containerStart", &fixed(0)))].concat(),
    );
    let root = container(
        "ROOT",
        &[&entry("N"), &entry("TEXT"), "<ContainerRefEntry containerRef='PART'/>", &entry("D")].concat(),
    );
    check(
        &with(&[root, part].concat()),
        &[
            (&[2, b'h', b'i', 7, 8], "/S/ROOT N=2 TEXT=\"hi\" A=7 B=8 C=7 D=8"),
            (&[0, 7, 8], "/S/ROOT N=0 TEXT=\"\" A=7 B=8 C=7 D=8"),
        ],
    );
}

#[test]
fn an_included_container_holds_what_its_bases_hold() {
    let criteria = "<Comparison parameterRef='A' value='99'/>";
    let containers = [
        container("ROOT", &["<ContainerRefEntry containerRef='LEAF'/>", &entry("D")].concat()),
        container("BASE", &entry("A")),
        derived("LEAF", "BASE", criteria, &entry("B")),
    ];
    // Its own criteria are not asked: the entry says that it is there.
    check(&with(&containers.concat()), &[(&[1, 2, 3], "/S/ROOT A=1 B=2 D=3")]);
}

#[test]
fn sizes_are_looked_up() {
    let entries = [entry("N"), entry("BLOB"), entry("A")].concat();
    check(
        &with(&container("ROOT", &entries)),
        &[
            (&[1, 0xAB, 7], "/S/ROOT N=1 BLOB=[ab] A=7"),
            (&[8, 0xAB, 0xCD, 7], "/S/ROOT N=8 BLOB=[ab, cd] A=7"),
            (&[9, 0xAB, 7], "/S/ROOT N=9 (/S/BLOB would be NaN bits long)"),
        ],
    );
}

#[test]
fn decoding_stops_at_an_entry_that_is_not_supported_yet_and_says_so() {
    let entries = [
        &entry("A"),
        "\n<IndirectParameterRefEntry><ParameterInstance parameterRef='A'/></IndirectParameterRefEntry>",
        &entry("B"),
    ];
    let dictionary = with(&container("ROOT", &entries.concat()));
    let mut into = DecodedPacket::default();
    let error = dictionary.decode(&[1, 2], &mut into).expect_err("it cannot be read");
    let line = dictionary.warnings()[0].line;
    assert_eq!(
        error,
        DecodeError::Unsupported { element: format!("IndirectParameterRefEntry in line {line}") }
    );
    assert_eq!((into.values.len(), into.bits), (1, 8));
    let warning = "IndirectParameterRefEntry is not supported yet: packets are decoded up to it only";
    assert_eq!(dictionary.warnings()[0].message, warning);
    assert_eq!(dictionary.warnings().len(), 1);
}

#[test]
fn decoding_may_start_at_any_container() {
    let containers = [
        container("ROOT", &entry("A")),
        derived("LEAF", "ROOT", "<Comparison parameterRef='A' value='1'/>", &entry("B")),
        container("OTHER", &entry("C")),
        derived("DEEP", "OTHER", "<Comparison parameterRef='C' value='3'/>", &entry("D")),
    ];
    let dictionary = with(&containers.concat());
    check(&dictionary, &[(&[1, 2], "/S/LEAF A=1 B=2"), (&[3, 4], "/S/ROOT A=3")]);
    let named = |name: &str| {
        let place = dictionary.containers().iter().position(|container| container.name == name);
        crate::ContainerIndex(place.expect("it is declared") as u32)
    };
    let mut into = DecodedPacket::default();
    for (start, end, values) in
        [("/S/OTHER", "/S/DEEP", 2), ("/S/ROOT", "/S/ROOT", 1), ("/S/DEEP", "/S/DEEP", 1)]
    {
        dictionary.decode_as(named(start), &[3, 4], &mut into).expect("two bytes are enough");
        assert_eq!((into.container, into.values.len()), (Some(named(end)), values), "from {start}");
    }
}

#[test]
fn containers_know_how_many_bits_never_vary() {
    let containers = [
        container("FIXED", &[entry("A"), entry_with("B", &at("containerStart", &fixed(24)))].concat()),
        derived("MORE", "FIXED", "", &entry("C")),
        container("VARIES", &[entry("N"), entry("TEXT")].concat()),
        container("MAYBE", &[entry("A"), entry_with("B", &when("A", "1"))].concat()),
    ];
    let dictionary = with(&containers.concat());
    let bits: Vec<_> = dictionary.containers().iter().map(|container| container.fixed_bits).collect();
    assert_eq!(bits, [Some(32), Some(40), None, None]);
}

#[test]
fn the_census_counts_what_is_declared() {
    let containers = [container("ROOT", &[entry("A"), entry("B")].concat()), container("OTHER", &entry("C"))];
    let xml =
        written(&containers.concat()).replace("</SpaceSystem>", "<SpaceSystem name='INNER'/></SpaceSystem>");
    let expected = Census { space_systems: 2, parameter_types: 3, parameters: 8, containers: 2, entries: 3 };
    assert_eq!(load(&xml).census(), expected);
}

#[test]
fn parameters_are_found_by_their_short_names() {
    let inner = "<SpaceSystem name='INNER'><TelemetryMetaData><ParameterSet><Parameter name='A' parameterTypeRef='U8'/>\
                 </ParameterSet></TelemetryMetaData></SpaceSystem></SpaceSystem>";
    let dictionary = load(&written("").replace("</SpaceSystem>", inner));
    let names = |short_name: &str| -> Vec<&str> {
        let found = dictionary.find_short(short_name).iter();
        found.map(|index| dictionary.parameter(*index).name.as_str()).collect()
    };
    assert_eq!(names("A"), ["/S/A", "/S/INNER/A"]);
    assert_eq!(names("B"), ["/S/B"]);
    assert!(names("NOBODY").is_empty() && names("").is_empty() && names("/S/A").is_empty());
}

#[test]
fn places_and_counts_that_cannot_be_are_refused() {
    let one = |more: &str| container("ROOT", &[entry("N"), entry_with("A", more)].concat());
    let twice = format!("<RepeatEntry><Count>{}{}</Count></RepeatEntry>", fixed(1), fixed(2));
    let moving = format!(
        "<RepeatEntry><Count>{}</Count><Offset>{}</Offset></RepeatEntry>",
        fixed(1),
        dynamic("N", "1", "0")
    );
    let early = at("containerStart", &fixed(-8));
    let cases = [
        (one(&repeated(&fixed(-1), 0)), "expected a count between 0 and 524336"),
        (one(&repeated(&fixed(1 << 31), 0)), "expected a count between 0 and 524336"),
        (one(&repeated("", 0)), "no FixedValue was found"),
        (one(&twice), "a second value was found; expected one for a count"),
        (one(&moving), "an offset from a parameter is not supported yet; expected FixedValue"),
        (one(&repeated(&dynamic("B", "1", "0"), 0)), "/S/B is not decoded before this point"),
        (one(&(early.clone() + &repeated(&fixed(1), 0))), "the entry is at bit -8"),
        (one(&early), "the entry is at bit -8; expected it to lie within 0 and 524336"),
        (one(&at("nextEntry", &fixed(8))), "expected containerStart or previousEntry"),
        (one(&at("containerStart", &fixed(524_337))), "expected a number of bits between -524336 and 524336"),
        (one(&when("B", "1")), "/S/B is not decoded before this point; expected one that is"),
        (container("ROOT", &entry("BLOB")), "/S/N is not decoded before this point"),
    ];
    for (containers, expected) in cases {
        let found = refusal(&written(&containers));
        assert!(found.contains(expected), "expected {expected}, found: {found}");
    }
}

#[test]
fn an_included_container_may_look_at_what_the_one_around_it_holds() {
    let part = [entry("TEXT"), entry_with("A", &when("N", "2"))].concat();
    let containers = [
        container("ROOT", &[entry("N"), "<ContainerRefEntry containerRef='PART'/>".to_owned()].concat()),
        container("PART", &part),
    ];
    check(
        &with(&containers.concat()),
        &[(&[2, b'h', b'i', 7], "/S/ROOT N=2 TEXT=\"hi\" A=7"), (&[0], "/S/ROOT N=0 TEXT=\"\"")],
    );
    // What nothing includes must still be able to stand alone.
    let alone = [container("ROOT", &entry("N")), container("PART", &part)].concat();
    assert!(refusal(&written(&alone)).contains("/S/N is not decoded before this point"));
}
