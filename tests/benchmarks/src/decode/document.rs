//! XTCE text, written element by element.

use std::fmt::Write;

/// The primary header and a CDS time: name, bits.
const PRIMARY_HEADER: [(&str, u32); 7] = [
    ("VERSION", 3),
    ("TYPE", 1),
    ("SEC_HDR_FLG", 1),
    ("PKT_APID", 11),
    ("SEQ_FLGS", 2),
    ("SRC_SEQ_CTR", 14),
    ("PKT_LEN", 16),
];
const SECONDARY_HEADER: [(&str, u32); 3] = [("DAY", 16), ("MSEC", 32), ("USEC", 16)];

/// How many parameters every packet begins with.
pub(crate) const HEADER_PARAMETERS: usize = PRIMARY_HEADER.len() + SECONDARY_HEADER.len();

/// A dictionary that is being written.
pub(crate) struct Document {
    types: String,
    parameters: String,
    containers: String,
    /// Of the container that is being written.
    entries: String,
}

/// How the bits of a number are to be read.
pub(crate) enum Encoding<'a> {
    Float {
        bits: u32,
    },
    Signed {
        bits: u32,
    },
    Unsigned {
        bits: u32,
    },
    /// With a polynomial, the constant term first.
    UnsignedCalibrated {
        bits: u32,
        coefficients: &'a [f64],
    },
}

/// Ranges of good values with their XTCE names, the mildest first.
pub(crate) type Limits = [(&'static str, f64, f64)];

impl Document {
    /// A document with an abstract container of the headers.
    pub(crate) fn new() -> Self {
        let mut document = Document {
            types: String::new(),
            parameters: String::new(),
            containers: String::new(),
            entries: String::new(),
        };
        for (name, bits) in PRIMARY_HEADER {
            document.parameter(name, "Integer", &Encoding::Unsigned { bits }, &[]);
        }
        for (name, bits) in SECONDARY_HEADER {
            document.parameter(name, "Float", &Encoding::Unsigned { bits }, &[]);
        }
        let entries = std::mem::take(&mut document.entries);
        document.containers = format!(
            r#"<SequenceContainer name="CCSDSPacket" abstract="true"><EntryList>{entries}</EntryList></SequenceContainer>"#
        );
        document
    }

    /// Declares a parameter with a type of its own (XTCE `FloatParameterType`, say) and adds it to the container.
    pub(crate) fn parameter(&mut self, name: &str, kind: &str, encoding: &Encoding<'_>, limits: &Limits) {
        let types = &mut self.types;
        push(types, format_args!(r#"<{kind}ParameterType name="{name}_T"><UnitSet/>"#));
        match encoding {
            Encoding::Float { bits } => {
                push(types, format_args!(r#"<FloatDataEncoding sizeInBits="{bits}" encoding="IEEE754"/>"#));
            }
            Encoding::Signed { bits } => push(
                types,
                format_args!(r#"<IntegerDataEncoding sizeInBits="{bits}" encoding="twosComplement"/>"#),
            ),
            Encoding::Unsigned { bits } => {
                push(
                    types,
                    format_args!(r#"<IntegerDataEncoding sizeInBits="{bits}" encoding="unsigned"/>"#),
                );
            }
            Encoding::UnsignedCalibrated { bits, coefficients } => {
                push(types, format_args!(r#"<IntegerDataEncoding sizeInBits="{bits}" encoding="unsigned">"#));
                push_polynomial(types, coefficients);
                types.push_str("</IntegerDataEncoding>");
            }
        }
        push_limits(types, limits);
        push(types, format_args!("</{kind}ParameterType>"));
        push(&mut self.parameters, format_args!(r#"<Parameter name="{name}" parameterTypeRef="{name}_T"/>"#));
        push(&mut self.entries, format_args!(r#"<ParameterRefEntry parameterRef="{name}"/>"#));
    }

    /// Ends the container of packets of an APID.
    pub(crate) fn end_container(&mut self, apid: u16) {
        let entries = std::mem::take(&mut self.entries);
        push(
            &mut self.containers,
            format_args!(
                r#"<SequenceContainer name="KIND_{apid}"><EntryList>{entries}</EntryList><BaseContainer containerRef="CCSDSPacket"><RestrictionCriteria><Comparison parameterRef="PKT_APID" value="{apid}" useCalibratedValue="false"/></RestrictionCriteria></BaseContainer></SequenceContainer>"#
            ),
        );
    }

    pub(crate) fn finish(self) -> String {
        let Document { types, parameters, containers, .. } = self;
        format!(
            r#"<SpaceSystem xmlns="http://www.omg.org/spec/XTCE/20180204" name="BENCH"><TelemetryMetaData><ParameterTypeSet>{types}</ParameterTypeSet><ParameterSet>{parameters}</ParameterSet><ContainerSet>{containers}</ContainerSet></TelemetryMetaData></SpaceSystem>"#
        )
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes everything");
}

fn push_polynomial(text: &mut String, coefficients: &[f64]) {
    text.push_str("<DefaultCalibrator><PolynomialCalibrator>");
    for (exponent, coefficient) in coefficients.iter().enumerate() {
        push(text, format_args!(r#"<Term coefficient="{coefficient}" exponent="{exponent}"/>"#));
    }
    text.push_str("</PolynomialCalibrator></DefaultCalibrator>");
}

fn push_limits(text: &mut String, limits: &Limits) {
    if limits.is_empty() {
        return;
    }
    text.push_str("<DefaultAlarm><StaticAlarmRanges>");
    for (severity, low, high) in limits {
        push(text, format_args!(r#"<{severity}Range minInclusive="{low}" maxInclusive="{high}"/>"#));
    }
    text.push_str("</StaticAlarmRanges></DefaultAlarm>");
}
