//! What is checked of a document's bytes before automerge reads them: it inflates columns and follows counts without a
//! bound of its own (260 KB became 790 MB). Our documents are one chunk that is not packed, so whatever is packed is
//! none of ours, and a count over its bounds is refused before anything follows it.
//!
//! The form is automerge's binary document format: a header, actors, heads, two lists of columns, and their bytes.

use crate::DOCUMENT_BYTES_MAX;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHECKSUM_BYTES: usize = 4;
const DOCUMENT_CHUNK: u8 = 0;
const HASH_BYTES: usize = 32;
const PACKED: u64 = 0b1000;
/// Rows of a column: a document is written anew long before it has as many.
const ROWS_MAX: u64 = 250_000;
/// Columns of a list; automerge has 17 for operations.
const COLUMNS_MAX: u64 = 64;

/// Why a document is not loaded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It is no document, or ends too early.
    #[error("the bytes are no document of ours")]
    Form,
    /// It is packed, which ours are not.
    #[error("the document is packed; ours are not, and how large it would become is not known")]
    Packed,
    /// It says that it has more than documents have.
    #[error("the document says that it has {found} {what}, and at most {most} are read")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many there may be.
        most: u64,
    },
}

fn bounded(what: &'static str, found: u64, most: u64) -> Result<u64, Refused> {
    if found > most { Err(Refused::TooLarge { what, found, most }) } else { Ok(found) }
}

/// Whether a document may be loaded.
pub(crate) fn admit(bytes: &[u8]) -> Result<(), Refused> {
    bounded("bytes", bytes.len() as u64, DOCUMENT_BYTES_MAX as u64)?;
    let mut rest = Reader(bytes);
    if rest.take(MAGIC.len() as u64)? != MAGIC {
        return Err(Refused::Form);
    }
    rest.take(CHECKSUM_BYTES as u64)?;
    if rest.take(1)? != [DOCUMENT_CHUNK] {
        return Err(Refused::Form);
    }
    let length = rest.unsigned()?;
    // What follows the first chunk would be other chunks, which ours do not have.
    if length != rest.0.len() as u64 {
        return Err(Refused::Form);
    }
    for _ in 0..bounded("authors of changes", rest.unsigned()?, ROWS_MAX)? {
        let length = rest.unsigned()?;
        rest.take(length)?;
    }
    for _ in 0..bounded("newest changes", rest.unsigned()?, ROWS_MAX)? {
        rest.take(HASH_BYTES as u64)?;
    }
    let mut columns = rest.columns()?;
    columns.extend(rest.columns()?);
    for (specification, length) in columns {
        if specification & PACKED != 0 {
            return Err(Refused::Packed);
        }
        let column = rest.take(length)?;
        bounded("rows", rows(Encoding::of(specification), Reader(column))?, ROWS_MAX)?;
    }
    Ok(())
}

/// How a column is written, as the lowest three bits of its specification say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Encoding {
    Booleans,
    Bytes,
    Groups,
    Signed,
    Texts,
    Unsigned,
}

impl Encoding {
    fn of(specification: u64) -> Self {
        match specification & 0b111 {
            0 => Self::Groups,
            3 => Self::Signed,
            4 => Self::Booleans,
            5 => Self::Texts,
            7 => Self::Bytes,
            _ => Self::Unsigned,
        }
    }
}

/// How many rows a column has; of groups, or how many rows of other columns they stand for, if that is more.
fn rows(encoding: Encoding, mut column: Reader<'_>) -> Result<u64, Refused> {
    let (mut rows, mut grouped) = (0_u64, 0_u64);
    while encoding != Encoding::Bytes && !column.0.is_empty() {
        if encoding == Encoding::Booleans {
            rows = rows.saturating_add(column.unsigned()?);
            continue;
        }
        // A run: so many equal values; with a minus so many different ones; or zero and how many nulls.
        let run = column.signed()?;
        let (values, each) = match run {
            0 => {
                rows = rows.saturating_add(column.unsigned()?);
                continue;
            }
            1.. => (1, run.unsigned_abs()),
            _ => (run.unsigned_abs(), 1),
        };
        rows = rows.saturating_add(run.unsigned_abs());
        for _ in 0..values {
            match encoding {
                Encoding::Signed => drop(column.signed()?),
                Encoding::Texts => {
                    let length = column.unsigned()?;
                    column.take(length)?;
                }
                _ => grouped = grouped.saturating_add(column.unsigned()?.saturating_mul(each)),
            }
        }
    }
    Ok(if encoding == Encoding::Groups { rows.max(grouped) } else { rows })
}

/// Bytes that are still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], Refused> {
        let count = usize::try_from(count).map_err(|_| Refused::Form)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Refused::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The groups of seven bits of a LEB128 number, lowest first, and how many bits there are.
    fn leb128(&mut self) -> Result<(u64, u32), Refused> {
        let (mut number, mut bits) = (0, 0);
        loop {
            // The tenth byte has the last bit of 64.
            if bits > 63 {
                return Err(Refused::Form);
            }
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << bits;
            bits += 7;
            if byte & 0x80 == 0 {
                return Ok((number, bits));
            }
        }
    }

    fn unsigned(&mut self) -> Result<u64, Refused> {
        self.leb128().map(|(number, _)| number)
    }

    fn signed(&mut self) -> Result<i64, Refused> {
        let (number, bits) = self.leb128()?;
        let is_negative = bits < 64 && number >> (bits - 1) & 1 == 1;
        Ok(if is_negative { (number | u64::MAX << bits).cast_signed() } else { number.cast_signed() })
    }

    /// Specification and length of each column of a list.
    fn columns(&mut self) -> Result<Vec<(u64, u64)>, Refused> {
        let count = bounded("columns", self.unsigned()?, COLUMNS_MAX)?;
        (0..count).map(|_| Ok((self.unsigned()?, self.unsigned()?))).collect()
    }
}
