//! As much of Thrift's compact protocol as is needed to look before the Parquet reader leaps: the
//! sizes that a page header claims, and whether a footer is what it says it is.
//!
//! The reader allocates and recurses by what the file says. What is checked here keeps both within
//! what the file can hold.
//!
//! Always: answers nothing for bytes that are not whole; never reads beyond them.

/// What a page header claims (parquet-format, `PageHeader`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub uncompressed_bytes: u64,
    pub compressed_bytes: u64,
    /// Values with the nulls among them; each takes memory once decoded, also where it takes no byte.
    pub values: u64,
    /// The longest text in the header itself.
    pub claimed_bytes: u64,
}

/// Groups inside groups in a schema, at most. A list takes two levels, so this is more than the
/// deepest JSON that is read; the reader calls itself once or more for each.
const MOST_LEVELS: usize = 300;
/// Structures inside structures in a footer; the format has fewer than ten levels.
const MOST_NESTED: u32 = 32;

const BOOL_TRUE: u8 = 1;
const BOOL_FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// The sizes at the front of a page header; nothing if the bytes are none. Statistics behind them
/// may be cut off.
pub fn page(bytes: &[u8]) -> Option<Page> {
    let mut at = Compact { bytes, claimed_bytes: 0 };
    let mut page = Page::default();
    let (mut id, mut sized) = (0, 0);
    while let Some(Some(kind)) = at.field(&mut id) {
        let seen = match (id, kind) {
            (2, I32) => at.size().map(|bytes| (page.uncompressed_bytes, sized) = (bytes, sized + 1)),
            (3, I32) => at.size().map(|bytes| (page.compressed_bytes, sized) = (bytes, sized + 1)),
            // Data page, dictionary page, data page of version 2: each begins with its values.
            (5 | 7 | 8, STRUCT) => at.values(&mut page.values),
            (_, kind) => at.skip(kind, MOST_NESTED),
        };
        if seen.is_none() {
            break;
        }
    }
    page.claimed_bytes = at.claimed_bytes;
    (sized == 2).then_some(page)
}

/// Whether a footer (`FileMetaData`) is whole, claims no more elements than it has bytes, and its
/// schema is no deeper than the reader can follow.
pub fn is_sound(footer: &[u8]) -> bool {
    let mut at = Compact { bytes: footer, claimed_bytes: 0 };
    at.footer().is_some()
}

struct Compact<'a> {
    bytes: &'a [u8],
    claimed_bytes: u64,
}

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A zigzag integer of any width.
    fn int(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// An integer that counts something.
    fn size(&mut self) -> Option<u64> {
        u64::try_from(self.int()?).ok()
    }

    fn pass(&mut self, n: u64) -> Option<()> {
        self.claimed_bytes = self.claimed_bytes.max(n);
        self.bytes = self.bytes.get(usize::try_from(n).ok()?..)?;
        Some(())
    }

    /// The kind of the next field, whose number goes to `id`; inner nothing at a structure's end.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *id = if head >> 4 == 0 { self.int()? } else { *id + i64::from(head >> 4) };
        Some(Some(head & 0x0f))
    }

    /// Elements and their kind; no more than there are bytes, since each takes at least one.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        (length <= self.bytes.len() as u64).then_some((length, head & 0x0f))
    }

    fn skip(&mut self, kind: u8, levels: u32) -> Option<()> {
        let levels = levels.checked_sub(1)?;
        match kind {
            BOOL_TRUE | BOOL_FALSE => {}
            BYTE => drop(self.byte()?),
            I16..=I64 => drop(self.varint()?),
            DOUBLE => self.pass(8)?,
            BINARY => {
                let length = self.varint()?;
                self.pass(length)?;
            }
            LIST | SET => {
                let (length, kind) = self.list()?;
                (0..length).try_for_each(|_| self.element(kind, levels))?;
            }
            MAP => {
                let length = self.varint()?;
                let kinds = if length == 0 { 0 } else { self.byte()? };
                (0..length).try_for_each(|_| {
                    self.element(kinds >> 4, levels)?;
                    self.element(kinds & 0x0f, levels)
                })?;
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, levels)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// In a list a boolean takes a byte; in a field it lies in the head.
    fn element(&mut self, kind: u8, levels: u32) -> Option<()> {
        if matches!(kind, BOOL_TRUE | BOOL_FALSE) { self.pass(1) } else { self.skip(kind, levels) }
    }

    /// Runs through the header of a data or dictionary page.
    fn values(&mut self, values: &mut u64) -> Option<()> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if (id, kind) == (1, I32) { *values = self.size()? } else { self.skip(kind, MOST_NESTED)? }
        }
        Some(())
    }

    fn footer(&mut self) -> Option<()> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if (id, kind) == (2, LIST) { self.schema()? } else { self.skip(kind, MOST_NESTED)? }
        }
        Some(())
    }

    /// The schema as a list in the order of a walk, each element with its number of children.
    fn schema(&mut self) -> Option<()> {
        let (length, kind) = self.list()?;
        // Children still to come, of the groups that are open.
        let mut open: Vec<u64> = Vec::new();
        for _ in 0..length {
            let children = if kind == STRUCT { self.children()? } else { return None };
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            if children > length || open.len() > MOST_LEVELS {
                return None;
            }
        }
        Some(())
    }

    /// Runs through one `SchemaElement`.
    fn children(&mut self) -> Option<u64> {
        let (mut id, mut children) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            if (id, kind) == (5, I32) { children = self.size()? } else { self.skip(kind, MOST_NESTED)? }
        }
        Some(children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PageHeader` of a data page: type 0, sizes 300 and 100, 7 values.
    const DATA_PAGE: [u8; 13] = [0x15, 0, 0x15, 0xd8, 0x04, 0x15, 0xc8, 0x01, 0x2c, 0x15, 14, 0, 0];

    #[test]
    fn page_headers_tell_their_sizes() {
        let expected = Page { uncompressed_bytes: 300, compressed_bytes: 100, values: 7, claimed_bytes: 0 };
        assert_eq!(page(&DATA_PAGE), Some(expected));
        for cut in 0..8 {
            assert_eq!(page(&DATA_PAGE[..cut]), None);
        }
        // Statistics (a structure with a text) that claim 2^40 bytes.
        let claim = [&DATA_PAGE[..11], &[0x4c, 0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]].concat();
        assert_eq!(page(&claim).map(|page| page.claimed_bytes), Some(1 << 40));
        // Sizes below zero, and text.
        assert_eq!(page(&[0x15, 0, 0x15, 1, 0x15, 2, 0]), None);
        assert_eq!(page(b"{\"role\": \"user\"}"), None);
    }

    /// A footer whose schema is `groups` groups, each in the one before.
    fn nested(groups: usize, children: u8) -> Vec<u8> {
        let mut bytes = vec![0x15, 2, 0x19, 0xfc];
        let mut n = groups;
        while n >= 0x80 {
            bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        bytes.push(n as u8);
        bytes.extend([0x55, children, 0].repeat(groups));
        bytes.push(0);
        bytes
    }

    #[test]
    fn footers_are_sound_or_not() {
        assert!(is_sound(&nested(200, 2)));
        assert!(!is_sound(&nested(100_000, 2)), "too deep");
        assert!(!is_sound(&nested(3, 100)), "more children than elements");
        let whole = nested(20, 2);
        assert!((0..whole.len()).all(|cut| !is_sound(&whole[..cut])));
        // A list that claims 2^31 elements.
        assert!(!is_sound(&[0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0]));
        assert!(!is_sound(&[0x1c; 4000]), "structures without end");
    }
}
