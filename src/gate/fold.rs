//! Characters that look like others, as the gate reads them.
//!
//! Always: a character that stands for itself folds to nothing new; ASCII is never asked about.

use unicode_normalization::UnicodeNormalization;

/// What a character that is not ASCII says, if that is something else.
pub enum Folded {
    Gone,
    Ascii(char),
}

/// First digits of the scripts whose digits people write numbers in.
const ZEROS: [u32; 14] =
    [0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50, 0x0ed0];

/// Letters of other alphabets in the form of Latin ones.
const ALIKE: [(char, char); 44] = [
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('х', 'x'),
    ('у', 'y'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ѕ', 's'),
    ('һ', 'h'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('Х', 'X'),
    ('У', 'Y'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('Ѕ', 'S'),
    ('ο', 'o'),
    ('α', 'a'),
    ('ν', 'v'),
    ('ι', 'i'),
    ('ρ', 'p'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
];

/// Whether a letter only counts as a Latin one beside Latin letters.
pub fn is_alike(c: char) -> bool {
    matches!(u32::from(c), 0x370..=0x52f) && ALIKE.iter().any(|(other, _)| *other == c)
}

pub fn fold(c: char) -> Option<Folded> {
    let code = u32::from(c);
    match code {
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180e => return Some(Folded::Gone),
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff => return Some(Folded::Gone),
        0xe0000..=0xe0fff => return Some(Folded::Gone),
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => return Some(Folded::Ascii(' ')),
        0x2010..=0x2015 | 0x2212 | 0xfe58 | 0xfe63 => return Some(Folded::Ascii('-')),
        0x2024 | 0x3002 | 0xff61 | 0xb7 => return Some(Folded::Ascii('.')),
        0x370..=0x52f => return ALIKE.iter().find(|(other, _)| *other == c).map(|(_, latin)| Folded::Ascii(*latin)),
        _ => {}
    }
    if let Some(zero) = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)) {
        return char::from_digit(code - zero, 10).map(Folded::Ascii);
    }
    // Squares, circles, full width, mathematical letters, super- and subscripts, letter-like signs.
    let compatible = matches!(code, 0xb2 | 0xb3 | 0xb9 | 0x2070..=0x209f | 0x2100..=0x214f | 0x2460..=0x24ff
        | 0xfe50..=0xfe6f | 0xff01..=0xff5e | 0x1d400..=0x1d7ff | 0x1f100..=0x1f1ff | 0x1fbf0..=0x1fbf9);
    let mut normal = compatible.then(|| std::iter::once(c).nfkc())?;
    match (normal.next(), normal.next()) {
        (Some(one), None) if one.is_ascii() => Some(Folded::Ascii(one)),
        _ => None,
    }
}
