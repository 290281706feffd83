//! Finds the digits of a text and cuts them into clusters: runs with separators between.
//!
//! Not here: what a cluster means (`finance`, `network`, `phone`).
//!
//! Always: one pass; text without digits costs one vectorised comparison a byte; every digit lies
//! in exactly one cluster.

/// What stands between two runs of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sep {
    /// Nothing before: the first run of a cluster.
    First,
    Space,
    Hyphen,
    Dot,
    Slash,
    /// Brackets and spaced hyphens, as in `(202) 555` and `202 - 555`.
    Loose,
}

impl Sep {
    /// Ties what stands on both sides into one thing: `2024-05-01`, `1.2.3`.
    pub(super) fn is_tight(self) -> bool {
        matches!(self, Sep::Hyphen | Sep::Dot | Sep::Slash)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) sep: Sep,
}

impl Run {
    pub(super) fn digits(&self) -> usize {
        self.end - self.start
    }
}

/// A cluster with more runs is a table of numbers; it is cut here so that work per run is bounded.
pub(super) const MAX_RUNS: usize = 64;

/// The first digit at or after `from`.
pub(in super::super) fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    const STEP: usize = 32;
    let mut at = from;
    while let Some(step) = bytes.get(at..at + STEP) {
        // No early exit inside a step: that is what lets the compiler use vector instructions.
        if step.iter().fold(false, |any, byte| any | (byte.wrapping_sub(b'0') < 10)) {
            break;
        }
        at += STEP;
    }
    bytes.get(at..)?.iter().position(u8::is_ascii_digit).map(|place| at + place)
}

/// The cluster that begins with the digit at `at`; returns the byte after it.
pub(super) fn cluster(bytes: &[u8], at: usize, runs: &mut Vec<Run>) -> usize {
    runs.clear();
    let (mut end, mut sep) = (at, Sep::First);
    loop {
        let start = end;
        end += bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        runs.push(Run { start, end, sep });
        match separator(&bytes[end..]) {
            Some((found, len)) if runs.len() < MAX_RUNS => {
                sep = found;
                end += len;
            }
            _ => return end,
        }
    }
}

/// A short number alone in prose: nothing but a space or the end of a phrase beside it. It is no
/// part of an identifier.
pub(super) fn is_plain(bytes: &[u8], runs: &[Run]) -> bool {
    let [run] = runs else { return false };
    let before = run.start == 0 || matches!(bytes[run.start - 1], b' ' | b'\n' | b'$' | b'(');
    let after = match bytes[run.end..] {
        [] | [b' ' | b'\n' | b'?' | b'!' | b')' | b'%', ..] => true,
        [b'.' | b',', ref rest @ ..] => matches!(rest, [] | [b' ' | b'\n', ..]),
        _ => false,
    };
    run.digits() <= 4 && before && after
}

/// The separator at the start of `rest`, if a digit follows it.
fn separator(rest: &[u8]) -> Option<(Sep, usize)> {
    let (first, mut len) = one(rest)?;
    let mut sep = first;
    while len < 8 {
        if rest.get(len)?.is_ascii_digit() {
            return Some((sep, len));
        }
        let (next, more) = one(&rest[len..])?;
        // Two of the same (`1  2`, `1--2`, `1..2`) part numbers; other pairs must hold a bracket
        // or be a hyphen with spaces.
        sep = match (sep, next) {
            (Sep::Loose, _) | (_, Sep::Loose) => Sep::Loose,
            (Sep::Space, Sep::Hyphen) | (Sep::Hyphen, Sep::Space) => Sep::Loose,
            _ => return None,
        };
        len += more;
    }
    None
}

/// One separating character and its length in bytes.
pub(super) fn one(rest: &[u8]) -> Option<(Sep, usize)> {
    Some(match *rest {
        [b' ', ..] => (Sep::Space, 1),
        [b'-', ..] => (Sep::Hyphen, 1),
        [b'.', ..] => (Sep::Dot, 1),
        [b'/', ..] => (Sep::Slash, 1),
        [b'(' | b')', ..] => (Sep::Loose, 1),
        // No-break space.
        [0xc2, 0xa0, ..] => (Sep::Space, 2),
        // Thin and narrow no-break space; hyphen, no-break hyphen, figure dash, en dash.
        [0xe2, 0x80, 0x89 | 0xaf, ..] => (Sep::Space, 3),
        [0xe2, 0x80, 0x90..=0x93, ..] => (Sep::Hyphen, 3),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_found_in_every_place() {
        for len in 0..100 {
            for at in 0..len {
                let mut bytes = vec![b'x'; len];
                bytes[at] = b'7';
                assert_eq!(next_digit(&bytes, 0), Some(at));
                assert_eq!(next_digit(&bytes, at + 1), None);
            }
        }
    }

    #[test]
    fn clusters() {
        for (text, digits) in [
            ("202-555-0173 x", vec![3, 3, 4]),
            ("1 (202) 555.0173", vec![1, 3, 3, 4]),
            ("202 - 555, 1", vec![3, 3]),
            ("1  2", vec![1]),
            ("12\u{a0}34\u{2011}56", vec![2, 2, 2]),
            ("12.", vec![2]),
        ] {
            let mut runs = Vec::new();
            cluster(text.as_bytes(), 0, &mut runs);
            assert_eq!(runs.iter().map(Run::digits).collect::<Vec<_>>(), digits, "{text}");
        }
    }
}
