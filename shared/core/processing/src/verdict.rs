//! What can be found out about a received packet or sample: the meaning of each bit of [`Verdicts`], which travels and
//! is stored with the record.

use delivery::Verdicts;

/// Something that was found out about a received packet or sample.
///
/// The number of each is its bit in [`Verdicts`]. They lie on disks: a number never gets another meaning.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Verdict {
    /// The APID is not one that the link is configured for. Quarantined.
    ApidUnknown = 2,
    /// No concrete container of the dictionary fits. Quarantined.
    ContainerUnknown = 4,
    /// The packet error control does not fit the bytes before it. Quarantined.
    CrcMismatch = 3,
    /// There are more or fewer bytes than the header says. Quarantined.
    LengthMismatch = 1,
    /// The bytes do not begin with the header of a space packet. Quarantined.
    NotAPacket = 0,
    /// No parameter of the dictionary has the sample's name. Quarantined.
    ParameterUnknown = 6,
    /// It comes faster than the set rate.
    Rate = 18,
    /// The sequence count is that of the packet before.
    SequenceDuplicate = 9,
    /// Packets before this one did not arrive.
    SequenceGap = 8,
    /// The packet is older than the newest of its APID.
    SequenceLate = 10,
    /// The sequence counter has begun anew.
    SequenceReset = 11,
    /// It was made long before it was received.
    Stale = 15,
    /// It was made after it was received.
    TimeAhead = 14,
    /// It was made before 1990, by a clock that was never set.
    TimeBeforeFix = 13,
    /// The packet announces a time that cannot be read.
    TimeUnreadable = 12,
    /// A value is one that its type cannot say.
    TypeRange = 16,
    /// The packet ended, or could not be followed, before its container did. Quarantined.
    Undecodable = 5,
    /// A value lies outside the range that the dictionary calls valid.
    ValidRange = 17,
    /// The sample's value cannot be one of its parameter. Quarantined.
    ValueUnfit = 7,
}

/// Those that keep a record out of history until somebody has looked at it. All other verdicts only flag.
pub const QUARANTINED: Verdicts = Verdicts(
    Verdict::ApidUnknown.bit()
        | Verdict::ContainerUnknown.bit()
        | Verdict::CrcMismatch.bit()
        | Verdict::LengthMismatch.bit()
        | Verdict::NotAPacket.bit()
        | Verdict::ParameterUnknown.bit()
        | Verdict::Undecodable.bit()
        | Verdict::ValueUnfit.bit(),
);

impl Verdict {
    /// All, by number.
    pub const ALL: [Self; 19] = [
        Self::NotAPacket,
        Self::LengthMismatch,
        Self::ApidUnknown,
        Self::CrcMismatch,
        Self::ContainerUnknown,
        Self::Undecodable,
        Self::ParameterUnknown,
        Self::ValueUnfit,
        Self::SequenceGap,
        Self::SequenceDuplicate,
        Self::SequenceLate,
        Self::SequenceReset,
        Self::TimeUnreadable,
        Self::TimeBeforeFix,
        Self::TimeAhead,
        Self::Stale,
        Self::TypeRange,
        Self::ValidRange,
        Self::Rate,
    ];

    /// Stable name, as answers, events and queries have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ApidUnknown => "apid-unknown",
            Self::ContainerUnknown => "container-unknown",
            Self::CrcMismatch => "crc-mismatch",
            Self::LengthMismatch => "length-mismatch",
            Self::NotAPacket => "not-a-packet",
            Self::ParameterUnknown => "parameter-unknown",
            Self::Rate => "rate",
            Self::SequenceDuplicate => "sequence-duplicate",
            Self::SequenceGap => "sequence-gap",
            Self::SequenceLate => "sequence-late",
            Self::SequenceReset => "sequence-reset",
            Self::Stale => "stale",
            Self::TimeAhead => "time-ahead",
            Self::TimeBeforeFix => "time-before-fix",
            Self::TimeUnreadable => "time-unreadable",
            Self::TypeRange => "type-range",
            Self::Undecodable => "undecodable",
            Self::ValidRange => "valid-range",
            Self::ValueUnfit => "value-unfit",
        }
    }

    /// The verdict that has a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.code() == code)
    }

    /// What was found, in a sentence.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ApidUnknown => "The APID is not in the list of those that the link is configured for.",
            Self::ContainerUnknown => "No concrete container of the dictionary fits the packet.",
            Self::CrcMismatch => "The packet was changed on its way: its CRC-16 does not fit its bytes.",
            Self::LengthMismatch => "The packet has more or fewer bytes than its header says.",
            Self::NotAPacket => "The bytes do not begin with the primary header of a space packet.",
            Self::ParameterUnknown => "The dictionary in force has no parameter of this name.",
            Self::Rate => "Packets of the APID, or samples of the parameter, come faster than the set rate.",
            Self::SequenceDuplicate => "The packet has the sequence count of the newest one of its APID.",
            Self::SequenceGap => "Packets of the APID before this one did not arrive.",
            Self::SequenceLate => "The packet is older than the newest one of its APID.",
            Self::SequenceReset => "The APID's sequence counter has begun anew.",
            Self::Stale => "The generation time lies longer before the reception than the set span.",
            Self::TimeAhead => "The generation time lies longer after the reception than the set span.",
            Self::TimeBeforeFix => "The generation time lies before 1990, as of a clock that was never set.",
            Self::TimeUnreadable => "The packet announces a time that cannot be read or is not plausible.",
            Self::TypeRange => "A value has no label, is not a number, or lies outside its calibration.",
            Self::Undecodable => "The packet could not be decoded to the end of its container.",
            Self::ValidRange => "A value lies outside the range that the dictionary calls valid.",
            Self::ValueUnfit => "The value cannot be one of its parameter.",
        }
    }

    /// Whether it keeps a record out of history.
    pub fn is_quarantining(self) -> bool {
        QUARANTINED.contains(self.into())
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl From<Verdict> for Verdicts {
    fn from(verdict: Verdict) -> Self {
        Self(verdict.bit())
    }
}

/// The verdicts of a record, by number. Bits that a later version set are left out.
pub fn verdicts_in(verdicts: Verdicts) -> impl Iterator<Item = Verdict> {
    Verdict::ALL.into_iter().filter(move |verdict| verdicts.contains((*verdict).into()))
}

/// Why a record is quarantined: the first of its quarantining verdicts, by number, which is the order in which they are
/// looked for.
pub fn quarantine_cause(verdicts: Verdicts) -> Option<Verdict> {
    verdicts_in(verdicts).find(|verdict| verdict.is_quarantining())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_verdict_has_a_bit_a_code_and_a_sentence_of_its_own() {
        let codes: BTreeSet<_> = Verdict::ALL.iter().map(|verdict| verdict.code()).collect();
        let sentences: BTreeSet<_> = Verdict::ALL.iter().map(|verdict| verdict.describe()).collect();
        assert_eq!((codes.len(), sentences.len()), (Verdict::ALL.len(), Verdict::ALL.len()));
        for (verdict, number) in Verdict::ALL.into_iter().zip(0..) {
            assert_eq!(verdict as u8, number, "`ALL` is by number, without holes: {verdict:?}");
            assert_eq!(Verdict::from_code(verdict.code()), Some(verdict));
            assert!(verdict.describe().ends_with('.'), "{verdict:?}");
        }
    }

    #[test]
    fn numbers_on_disks_keep_their_meaning() {
        let numbered = Verdict::ALL.map(|verdict| format!("{}={}", verdict as u8, verdict.code()));
        assert_eq!(
            numbered.join(" "),
            "0=not-a-packet 1=length-mismatch 2=apid-unknown 3=crc-mismatch 4=container-unknown 5=undecodable \
             6=parameter-unknown 7=value-unfit 8=sequence-gap 9=sequence-duplicate 10=sequence-late \
             11=sequence-reset 12=time-unreadable 13=time-before-fix 14=time-ahead 15=stale 16=type-range \
             17=valid-range 18=rate"
        );
        assert_eq!(QUARANTINED, Verdicts(0xFF));
    }

    #[test]
    fn the_cause_of_a_quarantine_is_its_first_quarantining_verdict() {
        let verdicts = Verdicts::from(Verdict::Rate).with(Verdict::Undecodable.into());
        assert_eq!(quarantine_cause(verdicts), Some(Verdict::Undecodable));
        let verdicts = verdicts.with(Verdict::ContainerUnknown.into());
        assert_eq!(quarantine_cause(verdicts), Some(Verdict::ContainerUnknown));
        assert_eq!(quarantine_cause(Verdict::SequenceGap.into()), None);
        assert_eq!(quarantine_cause(Verdicts::NONE), None);
    }

    #[test]
    fn bits_of_a_later_version_are_passed_over() {
        let verdicts = Verdicts(1 << 31).with(Verdict::Stale.into());
        assert_eq!(verdicts_in(verdicts).collect::<Vec<_>>(), [Verdict::Stale]);
    }
}
