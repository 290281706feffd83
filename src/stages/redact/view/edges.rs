//! How texts begin and end, as far as it says whether a value may be cut there.
//!
//! Not here: whether two ends make one value (`joined`).
//!
//! Always: a bounded number of bytes at either end is read; most texts meet no other.

/// How far into either side of a cut is looked; further where a row of a token goes on.
pub(super) const BEFORE_BYTES: usize = 120;
pub(super) const AFTER_BYTES: usize = 64;

/// A value may be cut before or behind it.
pub(super) fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-@._+=/(:,<".contains(byte)
}

/// The beginning and the end of a text, as far as they can be judged by themselves.
#[derive(Clone, Copy)]
pub struct Edges {
    head: Edge,
    tail: Edge,
}

#[derive(Clone, Copy, Default)]
struct Edge {
    /// Of the row that may belong to a token.
    bytes: usize,
    /// It holds an `@`.
    at: bool,
    /// A number may be cut here.
    number: bool,
    /// A value that words announce may be cut here, if it has a digit on one side.
    part: bool,
    digit: bool,
    /// No word of prose stands here.
    odd: bool,
}

impl Edge {
    fn of<'a>(bytes: impl Iterator<Item = &'a u8> + Clone) -> Edge {
        let class = |byte: &u8| CLASSES[usize::from(*byte)];
        let mut edge = Edge { part: bytes.clone().next().is_some_and(is_part), ..Edge::default() };
        let (mut all, mut count, mut token) = (0, 0, true);
        for byte in bytes.clone().take(AFTER_BYTES) {
            let class = class(byte);
            if class & ANNOUNCED == 0 {
                break;
            }
            token &= class & TOKEN != 0;
            edge.bytes += usize::from(token);
            edge.at |= token && *byte == b'@';
            all |= class;
            count += 1;
        }
        edge.digit = all & DIGIT != 0;
        edge.odd = edge.digit || (count > 1 && all & SMALL == 0);
        edge.number =
            bytes.take(BEFORE_BYTES).map(class).take_while(|class| class & NUMBER != 0).any(|class| class & DIGIT != 0);
        edge
    }
}

impl Edges {
    pub(in super::super) fn of(text: &str) -> Edges {
        Edges { head: Edge::of(text.as_bytes().iter()), tail: Edge::of(text.as_bytes().iter().rev()) }
    }

    /// Whether a value may begin at this end and go on at that beginning: what every try in `across`
    /// asks for. Most texts end here.
    pub(in super::super) fn may_meet(self, after: Edges) -> bool {
        let (left, right) = (self.tail, after.head);
        let announced = left.part && right.part && right.odd && (left.digit || right.digit);
        left.at
            || right.at
            || announced
            || (left.number && right.number)
            || left.bytes + right.bytes >= SECRET_MIN_BYTES
    }
}

const TOKEN: u8 = 1;
/// Of values that need a label.
const ANNOUNCED: u8 = 1 << 1;
const NUMBER: u8 = 1 << 2;
const DIGIT: u8 = 1 << 3;
const SMALL: u8 = 1 << 4;

/// What a byte may be a part of.
const CLASSES: [u8; 256] = {
    let (mut classes, mut byte) = ([0; 256], 0);
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => TOKEN | ANNOUNCED | NUMBER | DIGIT,
            b'A'..=b'Z' => TOKEN | ANNOUNCED | NUMBER,
            b'a'..=b'z' => TOKEN | ANNOUNCED | SMALL,
            b'.' | b'+' | b'-' | b'/' => TOKEN | ANNOUNCED | NUMBER,
            b'(' | b')' => ANNOUNCED | NUMBER,
            b'@' | b'_' | b'=' | 0x80.. => TOKEN | ANNOUNCED,
            b':' | b'<' | b'!' | b'#' | b'$' | b'&' | b'*' | b'^' => ANNOUNCED,
            b' ' => NUMBER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

pub(super) fn is_token(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

pub(super) fn is_announced_part(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & ANNOUNCED != 0
}

pub(super) fn is_number_part(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & NUMBER != 0
}

/// Two rows that may be one token have so many bytes.
pub(super) const SECRET_MIN_BYTES: usize = 20;
