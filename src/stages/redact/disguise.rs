//! Writes values the way people, programs and evaders disguise them.
//!
//! Not here: seeing through it (`view`). Canaries and tests plant what is made here.
//!
//! Always: a disguise is a function of the value alone, and a reader with patience gets the value
//! back; one that does not touch a value (no `@` to spell) leaves it plain.

/// A way of writing a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disguise {
    Plain,
    /// A zero-width space after every third character.
    ZeroWidth,
    FullWidth,
    /// No-break space and hyphen, one-dot leader.
    NoBreak,
    /// Cyrillic а, е, о.
    Cyrillic,
    /// Arabic-Indic digits.
    ArabicDigits,
    Base64,
    Percent,
    /// `\u0040`.
    JsonUnicode,
    HtmlEntities,
    /// " at " and " dot ".
    AtDot,
    /// Over two messages.
    SplitTurns,
    Hex,
    /// Over two lines.
    Wrapped,
    /// A JSON document in a JSON string.
    JsonInJson,
}

impl Disguise {
    pub const ALL: [Disguise; 15] = [
        Disguise::Plain,
        Disguise::ZeroWidth,
        Disguise::FullWidth,
        Disguise::NoBreak,
        Disguise::Cyrillic,
        Disguise::ArabicDigits,
        Disguise::Base64,
        Disguise::Percent,
        Disguise::JsonUnicode,
        Disguise::HtmlEntities,
        Disguise::AtDot,
        Disguise::SplitTurns,
        Disguise::Hex,
        Disguise::Wrapped,
        Disguise::JsonInJson,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Disguise::Plain => "plain",
            Disguise::ZeroWidth => "zero-width",
            Disguise::FullWidth => "full-width",
            Disguise::NoBreak => "no-break",
            Disguise::Cyrillic => "cyrillic",
            Disguise::ArabicDigits => "arabic-digits",
            Disguise::Base64 => "base64",
            Disguise::Percent => "percent",
            Disguise::JsonUnicode => "json-unicode",
            Disguise::HtmlEntities => "html-entities",
            Disguise::AtDot => "at-dot",
            Disguise::SplitTurns => "split-turns",
            Disguise::Hex => "hex",
            Disguise::Wrapped => "wrapped",
            Disguise::JsonInJson => "json-in-json",
        }
    }

    /// The value as it stands in the text, and what stands at the start of the next message if it
    /// goes on there.
    pub fn write(self, value: &str) -> (String, Option<String>) {
        let each = |write: fn(char) -> char| value.chars().map(write).collect::<String>();
        let bytes = |write: fn(u8) -> String| value.bytes().map(write).collect::<String>();
        let written = match self {
            Disguise::Plain => value.to_owned(),
            Disguise::ZeroWidth => zero_width(value),
            Disguise::FullWidth => each(full_width),
            Disguise::NoBreak => each(|c| match c {
                ' ' => '\u{a0}',
                '-' => '\u{2011}',
                '.' => '\u{2024}',
                c => c,
            }),
            Disguise::Cyrillic => each(|c| match c {
                'a' => 'а',
                'e' => 'е',
                'o' => 'о',
                'A' => 'А',
                'E' => 'Е',
                'O' => 'О',
                c => c,
            }),
            Disguise::ArabicDigits => each(|c| {
                let digit = c.to_digit(10).and_then(|digit| char::from_u32(0x660 + digit));
                digit.unwrap_or(c)
            }),
            Disguise::Base64 => base64(value.as_bytes()),
            Disguise::Percent => bytes(|byte| format!("%{byte:02X}")),
            Disguise::JsonUnicode => value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(),
            Disguise::HtmlEntities => value.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
            Disguise::AtDot => value.replace('@', " at ").replace('.', " dot "),
            Disguise::SplitTurns => {
                let (first, second) = value.split_at(middle(value));
                return (first.to_owned(), Some(second.to_owned()));
            }
            Disguise::Hex => bytes(|byte| format!("{byte:02x}")),
            Disguise::Wrapped => {
                let (first, second) = value.split_at(middle(value));
                format!("{first}\n{second}")
            }
            Disguise::JsonInJson => {
                let inner = serde_json::json!({ "value": value }).to_string();
                serde_json::json!({ "inner": inner }).to_string()
            }
        };
        (written, None)
    }
}

/// The last character boundary in the first half.
fn middle(value: &str) -> usize {
    value.floor_char_boundary(value.len() / 2)
}

fn zero_width(value: &str) -> String {
    let mut written = String::with_capacity(value.len() * 2);
    for (place, c) in value.chars().enumerate() {
        if place > 0 && place % 3 == 0 {
            written.push('\u{200b}');
        }
        written.push(c);
    }
    written
}

fn full_width(c: char) -> char {
    match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
        c => c,
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0usize, |bits, place| bits << 8 | usize::from(three.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            let letter = char::from(LETTERS[bits >> (18 - 6 * place) & 63]);
            written.push(if place <= three.len() { letter } else { '=' });
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_disguised() {
        for (disguise, written) in [
            (Disguise::ZeroWidth, "a.b\u{200b}@c."),
            (Disguise::FullWidth, "ａ．ｂ＠ｃ．"),
            (Disguise::NoBreak, "a\u{2024}b@c\u{2024}"),
            (Disguise::Cyrillic, "а.b@c."),
            (Disguise::Base64, "YS5iQGMu"),
            (Disguise::Percent, "%61%2E%62%40%63%2E"),
            (Disguise::JsonUnicode, r"\u0061\u002e\u0062\u0040\u0063\u002e"),
            (Disguise::HtmlEntities, "&#97;&#46;&#98;&#64;&#99;&#46;"),
            (Disguise::AtDot, "a dot b at c dot "),
            (Disguise::Hex, "612e6240632e"),
            (Disguise::Wrapped, "a.b\n@c."),
            (Disguise::JsonInJson, r#"{"inner":"{\"value\":\"a.b@c.\"}"}"#),
        ] {
            assert_eq!(disguise.write("a.b@c."), (written.to_owned(), None));
        }
        assert_eq!(Disguise::SplitTurns.write("abcd"), ("ab".to_owned(), Some("cd".to_owned())));
        assert_eq!(Disguise::ArabicDigits.write("10").0, "١٠");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(b"a"), "YQ==");
    }
}
