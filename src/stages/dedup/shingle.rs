//! Text to word shingles: lower-cased runs of letters and digits, hashed, in windows of n.
//!
//! Scripts without spaces between words (Han, Kana, Thai, Lao, Khmer, Myanmar) count a character
//! as a word. Pseudonyms count by type: `[EMAIL:k7f3a9q2]` is `[EMAIL]`, so that redaction
//! neither merges nor splits duplicates.
//!
//! Always: shingles never cross messages.

use crate::stages::redact::mask_tokens;

/// One side of a conversation (what users say, or what assistants say), ready to compare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Sorted and distinct, once [`Side::finish`] was called.
    pub shingles: Vec<u64>,
    pub tokens: u32,
    /// Hash of the tokens and of the symbols in order; and of the tokens with every digit as 0.
    pub text: u64,
    pub skeleton: u64,
    /// Sum over the tokens that hold a digit, so whatever order they come in.
    pub digits: u64,
}

impl Side {
    pub fn finish(&mut self) {
        self.shingles.sort_unstable();
        self.shingles.dedup();
    }
}

/// Adds messages to sides; keeps its buffers.
pub struct Shingler {
    words: usize,
    lower: String,
    hashes: Vec<u64>,
}

impl Shingler {
    pub fn new(words: usize) -> Shingler {
        Shingler { words, lower: String::new(), hashes: Vec::new() }
    }

    /// One message's text into its side; `TEXT` says whether `text` and `skeleton` are asked for.
    pub fn add<const TEXT: bool>(&mut self, text: &str, side: &mut Side) {
        let text = mask_tokens(text);
        self.hashes.clear();
        let hashes = &mut self.hashes;
        let (mut exact, mut skeleton, mut digits) = (side.text, side.skeleton, side.digits);
        each_token::<TEXT>(&text, &mut self.lower, |token| {
            hashes.push(token.hash());
            if TEXT {
                exact = mix(exact, token.hash());
                skeleton = mix(skeleton, token.skeleton());
                digits = digits.wrapping_add(if token.digits == 0 { 0 } else { scramble(token.hash()) });
            }
        });
        if TEXT {
            // The end of a message counts, so that moving a sentence between messages shows.
            (side.text, side.skeleton) = (mix(symbols(&text, exact), 1), mix(skeleton, 1));
            side.digits = digits;
        }
        side.tokens += self.hashes.len() as u32;
        if self.hashes.len() < self.words {
            // A message shorter than a shingle still says something.
            if !self.hashes.is_empty() {
                side.shingles.push(self.hashes.iter().fold(2, |sum, &hash| mix(sum, hash)));
            }
            return;
        }
        match self.words {
            // The default, of which the compiler makes a loop without a loop inside.
            3 => side.shingles.extend(self.hashes.array_windows::<3>().map(shingle)),
            words => side.shingles.extend(self.hashes.windows(words).map(shingle)),
        }
    }
}

/// The hash of words in a row.
#[inline]
fn shingle<'a>(words: impl IntoIterator<Item = &'a u64>) -> u64 {
    words.into_iter().fold(3, |sum, &hash| mix(sum, hash))
}

/// The symbols that are no words and yet say something: `+` in `C++`, an operator, a smiley. What
/// writers put in and leave out at will (punctuation, marks of bold and lists) is none.
fn symbols(text: &str, mut sum: u64) -> u64 {
    if text.is_ascii() {
        for &byte in text.as_bytes() {
            if SYMBOLS[usize::from(byte & 0x7f)] {
                sum = mix(sum, u64::from(byte));
            }
        }
        return sum;
    }
    text.chars().filter(|c| is_symbol(*c)).fold(sum, |sum, c| mix(sum, u64::from(u32::from(c))))
}

static SYMBOLS: [bool; 128] = {
    let mut symbols = [false; 128];
    let all = b"#$%&+/<=>@[\\]^{|}~";
    let mut at = 0;
    while at < all.len() {
        symbols[all[at] as usize] = true;
        at += 1;
    }
    symbols
};

fn is_symbol(c: char) -> bool {
    match c {
        '\0'..='\x7f' => SYMBOLS[c as usize],
        // Blanks, quotes and punctuation of other scripts; variants of emoji.
        '\u{80}'..='\u{a1}' | '«' | '·' | '»' | '¿' | '´' | '¨' | '\u{ad}' => false,
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => false,
        '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{30fb}' => false,
        c => !c.is_alphanumeric() && !is_mark(c) && !c.is_whitespace(),
    }
}

/// Order matters: mix(mix(s, a), b) differs from mix(mix(s, b), a).
fn mix(sum: u64, hash: u64) -> u64 {
    let product = u128::from(sum ^ 0x9e37_79b9_7f4a_7c15) * u128::from(hash | 1);
    (product as u64 ^ (product >> 64) as u64).wrapping_add(hash.rotate_left(23))
}

/// A word's hash, and that of the same word with every digit as 0.
#[derive(Clone, Copy, Default, PartialEq)]
struct Token {
    hash: u64,
    skeleton: u64,
    end: u64,
    /// Not 0 if it holds a digit.
    digits: u64,
}

impl Token {
    /// A word of small letters and digits, or of any other script.
    fn of(word: &[u8]) -> Token {
        let mut token = Token::default();
        let (chunks, rest) = word.as_chunks::<8>();
        chunks.iter().for_each(|chunk| token.push(u64::from_le_bytes(*chunk)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            token.push(u64::from_le_bytes(last));
        }
        token.done(word.len())
    }

    /// The same for `text[start..end]`, ASCII letters of any case: bit 5 makes letters small and
    /// leaves digits. Reads whole chunks, past the word's end where the text goes on.
    #[inline]
    fn of_ascii(text: &[u8], start: usize, end: usize) -> Token {
        let mut token = Token::default();
        let mut at = start;
        while at < end {
            let chunk = chunk_at(text, at);
            let present = u64::MAX >> (64 - 8 * (end - at).min(8));
            token.push((chunk | 0x2020_2020_2020_2020) & present);
            at += 8;
        }
        token.done(end - start)
    }

    #[inline]
    fn done(self, bytes: usize) -> Token {
        Token { end: (bytes as u64) << 56, ..self }
    }

    #[inline]
    fn hash(self) -> u64 {
        scramble(self.hash ^ self.end)
    }

    #[inline]
    fn skeleton(self) -> u64 {
        scramble(self.skeleton ^ self.end)
    }

    #[inline]
    fn push(&mut self, chunk: u64) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        self.hash = (self.hash.rotate_left(29) ^ chunk).wrapping_mul(STEP);
        self.skeleton = (self.skeleton.rotate_left(29) ^ without_digits(chunk)).wrapping_mul(STEP);
        self.digits |= digit_bits(chunk);
    }
}

/// Eight bytes from `at` on; zeros behind the end.
#[inline]
fn chunk_at(text: &[u8], at: usize) -> u64 {
    match (text[at..].first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(chunk), _) => u64::from_le_bytes(*chunk),
        (None, Some(last)) => u64::from_le_bytes(*last) >> (8 * (at + 8 - text.len())),
        (None, None) => text[at..].iter().rev().fold(0, |chunk, byte| chunk << 8 | u64::from(*byte)),
    }
}

/// Eight bytes with every ASCII digit as `0`: 0x30 to 0x39 become 0x30.
#[inline]
fn without_digits(chunk: u64) -> u64 {
    chunk & !((digit_bits(chunk) >> 7) * 0x0f)
}

/// The high bit of each byte that is an ASCII digit.
#[inline]
fn digit_bits(chunk: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // High bit of each byte: 0x30 or more; 0x3a or more; not ASCII. No carry leaves its byte.
    let low = chunk & (ONES * 0x7f);
    (low + ONES * 0x50) & !(low + ONES * 0x46) & !chunk & (ONES * 0x80)
}

/// The finalizer of MurmurHash3 with Stafford's constants ("Mix13").
pub(super) fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One bit for each of eight bytes: set for ASCII letters and digits, and for all that is not ASCII.
#[inline]
fn word_bits(chunk: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // High bit of each byte: at least, beyond the last. No carry leaves its byte.
    let (small, plain) = ((chunk | (ONES * 0x20)) & (ONES * 0x7f), chunk & (ONES * 0x7f));
    let letter = (small + ONES * (0x80 - b'a' as u64)) & !(small + ONES * (0x7f - b'z' as u64));
    let digit = (plain + ONES * (0x80 - b'0' as u64)) & !(plain + ONES * (0x7f - b'9' as u64));
    let word = (letter | digit | chunk) & (ONES * 0x80);
    // Gathers the eight bits: byte i gives bit i.
    (word >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The same for up to 64 bytes.
fn block_bits(block: &[u8]) -> u64 {
    let (chunks, rest) = block.as_chunks::<8>();
    let mut bits = 0;
    for (i, chunk) in chunks.iter().enumerate() {
        bits |= word_bits(u64::from_le_bytes(*chunk)) << (8 * i);
    }
    let last = rest.iter().rev().fold(0, |chunk, byte| chunk << 8 | u64::from(*byte));
    if rest.is_empty() { bits } else { bits | word_bits(last) << (8 * chunks.len()) }
}

/// Calls `see` with every token; `TEXT` says whether digits of other scripts are looked for.
fn each_token<const TEXT: bool>(text: &str, lower: &mut String, mut see: impl FnMut(Token)) {
    let bytes = text.as_bytes();
    if bytes.is_ascii() {
        return each_run(bytes, |start, end| see(Token::of_ascii(bytes, start, end)));
    }
    each_run(bytes, |start, end| {
        if bytes[start..end].is_ascii() {
            return see(Token::of_ascii(bytes, start, end));
        }
        let mut at = start;
        while at < end {
            at += other_word::<TEXT>(&text[at..end], lower, &mut see);
        }
    });
}

/// Calls `run` with the ends of every run of letters, digits and bytes that are not ASCII. They come
/// out of bit masks, 64 bytes at once: a branch a byte costs more than all the hashing (words are
/// short, so it is guessed wrong once a word).
#[inline]
fn each_run(bytes: &[u8], mut run: impl FnMut(usize, usize)) {
    let (mut start, mut inside) = (0, false);
    for (i, block) in bytes.chunks(64).enumerate() {
        let bits = block_bits(block);
        // Where a run begins or ends.
        let mut edges = bits ^ (bits << 1 | u64::from(inside));
        while edges != 0 {
            let at = 64 * i + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            if inside {
                run(start, at);
            } else {
                start = at;
            }
            inside = !inside;
        }
    }
    if inside {
        run(start, bytes.len());
    }
}

/// The word that `text` begins with, or the char if it is none; returns the bytes that it took.
fn other_word<const TEXT: bool>(text: &str, lower: &mut String, see: &mut impl FnMut(Token)) -> usize {
    let token = |word: &str| {
        let token = Token::of(word.as_bytes());
        let other = TEXT && word.chars().any(char::is_numeric);
        Token { digits: token.digits | u64::from(other), ..token }
    };
    lower.clear();
    let mut taken = 0;
    for c in text.chars() {
        if stands_alone(c) || !c.is_alphanumeric() && !is_mark(c) {
            if taken == 0 {
                taken = c.len_utf8();
                if stands_alone(c) {
                    see(token(c.encode_utf8(&mut [0; 4])));
                }
            }
            break;
        }
        taken += c.len_utf8();
        lower.extend(c.to_lowercase());
    }
    if !lower.is_empty() {
        see(token(lower));
    }
    taken
}

/// Combining marks belong to their letter (Devanagari vowel signs and the like).
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{962}'..='\u{963}' | '\u{200d}')
}

/// Scripts written without spaces between words (Unicode blocks).
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' // Myanmar
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{3040}'..='\u{30ff}' // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        each_token::<true>(text, &mut String::new(), |token| out.push(token.hash()));
        out
    }

    /// What these messages of one side say, in shingles of three words.
    pub fn side(texts: &[&str]) -> Side {
        let (mut side, mut shingler) = (Side::default(), Shingler::new(3));
        texts.iter().for_each(|text| shingler.add::<true>(text, &mut side));
        side.finish();
        side
    }

    #[test]
    fn words_and_characters() {
        let words = |words: &[&str]| words.iter().map(|word| Token::of(word.as_bytes()).hash()).collect::<Vec<_>>();
        for (text, expected) in [
            ("Hello, WORLD-2!", &["hello", "world", "2"][..]),
            ("a  b\n", &["a", "b"]),
            ("...", &[]),
            ("", &[]),
            ("Größe ÄÖ\u{2014}Ende", &["größe", "äö", "ende"]),
            ("\u{201c}Quoted\u{201d} x", &["quoted", "x"]),
            ("internationaliZation 12345678 123456789", &["internationalization", "12345678", "123456789"]),
            ("私はAI", &["私", "は", "ai"]),
            ("AI私", &["ai", "私"]),
        ] {
            assert_eq!(tokens(text), words(expected), "{text}");
        }
        assert_eq!(tokens("नमस्ते दुनिया").len(), 2);
        assert_ne!(tokens("ab c"), tokens("a bc"));
    }

    #[test]
    fn only_digits_are_masked() {
        for (word, masked) in [("a1b29c3z", "a0b00c0z"), ("/0123:;@", "/0000:;@"), ("é9é\u{7f}ü", "é0é\u{7f}ü")] {
            let chunk = |text: &str| u64::from_le_bytes(text.as_bytes().try_into().unwrap());
            assert_eq!(without_digits(chunk(word)), chunk(masked), "{word}");
        }
    }

    #[test]
    fn a_word_is_the_same_wherever_it_stands() {
        let words = ["a", "Seven77", "eight888", "nineteen9", "seventeen17lettrs"];
        for word in words {
            for (before, behind) in [(0, 0), (1, 0), (9, 0), (0, 3), (70, 0), (61, 64)] {
                let text = format!("{}{word}{}", " ".repeat(before), " ".repeat(behind));
                let expected = Token::of(word.to_lowercase().as_bytes()).hash();
                assert_eq!(tokens(&text), [expected], "{before} {word} {behind}");
            }
        }
    }

    #[test]
    fn order_and_message_ends_count_and_case_does_not() {
        assert_eq!(side(&["One two  three"]), side(&["one, TWO three!"]));
        assert_ne!(side(&["one two three"]).text, side(&["two one three"]).text);
        assert_ne!(side(&["one two", "three"]).text, side(&["one", "two three"]).text);
    }

    #[test]
    fn symbols_show_in_the_text_and_punctuation_does_not() {
        for (one, other, same) in [
            ("what is c++", "what is c#", false),
            ("a < b", "a > b", false),
            ("good 👍", "good 👎", false),
            ("so, it is", "So it is!", true),
            ("**so** it is", "so it is", true),
            ("「はい」", "はい。", true),
        ] {
            let (one_side, other_side) = (side(&[one]), side(&[other]));
            assert_eq!(one_side.text == other_side.text, same, "{one}, {other}");
            assert_eq!(one_side.skeleton == other_side.skeleton, same || one.starts_with(['a', 'g', 'w']), "{one}");
        }
    }

    #[test]
    fn digits_show_in_the_text_and_not_in_the_skeleton() {
        let (a, b) = (side(&["pay 120 euros now"]), side(&["pay 999 euros now"]));
        assert_ne!(a.text, b.text);
        assert_eq!(a.skeleton, b.skeleton);
    }

    #[test]
    fn tokens_with_digits_count_in_any_order() {
        for (one, other, same) in [
            ("pay 120 euros by May 3rd", "on May 3RD 120 euros were paid", true),
            ("none at all", "nothing was said", true),
            ("pay 12 euros", "90 euros are due", false),
            ("pay 0 euros", "pay no euros", false),
            ("room 10 on floor 2", "room 2 on floor 10", true),
            ("12 and 12", "12", false),
            ("ادفع ١٢ يورو", "ادفع ٩٠ يورو", false),
            ("๑๒ บาท", "๙๐ บาท", false),
            ("größe 40", "Schuhe in 40", true),
        ] {
            assert_eq!(side(&[one]).digits == side(&[other]).digits, same, "{one}, {other}");
        }
        assert_eq!(side(&["12", "90"]).digits, side(&["90", "then 12"]).digits);
    }
}
