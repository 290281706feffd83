//! What stands where: prose, code and the like, or prose among code. In code most capitals name
//! types and constants, and a name needs more to be one.
//!
//! Not here: what is asked of a name on each ground (`filter`).
//!
//! Always: one pass over the bytes and one over the lines; a line is judged by its signs and by at
//! most [`NEAR_LINES`] lines on each side, so prose far from code is not judged by it.

use super::words::Class;
use crate::stages::redact::glance::{AT, CALL, COLON, DIGIT, DOT, Glance, HIGH, HYPHEN, LINE};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    Prose,
    /// Prose with code before and behind it, or in a text that is mostly code.
    Beside,
    Code,
}

/// So many lines that are not empty, before and behind, are near; those that are indented are
/// judged by more of them, on either side.
const NEAR_LINES: usize = 10;
const NEAR_INDENTED_LINES: usize = 40;

/// A comment or a quoted text of more lines was never closed.
const COMMENT_LINES: usize = 80;

/// A longer line is judged in parts of about this length.
const PART_BYTES: usize = 240;

/// One point of signs for so many bytes makes a line code.
const BYTES_PER_POINT: usize = 9;
const LEAST_POINTS: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Line {
    end: u32,
    ground: Ground,
    blank: bool,
    /// Begins with `#` or `--`: a comment among code or its like, else a heading.
    marked: bool,
    indented: bool,
}

/// The lines of a text.
#[derive(Debug, Default)]
pub struct Grounds {
    lines: Vec<Line>,
    code: bool,
}

/// What goes on from line to line.
#[derive(Default)]
struct Open {
    fence: bool,
    /// Lines left until a comment is held for one that was never closed.
    comment: usize,
}

impl Grounds {
    pub fn of(text: &str) -> Grounds {
        let mut grounds = Grounds::default();
        grounds.read(text.as_bytes(), Glance::of(text));
        grounds
    }

    /// Code, or prose among it.
    pub fn is_code(&self, byte: usize) -> bool {
        self.at(byte) != Ground::Prose
    }

    /// Looks at the lines of `text`, at which was glanced; what was seen before is forgotten.
    pub(in super::super) fn read(&mut self, text: &[u8], glance: Glance) {
        self.lines.clear();
        self.code = false;
        // One line of prose, to most texts by that glance, which takes tokens for words.
        if glance.has_only(DIGIT | HIGH | DOT | CALL | AT | COLON | HYPHEN)
            || !glance.has(LINE) && !text.contains(&b'\r') && !is_suspect(text)
        {
            return;
        }
        let (mut at, mut open) = (0, Open::default());
        while at < text.len() {
            let (end, next) = line_end(text, at);
            let line = line_of(&text[at..end], next as u32, &mut open);
            self.code |= line.ground == Ground::Code || line.marked;
            self.lines.push(line);
            at = next;
        }
        if self.code {
            self.comments();
            self.spread();
        }
    }

    /// Marked lines right beside each other, or beside code, are comments.
    fn comments(&mut self) {
        let takes = |line: &Line| line.marked || line.ground == Ground::Code;
        for at in 0..self.lines.len() {
            let before = at > 0 && takes(&self.lines[at - 1]);
            if self.lines[at].marked && (before || self.lines.get(at + 1).is_some_and(takes)) {
                self.lines[at].ground = Ground::Code;
            }
        }
    }

    /// Prose between lines of code lies beside it.
    fn spread(&mut self) {
        let full = |line: &Line| !line.blank;
        let code = self.lines.iter().filter(|line| full(line) && line.ground == Ground::Code).count();
        let all = self.lines.iter().filter(|line| full(line)).count();
        let mostly = code >= 4 && code * 5 >= all * 2;
        let mut since = usize::MAX;
        let mut before = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            since = next(since, line);
            before.push(since);
        }
        let mut since = usize::MAX;
        for (line, before) in self.lines.iter_mut().zip(before).rev() {
            since = next(since, line);
            let near = before.max(since) <= NEAR_LINES || line.indented && before.min(since) <= NEAR_INDENTED_LINES;
            if line.ground == Ground::Prose && (mostly || near) {
                line.ground = Ground::Beside;
            }
        }
    }

    /// The ground at a byte.
    pub fn at(&self, byte: usize) -> Ground {
        if !self.code {
            return Ground::Prose;
        }
        let line = self.lines.partition_point(|line| line.end as usize <= byte);
        self.lines.get(line).map_or(Ground::Prose, |line| line.ground)
    }
}

/// How many full lines ago code was.
fn next(since: usize, line: &Line) -> usize {
    match line.ground {
        _ if line.blank => since,
        Ground::Code => 0,
        _ => since.saturating_add(1),
    }
}

/// Where the line at `at` ends and the next begins. The two signs `\n` end a line, too: JSON that
/// stands as text.
fn line_end(text: &[u8], at: usize) -> (usize, usize) {
    let most = text.len().min(at + PART_BYTES);
    for sign in memchr::memchr3_iter(b'\n', b'\r', b'\\', &text[at..most]).map(|place| at + place) {
        let escaped = || matches!(text.get(sign + 1), Some(b'n' | b'r'));
        match text[sign] {
            b'\\' if escaped() && text.get(sign + 2).is_none_or(|b| !b.is_ascii_lowercase()) => {
                return (sign, sign + 2);
            }
            b'\\' => {}
            _ => return (sign, sign + 1),
        }
    }
    let mut end = most;
    // On with the word that stands there, in reason.
    while end < text.len() && end < most + 40 && !matches!(text[end], b' ' | b'\n' | b'\r' | b'\\' | b'\t') {
        end += 1;
    }
    (end, end.max(at + 1).min(text.len()))
}

/// Beginnings of lines that only code has.
const BEGINS: [&[u8]; 30] = [
    b"//",
    b"/*",
    b"*/",
    b"* ",
    b"#include",
    b"#define",
    b"#if",
    b"#endif",
    b"#else",
    b"#[",
    b"#![",
    b"#!",
    b">>>",
    b"</",
    b"<!--",
    b"import ",
    b"def ",
    b"fn ",
    b"pub ",
    b"const ",
    b"elif ",
    b"mod ",
    b"impl ",
    b"struct ",
    b"#pragma",
    b"#undef",
    b"*\t",
    b".. ",
    b"%%",
    b"var ",
];

fn line_of(line: &[u8], end: u32, open: &mut Open) -> Line {
    let begin = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(line.len());
    let rest = &line[begin..];
    let fence = rest.starts_with(b"```");
    if fence {
        // Letters are quoted like this, too, but with no language said.
        open.fence = !open.fence && rest.get(3).is_some_and(u8::is_ascii_alphabetic);
        open.comment = 0;
    }
    let commented = open.comment > 0;
    open.comment = open.comment.saturating_sub(1);
    if rest.starts_with(b"/*") {
        open.comment = COMMENT_LINES;
    }
    if open.comment > 0 && rest.windows(2).any(|two| two == b"*/") {
        open.comment = 0;
    }
    let marked = matches!(rest, [b'#', b' ' | b'#', ..] | [b'#'] | [b'-', b'-', b' ', ..] | [b'-', b'-']);
    let code = open.fence || commented || (is_suspect(rest) || begins(rest, begin)) && is_code(line, begin);
    Line {
        end,
        ground: if code { Ground::Code } else { Ground::Prose },
        blank: begin == line.len() || fence,
        marked,
        indented: begin >= 4 || begin > 0 && line[0] == b'\t',
    }
}

/// Begins as only code does. A list is marked with `*`, too, but stands at the left.
fn begins(rest: &[u8], begin: usize) -> bool {
    let first = rest.first().copied().unwrap_or(b' ');
    let may = matches!(
        first,
        b'/' | b'*' | b'#' | b'>' | b'<' | b'.' | b'%' | b'i' | b'd' | b'f' | b'p' | b'c' | b'e' | b'm' | b's' | b'v'
    );
    may && BEGINS.iter().any(|mark| rest.starts_with(mark) && (begin > 0 || !mark.starts_with(b"* ")))
}

/// Signs that a line of code nearly always has one of, and prose seldom.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let signs = b"{}=<>[]()\\^~|&_/;\"$#";
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

fn is_suspect(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks::<8>();
    let any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | SUSPECT[usize::from(*byte)]);
    eights.iter().any(|eight| any(eight)) || any(rest)
}

fn is_code(line: &[u8], begin: usize) -> bool {
    let rest = &line[begin..];
    let Some(last) = rest.iter().rposition(|byte| !byte.is_ascii_whitespace()) else { return false };
    let rest = &rest[..=last];
    let ends = rest.ends_with(b".") || rest.ends_with(b"?") || rest.ends_with(b"!");
    let comment = matches!(rest[0], b'/' | b'#' | b'*' | b'<' | b'>');
    if begins(rest, begin) && (comment || !ends) {
        return true;
    }
    let mut points = points(rest);
    points += match rest[last] {
        b'{' | b';' => 2,
        b'(' | b'[' | b'\\' | b'}' => 1,
        _ => 0,
    };
    points >= LEAST_POINTS && points * BYTES_PER_POINT >= rest.len()
}

/// What the signs of a line count; those of addresses and URLs do not.
fn points(line: &[u8]) -> usize {
    let (mut points, mut word) = (0, 0);
    let mut before = b' ';
    let mut at = 0;
    while at < line.len() {
        let byte = line[at];
        let next = *line.get(at + 1).unwrap_or(&b' ');
        // Most of a line. An `x` counts behind other signs only.
        if byte.is_ascii_lowercase() && before.is_ascii_lowercase() {
            at += line[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
            continue;
        }
        let letter = before.is_ascii_alphanumeric() || before == b'_';
        if byte == b':' && line[at..].starts_with(b"://") || byte == b'@' && letter && next.is_ascii_alphanumeric() {
            points = word;
            at += line[at..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
            before = b' ';
            continue;
        }
        points += match Class::of(byte) {
            Class::Space => {
                word = points;
                0
            }
            Class::Upper => usize::from(before.is_ascii_lowercase()),
            Class::Lower => usize::from(byte == b'x' && matches!(before, b'0' | b'\\') && next.is_ascii_hexdigit()) * 3,
            Class::Underscore => usize::from(letter || next.is_ascii_alphanumeric()) * 2,
            Class::Sign => match byte {
                b'{' | b'}' => 2,
                b'=' if letter && next != b' ' => 3,
                b'=' => 2,
                b'>' if matches!(before, b'-' | b'=') => 3,
                b'/' if matches!(before, b'*' | b'<') => 2,
                b'*' if before == b'/' => 2,
                b'>' if at == 0 => 0,
                b'<' | b'>' => usize::from(next.is_ascii_alphabetic() || letter || matches!(next, b'/' | b'=')) * 2,
                b'(' | b'[' => usize::from(letter) * 2,
                b']' => 1,
                // A quote that is escaped stands in prose, too.
                b'\\' if matches!(next, b'"' | b'\'') => 0,
                b'\\' | b'^' | b'~' => 1,
                b'"' => usize::from(
                    matches!(before, b'=' | b'(' | b'[' | b'{' | b',') || matches!(next, b':' | b';' | b']' | b'}'),
                ),
                b':' if next == b':' => 3,
                // A key like those of configuration.
                b':' if letter && points > word && line[..at].iter().all(|byte| is_key(*byte)) => 2,
                b'|' | b'&' if next == byte => 2,
                b'.' => usize::from(letter && next.is_ascii_lowercase()),
                b'$' => usize::from(next.is_ascii_alphabetic() || matches!(next, b'{' | b'(')) * 2,
                b';' => 0,
                _ => 0,
            },
            _ => 0,
        };
        before = byte;
        at += 1;
    }
    points
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Ground> {
        let mut grounds = Grounds::default();
        grounds.read(text.as_bytes(), Glance::of(text));
        grounds.lines.iter().map(|line| line.ground).collect()
    }

    #[test]
    fn lines_that_are_prose() {
        for text in [
            "Yesterday Margaret Wilson called (twice) about her \"invoice\".",
            "From: Karen Miller <karen.miller@example.com>",
            "Name: Karen Miller",
            "thanks Karen :) see https://example.com/a_b?c=d&e=f#g_h",
            "* Karen Miller",
            "# About Karen Miller",
            "| Karen Miller | 42 | Paris |",
            ">Karen Miller",
            "@jane_doe have you seen karen today? lol <3 <3",
            "",
        ] {
            assert!(of(text).iter().all(|ground| *ground == Ground::Prose), "{text}");
        }
    }

    #[test]
    fn lines_that_are_code() {
        for text in [
            "use std::collections::HashMap;",
            "let map: BTreeMap<String, Json> = BTreeMap::new();",
            "fn main() {",
            "    // Written for Parquet",
            " * @param Linkage of the Macro",
            "import numpy as np",
            "name = \"parquet\"",
            "{\"shape\":\"LanguageCode\"}",
            "#include <Python.h>",
            "if (Linkage == NULL) return;",
            "- release_tracks: [ALPHA, BETA, GA]",
        ] {
            assert!(of(text).iter().all(|ground| *ground == Ground::Code), "{text}");
        }
    }

    #[test]
    fn prose_is_judged_by_code_on_both_sides() {
        use Ground::*;
        assert_eq!(
            of("import os\n\nThe Joiner joins\n\nx = os.environ['Y']"),
            [Code, Prose, Beside, Prose, Code].map(|g| if g == Prose { Beside } else { g })
        );
        assert_eq!(of("Dear Karen,\nplease run\nimport os")[..2], [Prose, Prose]);
        assert_eq!(of("```rust\nJson\n```\nDear Karen"), [Code, Code, Prose, Prose]);
    }
}
