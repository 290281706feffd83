//! The language in which tables write the forms of a number.
//!
//! `d` is a digit, `a` a letter, `n` either. Between groups: a space (no-break and thin ones too),
//! `-` (any hyphen), `.`, `/`, `+`, `_` (space, hyphen or dot, the same throughout), and `(d)` at
//! the end. A form that begins with `?` needs a word of its rule or a general label near it, one
//! with `!` a word of its rule.
//!
//! Not here: finding groups (`groups`).
//!
//! Always: a form has at most `GROUPS_MAX` groups of at most `GROUP_MAX_BYTES` characters.

use super::groups::{Group, Joint};
use super::{Row, Sep};

/// French NIR: seven groups.
pub(super) const GROUPS_MAX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    Words,
    OwnWords,
}

/// What one group must look like.
#[derive(Default)]
struct Shape {
    len: usize,
    /// Bit n: character n must be a letter, or a digit.
    letters: u32,
    digits: u32,
}

pub(super) struct Form {
    pub(super) row: &'static Row,
    pub(super) need: Need,
    /// Places of the rule's words among the labels.
    pub(super) words: Vec<u16>,
    shapes: Vec<Shape>,
    /// Before each shape but the first; none: any, all the same.
    joints: Vec<Option<Joint>>,
    bracket: bool,
}

impl Form {
    pub(super) fn parse(row: &'static Row, form: &str, words: Vec<u16>) -> Form {
        let (need, form) = match (form.strip_prefix('?'), form.strip_prefix('!')) {
            (Some(rest), _) => (Need::Words, rest),
            (_, Some(rest)) => (Need::OwnWords, rest),
            _ => (Need::Nothing, form),
        };
        let mut parsed =
            Form { row, need, words, shapes: vec![Shape::default()], joints: Vec::new(), bracket: form.ends_with(')') };
        for c in form.bytes().filter(|c| *c != b')') {
            let joint = match c {
                b'_' => None,
                b' ' => Some(Joint::Is(Sep::Space)),
                b'-' => Some(Joint::Is(Sep::Hyphen)),
                b'.' => Some(Joint::Is(Sep::Dot)),
                b'/' => Some(Joint::Is(Sep::Slash)),
                b'(' => Some(Joint::Bracket),
                b'+' => Some(Joint::Plus),
                _ => {
                    parsed.add(c);
                    continue;
                }
            };
            parsed.joints.push(joint);
            parsed.shapes.push(Shape::default());
        }
        parsed
    }

    fn add(&mut self, class: u8) {
        if let Some(shape) = self.shapes.last_mut() {
            shape.letters |= u32::from(class == b'a') << shape.len;
            shape.digits |= u32::from(class == b'd') << shape.len;
            shape.len += 1;
        }
    }

    pub(super) fn first_len(&self) -> usize {
        self.shapes[0].len
    }

    pub(super) fn groups(&self) -> usize {
        self.shapes.len()
    }

    /// The byte after the number, if the first of `groups` begin one.
    pub(super) fn fits(&self, text: &str, groups: &[Group]) -> Option<usize> {
        let groups = groups.get(..self.shapes.len())?;
        let same = groups.get(1).map(|group| group.joint);
        let joints = groups[1..].iter().zip(&self.joints).all(|(group, joint)| match joint {
            Some(joint) => group.joint == *joint,
            None => Some(group.joint) == same && group.joint.parts_groups(),
        });
        let shaped = groups.iter().zip(&self.shapes).all(|(group, shape)| {
            group.len() == shape.len
                && group.letters & shape.letters == shape.letters
                && group.letters & shape.digits == 0
        });
        if !joints || !shaped {
            return None;
        }
        let end = groups.last()?.end;
        match (self.bracket, text.as_bytes().get(end)) {
            (false, _) => Some(end),
            (true, Some(b')')) => Some(end + 1),
            (true, _) => None,
        }
    }
}

/// What tells most forms apart, close together: thousands of them are compared for a table of
/// numbers.
pub(super) struct Head {
    pub(super) form: u16,
    letters: u32,
    digits: u32,
    /// Lengths of the second, third and fourth group, one a byte; `mask` covers those it has.
    lens: u32,
    mask: u32,
}

impl Head {
    pub(super) fn of(form: &Form, place: u16) -> Head {
        let (mut lens, mut mask) = (0, 0);
        for (shift, shape) in [0, 8, 16].into_iter().zip(&form.shapes[1..]) {
            lens |= (shape.len as u32) << shift;
            mask |= 0xff << shift;
        }
        Head { form: place, letters: form.shapes[0].letters, digits: form.shapes[0].digits, lens, mask }
    }

    /// The lengths of the groups behind the first.
    pub(super) fn lens(groups: &[Group]) -> u32 {
        [0, 8, 16].into_iter().zip(&groups[1..]).fold(0, |lens, (shift, group)| lens | (group.len() as u32) << shift)
    }

    pub(super) fn may_fit(&self, lens: u32, letters: u32) -> bool {
        lens & self.mask == self.lens && letters & self.letters == self.letters && letters & self.digits == 0
    }
}

/// The characters that are checked.
pub(super) fn squeezed(raw: &str) -> Vec<u8> {
    raw.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_uppercase()).collect()
}
