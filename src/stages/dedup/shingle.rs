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
    /// Hash of the tokens in order, and of the same with every digit as 0.
    pub text: u64,
    pub skeleton: u64,
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

    /// One message's text into its side.
    pub fn add(&mut self, text: &str, side: &mut Side) {
        let text = mask_tokens(text);
        self.hashes.clear();
        let hashes = &mut self.hashes;
        let (mut exact, mut skeleton) = (side.text, side.skeleton);
        each_token(&text, &mut self.lower, |token| {
            hashes.push(token.hash);
            exact = mix(exact, token.hash);
            skeleton = mix(skeleton, token.skeleton);
        });
        // The end of a message counts, so that moving a sentence between messages shows.
        (side.text, side.skeleton) = (mix(exact, 1), mix(skeleton, 1));
        side.tokens += self.hashes.len() as u32;
        if self.hashes.len() < self.words {
            // A message shorter than a shingle still says something.
            if !self.hashes.is_empty() {
                side.shingles.push(self.hashes.iter().fold(2, |sum, &hash| mix(sum, hash)));
            }
            return;
        }
        side.shingles
            .extend(self.hashes.windows(self.words).map(|window| window.iter().fold(3, |sum, &hash| mix(sum, hash))));
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
    bytes: u32,
}

impl Token {
    /// FNV-1a's step with a 64-bit odd multiplier; [`Token::done`] scrambles what comes out.
    #[inline]
    fn push(&mut self, byte: u8) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let masked = if byte.is_ascii_digit() { b'0' } else { byte };
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(STEP);
        self.skeleton = (self.skeleton ^ u64::from(masked)).wrapping_mul(STEP);
        self.bytes += 1;
    }

    fn of(text: &str) -> Token {
        let mut token = Token::default();
        text.bytes().for_each(|byte| token.push(byte));
        token
    }

    #[inline]
    fn done(self) -> Token {
        let end = u64::from(self.bytes) << 56;
        Token { hash: scramble(self.hash ^ end), skeleton: scramble(self.skeleton ^ end), bytes: self.bytes }
    }
}

/// The finalizer of MurmurHash3 with Stafford's constants ("Mix13").
pub(super) fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Lower-case letter or digit, or 0 for what stands between words.
const WORD: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Calls `see` with every token, lower-cased.
fn each_token(text: &str, lower: &mut String, mut see: impl FnMut(Token)) {
    if text.is_ascii() {
        let mut token = Token::default();
        for byte in text.bytes() {
            match WORD[usize::from(byte & 127)] {
                0 if token.bytes > 0 => see(std::mem::take(&mut token).done()),
                0 => {}
                letter => token.push(letter),
            }
        }
        if token.bytes > 0 {
            see(token.done());
        }
        return;
    }
    each_word(text, lower, |word| see(Token::of(word).done()));
}

/// The same for text of any script.
fn each_word(text: &str, lower: &mut String, mut see: impl FnMut(&str)) {
    lower.clear();
    for c in text.chars() {
        if !c.is_alphanumeric() && !is_mark(c) || stands_alone(c) {
            if !lower.is_empty() {
                see(lower);
                lower.clear();
            }
            if stands_alone(c) {
                see(c.encode_utf8(&mut [0; 4]));
            }
        } else {
            lower.extend(c.to_lowercase());
        }
    }
    if !lower.is_empty() {
        see(lower);
    }
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
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        each_word(text, &mut String::new(), |word| out.push(word.to_owned()));
        out
    }

    fn side(texts: &[&str]) -> Side {
        let (mut side, mut shingler) = (Side::default(), Shingler::new(3));
        texts.iter().for_each(|text| shingler.add(text, &mut side));
        side.finish();
        side
    }

    #[test]
    fn words_and_characters() {
        assert_eq!(tokens("Hello, WORLD-2!"), ["hello", "world", "2"]);
        assert_eq!(tokens("Größe ÄÖ"), ["größe", "äö"]);
        assert_eq!(tokens("私はAI"), ["私", "は", "ai"]);
        assert_eq!(tokens("नमस्ते दुनिया").len(), 2);
    }

    #[test]
    fn the_fast_path_for_ascii_sees_the_same_words() {
        let hashes = |text: &str| {
            let mut hashes = Vec::new();
            each_token(text, &mut String::new(), |token| hashes.push(token.hash));
            hashes
        };
        for text in ["Hello, WORLD-2!", "a  b\n", "", "...", "x"] {
            // With a character of another script behind it, the text takes the slow path.
            let slow = hashes(&format!("{text} 私"));
            assert_eq!(hashes(text), slow[..slow.len() - 1], "{text}");
        }
        assert_ne!(hashes("ab c"), hashes("a bc"));
    }

    #[test]
    fn order_and_message_ends_count_and_case_does_not() {
        assert_eq!(side(&["One two  three"]), side(&["one, TWO three!"]));
        assert_ne!(side(&["one two three"]).text, side(&["two one three"]).text);
        assert_ne!(side(&["one two", "three"]).text, side(&["one", "two three"]).text);
    }

    #[test]
    fn digits_show_in_the_text_and_not_in_the_skeleton() {
        let (a, b) = (side(&["pay 120 euros now"]), side(&["pay 999 euros now"]));
        assert_ne!(a.text, b.text);
        assert_eq!(a.skeleton, b.skeleton);
    }
}
