//! How ids and moments are written: for people (JSON) as hexadecimal digits and RFC 3339, for machines as bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use space_packet::{TaiTime, UtcTime};

fn to_hexadecimal(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}

fn from_hexadecimal(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

/// 16 bytes, for people as 32 hexadecimal digits.
struct Digits([u8; 16]);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&to_hexadecimal(&self.0))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 16]>::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        let id = from_hexadecimal(&text);
        id.map(Self).ok_or_else(|| D::Error::custom("an id is not 32 hexadecimal digits"))
    }
}

/// A moment, for people in UTC.
struct Moment(TaiTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&self.0)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return TaiTime::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        UtcTime::parse(&text).map(|utc| Self(utc.to_tai())).map_err(D::Error::custom)
    }
}

/// A type of the core that is written through one of this module, and the module for its field.
macro_rules! written_as {
    ($module:ident, $type:ty, $form:ident, $to:expr, $from:expr) => {
        pub(super) mod $module {
            use super::*;

            pub(in crate::alarm) fn serialize<S: Serializer>(
                value: &$type,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                let convert: fn(&$type) -> $form = $to;
                convert(value).serialize(to)
            }

            pub(in crate::alarm) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<$type, D::Error> {
                let convert: fn($form) -> $type = $from;
                $form::deserialize(from).map(convert)
            }
        }
    };
}

type DigitsOption = Option<Digits>;
type MomentOption = Option<Moment>;

written_as!(hexadecimal, [u8; 16], Digits, |id| Digits(*id), |digits| digits.0);
written_as!(node, delivery::NodeId, Digits, |node| Digits(node.0), |digits| delivery::NodeId(digits.0));
written_as!(
    node_option,
    Option<delivery::NodeId>,
    DigitsOption,
    |node| node.map(|node| Digits(node.0)),
    |digits| digits.map(|digits| delivery::NodeId(digits.0))
);
written_as!(moment, TaiTime, Moment, |moment| Moment(*moment), |moment| moment.0);
written_as!(moment_option, Option<TaiTime>, MomentOption, |moment| moment.map(Moment), |moment| moment
    .map(|moment| moment.0));
written_as!(generation, space_packet::GenerationTime, Moment, |generation| Moment(generation.0), |moment| {
    space_packet::GenerationTime(moment.0)
});
