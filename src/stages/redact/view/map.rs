//! A view: a text with its disguised parts decoded, and for every byte where it came from.
//!
//! Not here: what is a disguise (`escaped`, `fold`, `encoded`, `spelled`).
//!
//! Always: a range of the view maps to a range of its source on character boundaries that covers
//! every decoded unit it touches whole; only the neighbourhoods of disguises are in a view, so a
//! text that is nearly plain costs nearly nothing.

use std::ops::Range;

/// How much plain text stands on each side of a disguise: a value and the words that tell what
/// it is.
const AROUND_BYTES: usize = 256;

/// Parts two neighbourhoods: nothing that is searched for spans empty lines, but for a private key.
const CUT: &str = "\n\n";

/// A stretch of the source that stands for something else.
#[derive(Clone, Copy, Debug)]
struct Unit {
    start: usize,
    end: usize,
    /// In `Units::decoded`.
    from: usize,
    to: usize,
    tells: bool,
}

/// The disguises that the decoders see in one text.
#[derive(Default)]
pub(super) struct Units {
    list: Vec<Unit>,
    decoded: String,
}

impl Units {
    /// `source` stands for `decoded`. One that `tells` may hide a value; others (`\n`, `&lt;`) are
    /// decoded only beside one that does.
    pub(super) fn add(&mut self, source: Range<usize>, decoded: &str, tells: bool) {
        let from = self.decoded.len();
        self.decoded.push_str(decoded);
        self.list.push(Unit { start: source.start, end: source.end, from, to: self.decoded.len(), tells });
    }

    pub(super) fn add_char(&mut self, source: Range<usize>, decoded: char, tells: bool) {
        self.add(source, decoded.encode_utf8(&mut [0; 4]), tells);
    }

    /// The view with these disguises decoded; `None` if none of them tells.
    pub(super) fn view(mut self, source: &str) -> Option<View> {
        self.list.iter().any(|unit| unit.tells).then_some(())?;
        // Of units that overlap (an escape inside a base64 run) the first and longest holds.
        self.list.sort_by_key(|unit| (unit.start, std::cmp::Reverse(unit.end)));
        let mut end = 0;
        self.list.retain(|unit| {
            let free = unit.start >= end;
            end = if free { unit.end } else { end };
            free
        });
        let mut view = View::default();
        let mut units = self.list.iter().peekable();
        for around in neighbourhoods(source, &self.list) {
            view.cut();
            let mut copied = around.start;
            while let Some(unit) = units.next_if(|unit| unit.start < around.end) {
                if unit.start < copied {
                    continue;
                }
                view.copy(source, copied..unit.start);
                let how = if unit.tells { How::Decoded } else { How::Carried };
                view.push(&self.decoded[unit.from..unit.to], unit.start..unit.end, how);
                copied = unit.end;
            }
            view.copy(source, copied..around.end.max(copied));
        }
        Some(view)
    }
}

/// What is near a unit that tells, in order, on character boundaries, not overlapping.
fn neighbourhoods(source: &str, units: &[Unit]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for unit in units.iter().filter(|unit| unit.tells) {
        let start = source.floor_char_boundary(unit.start.saturating_sub(AROUND_BYTES));
        let end = source.ceil_char_boundary(unit.end.saturating_add(AROUND_BYTES).min(source.len()));
        match all.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => all.push(start..end),
        }
    }
    all
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Byte for byte.
    Copied,
    Carried,
    Decoded,
    Cut,
}

#[derive(Clone, Debug)]
struct Part {
    /// Where it begins in the view.
    at: usize,
    source: Range<usize>,
    how: How,
}

#[derive(Default)]
pub(super) struct View {
    pub(super) text: String,
    parts: Vec<Part>,
}

impl View {
    fn push(&mut self, text: &str, source: Range<usize>, how: How) {
        self.parts.push(Part { at: self.text.len(), source, how });
        self.text.push_str(text);
    }

    fn copy(&mut self, source: &str, range: Range<usize>) {
        if !range.is_empty() {
            self.push(&source[range.clone()], range, How::Copied);
        }
    }

    fn cut(&mut self) {
        let end = self.parts.last().map_or(0, |part| part.source.end);
        if !self.text.is_empty() {
            self.push(CUT, end..end, How::Cut);
        }
    }

    /// Where words begin that were decoded, whole or in part, or stand behind something that was taken out.
    pub(super) fn words(&self) -> impl Iterator<Item = Range<usize>> {
        const LETTERS_MIN: usize = 3;
        const FRAME_MIN_BYTES: usize = 4;
        let end = |part: usize| self.parts.get(part).map_or(self.text.len(), |part| part.at);
        // Something was put into a word, or a letter of it changed.
        let inside = |at: usize| {
            self.text[..at].ends_with(char::is_alphabetic) && self.text[at..].starts_with(char::is_alphabetic)
        };
        let (mut at, mut letters) = (0, 0);
        std::iter::from_fn(move || {
            while let Some(part) = self.parts.get(at) {
                let range = part.at..end(at + 1);
                at += 1;
                let framed = range.is_empty() && part.source.len() >= FRAME_MIN_BYTES;
                letters = match part.how {
                    How::Decoded => letters + self.text[range.clone()].chars().filter(|c| c.is_alphabetic()).count(),
                    _ => 0,
                };
                let changed = part.how == How::Decoded && letters == 1 && (inside(range.start) || inside(range.end));
                let touched = changed || range.is_empty() && inside(range.start);
                if framed || touched || letters >= LETTERS_MIN {
                    letters = 0;
                    return Some(range);
                }
            }
            None
        })
    }

    /// Where `range` of the view comes from, and whether a disguise lies in it or beside it. If
    /// none does it is plain text, about which the plain search has the last word.
    pub(super) fn to_source(&self, range: Range<usize>) -> Option<(Range<usize>, bool)> {
        let first = self.parts.partition_point(|part| part.at <= range.start).checked_sub(1)?;
        // What was taken out just before has no length and stands at the same place.
        let same_place = self.parts[..=first].iter().rev().take_while(|part| part.at == range.start).count();
        let (mut disguised, mut end) = (false, None);
        for (place, part) in self.parts.iter().enumerate().skip(first.saturating_sub(same_place)) {
            if part.at > range.end || (part.how == How::Cut && part.at > range.start) {
                break;
            }
            disguised |= part.how == How::Decoded;
            if place >= first && part.at < range.end {
                end = Some(match part.how {
                    How::Copied => part.source.end.min(part.source.start + (range.end - part.at)),
                    _ => part.source.end,
                });
            }
        }
        let part = &self.parts[first];
        let start = match part.how {
            How::Copied => part.source.start + (range.start - part.at),
            _ => part.source.start,
        };
        end.filter(|end| *end > start).map(|end| (start..end, disguised))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(source: &str, units: &[(&str, &str, bool)]) -> View {
        let mut all = Units::default();
        for (raw, decoded, tells) in units {
            let at = source.find(raw).unwrap();
            all.add(at..at + raw.len(), decoded, *tells);
        }
        all.view(source).unwrap()
    }

    #[test]
    fn ranges_cover_whole_units() {
        let source = "mail jane%40example.com now";
        let view = view(source, &[("%40", "@", true)]);
        assert_eq!(view.text, "mail jane@example.com now");
        for (found, raw) in [
            ("jane@example.com", Some("jane%40example.com")),
            ("@", Some("%40")),
            ("jane@", Some("jane%40")),
            ("@ex", Some("%40ex")),
            ("example", Some("example")),
            ("jane", Some("jane")),
            ("mail", None),
            ("now", None),
        ] {
            let at = view.text.find(found).unwrap();
            let place = view.to_source(at..at + found.len()).filter(|place| place.1);
            assert_eq!(place.map(|place| &source[place.0]), raw, "{found}");
        }
    }

    #[test]
    fn what_is_taken_out_counts_where_it_stood() {
        let source = "a\u{200b}b c";
        let view = view(source, &[("\u{200b}", "", true)]);
        assert_eq!(view.text, "ab c");
        assert_eq!(view.to_source(0..2), Some((0..5, true)));
        assert_eq!(view.to_source(0..1), Some((0..1, true)));
        assert_eq!(view.to_source(1..2), Some((4..5, true)));
        assert_eq!(view.to_source(3..4), Some((6..7, false)));
    }

    #[test]
    fn only_neighbourhoods_are_seen_and_nothing_spans_two() {
        let far = "é".repeat(1000);
        let source = format!("A{far}B");
        let view = view(&source, &[("A", "x", true), ("B", "y", true)]);
        assert!(view.text.len() < 600 && view.text.starts_with('x') && view.text.ends_with('y'));
        let (whole, _) = view.to_source(0..view.text.len()).unwrap();
        assert!(whole.end < 300 && source.is_char_boundary(whole.end), "{whole:?}");
    }

    #[test]
    fn units_that_only_carry_make_no_view() {
        let mut units = Units::default();
        units.add(0..2, "\n", false);
        assert!(units.view("\\nx").is_none());
    }
}
