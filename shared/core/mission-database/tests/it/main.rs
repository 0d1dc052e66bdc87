//! How much memory decoding a packet takes, whatever the packet says.
//!
//! What a packet decodes to is larger than the packet: a value takes `size_of::<DecodedValue>()` bytes (72), however
//! few bits it has. So memory is bounded by the number of values, which is bounded by the packet:
//!
//! - Outside of repeated entries there are at most as many values as the matched containers have entries.
//! - Repeated entries have at most one value for each bit of the packet, and two lists or lengths of lists.
//! - Texts and bytes that are copied take at most 16 times the packet, outside of entries that overlap.
//!
//! A vector that grows holds its old and its new memory for a moment, and the new one may be half empty: three times
//! what it holds. So 16 times the packet is enough where fields have 108 bits or more, and is exceeded by all others:
//! fields of 32 bits take up to 54 times the packet, of 8 bits 216 times. The worst case is an array of single bits, or
//! of fields without bits: 8 values for each byte of the packet, which is 1,728 times the packet while it grows and
//! 576 times for the values alone. The longest packet there is, 65,542 bytes, then takes 113 MB.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mission_database::{DecodedComposite, DecodedPacket, DecodedValue, Dictionary};
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What is allocated is counted for all threads together, so tests run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const GROWTH: usize = 3;
/// Registers, marks, and the text of an error.
const FIXED_BYTES: usize = 4_096;

struct Measured {
    peak_bytes: usize,
    values: usize,
    lists: usize,
}

fn measure(dictionary: &Dictionary, packet: &[u8]) -> Measured {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let mut into = DecodedPacket::default();
    // How it ends does not matter here.
    drop(dictionary.decode(packet, &mut into));
    let peak_bytes = ALLOCATOR.peak_usage() - before;
    Measured { peak_bytes, values: into.values.len(), lists: into.composites.len() + into.lengths.len() }
}

/// Fails when a packet takes more than it may.
fn check(dictionary: &Dictionary, packet: &[u8]) -> Measured {
    let measured = measure(dictionary, packet);
    let entries = dictionary.census().entries;
    let bits = packet.len() * 8;
    assert!(measured.values <= entries + bits, "{} values in {bits} bits", measured.values);
    assert!(measured.lists <= 2 * (entries + bits), "{} lists in {bits} bits", measured.lists);
    let values_bytes = GROWTH * size_of::<DecodedValue<'_>>() * measured.values.max(entries);
    let lists_bytes = GROWTH * size_of::<DecodedComposite>() * measured.lists;
    let allowed = values_bytes + lists_bytes + 16 * packet.len() + FIXED_BYTES;
    assert!(measured.peak_bytes <= allowed, "{} bytes of {allowed}", measured.peak_bytes);
    measured
}

/// A count of 32 bits, then what the packet says there is so often.
fn counted(types: &str, element: &str) -> Dictionary {
    let xml = format!(
        "<SpaceSystem name='S'><TelemetryMetaData><ParameterTypeSet>{types}\
         <IntegerParameterType name='Count'><IntegerDataEncoding sizeInBits='32'/></IntegerParameterType>\
         <ArrayParameterType name='List' arrayTypeRef='{element}'><DimensionList><Dimension><EndingIndex><DynamicValue>\
         <ParameterInstanceRef parameterRef='N'/><LinearAdjustment intercept='-1'/></DynamicValue></EndingIndex></Dimension>\
         </DimensionList></ArrayParameterType></ParameterTypeSet><ParameterSet><Parameter name='N' parameterTypeRef='Count'/>\
         <Parameter name='LIST' parameterTypeRef='List'/></ParameterSet><ContainerSet><SequenceContainer name='C'><EntryList>\
         <ParameterRefEntry parameterRef='N'/><ParameterRefEntry parameterRef='LIST'/></EntryList></SequenceContainer>\
         </ContainerSet></TelemetryMetaData></SpaceSystem>"
    );
    Dictionary::from_xtce("memory.xml", &xml).expect("the dictionary is good")
}

fn integer(bits: u32) -> String {
    format!(
        "<IntegerParameterType name='Element'><IntegerDataEncoding sizeInBits='{bits}'/></IntegerParameterType>"
    )
}

fn binary(size: &str) -> String {
    format!(
        "<BinaryParameterType name='Element'><BinaryDataEncoding><SizeInBits>{size}</SizeInBits></BinaryDataEncoding>\
         </BinaryParameterType>"
    )
}

fn text(charset: &str) -> String {
    format!(
        "<StringParameterType name='Element'><StringDataEncoding encoding='{charset}'><Variable maxSizeInBits='524288'>\
         <TerminationChar>0000</TerminationChar></Variable></StringDataEncoding></StringParameterType>"
    )
}

/// Everything that a packet can have much of.
fn dictionaries() -> Vec<(&'static str, Dictionary)> {
    let bit = integer(1).replace("Element", "Bit");
    let shifted = format!(
        "{bit}{}<AggregateParameterType name='Both'><MemberList><Member name='bit' typeRef='Bit'/><Member name='it' \
         typeRef='Element'/></MemberList></AggregateParameterType>",
        binary("<FixedValue>8000</FixedValue>")
    );
    let empty = format!("{}<AggregateParameterType name='Nothing'/>", binary("<FixedValue>0</FixedValue>"));
    let table = format!(
        "{bit}<ArrayParameterType name='Row' arrayTypeRef='Bit'><DimensionList><Dimension><EndingIndex><FixedValue>0\
         </FixedValue></EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    );
    vec![
        ("single bits", counted(&bit, "Bit")),
        ("rows of a single bit", counted(&table, "Row")),
        ("nothing", counted(&empty, "Nothing")),
        ("fields without bits", counted(&empty, "Element")),
        ("bytes", counted(&integer(8), "Element")),
        ("words", counted(&integer(32), "Element")),
        ("bytes that are copied", counted(&shifted, "Both")),
        ("UTF-8", counted(&text("UTF-8"), "Element")),
        ("UTF-16", counted(&text("UTF-16BE"), "Element")),
        ("ISO-8859-1", counted(&text("ISO-8859-1"), "Element")),
    ]
}

/// How long, and what stands in them.
const PACKETS: [(usize, u8); 6] =
    [(4, 0), (100, 0xFF), (4_096, 0), (4_096, b'a'), (4_096, 0xFF), (65_542, 0xFF)];

#[test]
fn a_packet_that_lies_takes_no_more_memory_than_its_bits_allow() {
    let _alone = alone();
    for (what, dictionary) in dictionaries() {
        for (length, filler) in PACKETS {
            let mut worst = Measured { peak_bytes: 0, values: 0, lists: 0 };
            for count in [0, length as u32, 8 * length as u32 - 32, u32::MAX] {
                let mut packet = vec![filler; length];
                packet[..4].copy_from_slice(&count.to_be_bytes());
                let measured = check(&dictionary, &packet);
                worst = if measured.peak_bytes > worst.peak_bytes { measured } else { worst };
            }
            println!(
                "{what}, {length} bytes of {filler:#04x}: {} bytes at most ({} for each), {} values",
                worst.peak_bytes,
                worst.peak_bytes / length,
                worst.values
            );
        }
    }
}

#[test]
fn any_packet_takes_no_more_memory_than_its_bits_allow() {
    let _alone = alone();
    let dictionaries = dictionaries();
    let packets = (0..dictionaries.len(), prop::collection::vec(any::<u8>(), 0..600), 0_u32..6_000);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&packets, |(which, mut packet, count)| {
        if let Some(said) = packet.first_chunk_mut::<4>() {
            *said = count.to_be_bytes();
        }
        check(&dictionaries[which].1, &packet);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
