//! CCSDS time codes: what reads as a time is written again, and reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use space_packet::time::cds::{DayField, EpochDay, Layout, Submilliseconds};
use space_packet::time::{TaiTime, UtcTime, cuc, p_field};

fuzz_target!(|bytes: &[u8]| {
    let Some((&form, code)) = bytes.split_first() else { return };
    with_p_field(form, code);
    cuc_time(form, code);
    cds_time(form, code);
    if let Ok(text) = std::str::from_utf8(code)
        && let Ok(time) = UtcTime::parse(text)
    {
        let _ = time.to_tai().to_utc();
    }
});

fn with_p_field(form: u8, code: &[u8]) {
    // 2000-01-01T00:00:00 UTC, a midnight as CDS asks for.
    let agency = (form & 1 == 1).then(|| TaiTime::from_unix_nanos(946_684_800_000_000_000));
    let Ok(time) = p_field::decode(agency, code) else { return };
    let (field, _) = p_field::PField::parse(code).expect("it was read before");
    let written = field.encode_time(agency, time).expect("what was read can be written");
    assert_eq!(p_field::decode(agency, &written), Ok(time));
}

fn cuc_time(form: u8, code: &[u8]) {
    let Ok(layout) = cuc::Layout::new(form & 7, form >> 3 & 15) else { return };
    let Ok(time) = layout.decode_since(cuc::CCSDS_EPOCH, code) else { return };
    let written = layout.encode_since(cuc::CCSDS_EPOCH, time).expect("what was read can be written");
    assert_eq!(layout.decode_since(cuc::CCSDS_EPOCH, &written), Ok(time));
}

fn cds_time(form: u8, code: &[u8]) {
    let day = if form & 1 == 0 { DayField::Bits16 } else { DayField::Bits24 };
    let forms = [Submilliseconds::None, Submilliseconds::Microseconds, Submilliseconds::Picoseconds];
    let layout = Layout { day, submilliseconds: forms[usize::from(form >> 1 & 3) % 3] };
    let Ok(time) = layout.decode_since(EpochDay::CCSDS, code) else { return };
    let written = layout.encode_since(EpochDay::CCSDS, time).expect("what was read can be written");
    assert_eq!(layout.decode_since(EpochDay::CCSDS, &written), Ok(time));
}
