//! E-mail addresses: parsed by hand around each `@`.
//!
//! Not here: phones (`phone`), addresses spelled out ("jane at example dot com").
//!
//! Always: work around one `@` is bounded, so a text of a million `@` costs no more per byte.

use super::edge::{before, escape_before, is_cjk};
use super::{Kind, Rule, Span};

pub(super) static RULES: [&Rule; 1] = [&ADDRESS];

static ADDRESS: Rule = Rule {
    id: "email.address",
    version: 2,
    kind: Kind::Email,
    country: "",
    score: 0.95,
    check: "lengths of RFC 5321 and 1035, a top-level domain of letters or punycode that is no file ending",
    context: &[],
    source: "RFC 5321, RFC 1035, RFC 6531",
    finds: &["mail ‹jane@example.com›.", "‹jörg@münchen.de› и ‹почта@пример.рф›", r#"{"email":"‹jane@example.com›"}"#],
    passes: &["icon@2x.png", "lodash@4.17.21", "git@github.com:org/repo.git", "user@localhost"],
};

/// RFC 5321 says 64; longer ones are still redacted, up to here.
const LOCAL_MAX_BYTES: usize = 256;
/// RFC 1035.
const DOMAIN_MAX_BYTES: usize = 253;
const LABEL_MAX_BYTES: usize = 63;

/// Not top-level domains, but what follows the last dot in `icon@2x.png`.
const FILE_ENDINGS: [&str; 14] =
    ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html", "txt", "exe", "pdf", "xml"];

pub(super) fn emails(text: &str, out: &mut Vec<Span>) {
    let mut free_from = 0;
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        let Some(start) = local_start(text, at, free_from) else { continue };
        let Some(end) = domain_end(text, at + 1) else { continue };
        // `git@github.com:org/repo.git` names a host, not a person.
        let scp = text[end..].starts_with(':')
            && text[end + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '~' || c == '/');
        if scp && &text[start..at] == "git" {
            continue;
        }
        out.push(ADDRESS.at(start, end));
        free_from = end;
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn local_start(text: &str, at: usize, free_from: usize) -> Option<usize> {
    let ascii = before(text, at)?.is_ascii();
    let mut start = at;
    for (place, c) in text[free_from..at].char_indices().rev() {
        let place = free_from + place;
        let fits = match c {
            '.' | '_' | '%' | '+' | '-' => true,
            '\'' => before(text, place).is_some_and(char::is_alphanumeric),
            // `연락처jane@example.com`: the words around are not part of an ASCII local part.
            _ => (c.is_alphanumeric() || is_mark(c)) && !(ascii && is_cjk(c)),
        };
        if !fits || at - place > LOCAL_MAX_BYTES {
            break;
        }
        start = place;
    }
    if start + 1 < at && escape_before(text, start + 1) {
        start += 1;
    }
    let local = &text[start..at];
    let trimmed = local.trim_start_matches(['.', '-', '%', '+', '\'']);
    start += local.len() - trimmed.len();
    let sound = trimmed.chars().any(|c| c.is_alphanumeric() || c == '_') && !trimmed.ends_with('.');
    sound.then_some(start)
}

/// The end of the longest domain at `from` that has at least two labels and a real-looking
/// top-level one; `None` for `user@localhost`, `user@10.0.0.1`, `icon@2x.png`.
fn domain_end(text: &str, from: usize) -> Option<usize> {
    let mut best = None;
    let mut label_from = from;
    loop {
        let label = label(&text[label_from..], label_from > from);
        if label.is_empty() || label.len() > LABEL_MAX_BYTES || label.starts_with('-') {
            break;
        }
        let label_to = label_from + label.len();
        if label_to - from > DOMAIN_MAX_BYTES {
            break;
        }
        let whole = label.trim_end_matches('-');
        if label_from > from && is_top_level(whole) {
            best = Some(label_from + whole.len());
        }
        if whole.len() < label.len() || !text[label_to..].starts_with('.') {
            break;
        }
        label_from = label_to + 1;
    }
    best
}

/// One label. After the first dot, CJK that follows ASCII letters is the next word: `a.com으로`.
fn label(rest: &str, may_be_last: bool) -> &str {
    let mut ascii_letters = 0;
    let end = rest.char_indices().find(|(place, c)| {
        let particle = may_be_last && is_cjk(*c) && ascii_letters >= 2 && ascii_letters == *place;
        ascii_letters += usize::from(c.is_ascii_alphabetic());
        particle || !(c.is_alphanumeric() || is_mark(*c) || *c == '-') || *place > LABEL_MAX_BYTES
    });
    end.map_or(rest, |(place, _)| &rest[..place])
}

fn is_top_level(label: &str) -> bool {
    let punycode = label.len() > 4 && label.is_char_boundary(4) && label[..4].eq_ignore_ascii_case("xn--");
    let letters = label.chars().all(|c| c.is_alphabetic() || is_mark(c)) && label.chars().count() >= 2;
    (letters || punycode) && !FILE_ENDINGS.iter().any(|ending| label.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use crate::stages::redact::detect::tests::finds;
    use crate::stages::redact::kind::Kind;

    #[test]
    fn emails() {
        for (text, found) in [
            ("mail jane@example.com", &["jane@example.com"][..]),
            ("mail jane@example.com.", &["jane@example.com"]),
            (r#"{"email":"jane@example.com"}"#, &["jane@example.com"]),
            (r#"{\"email\":\"jane@example.com\",\njim@example.org"#, &["jane@example.com", "jim@example.org"]),
            (
                "Jane <Jane.Doe+tag@Mail.Example.CO.UK>, mailto:x_y@a-b.de?subject=1",
                &["Jane.Doe+tag@Mail.Example.CO.UK", "x_y@a-b.de"],
            ),
            ("o'brien@example.ie 'quoted@example.ie'", &["o'brien@example.ie", "quoted@example.ie"]),
            ("jörg@münchen.de и почта@пример.рф", &["jörg@münchen.de", "почта@пример.рф"]),
            ("mail a@xn--mnchen-3ya.de or b@example.xn--p1ai", &["a@xn--mnchen-3ya.de", "b@example.xn--p1ai"]),
            ("연락처jane@example.com으로 주세요", &["jane@example.com"]),
            ("a@b.co,c@d.co;e@f.co", &["a@b.co", "c@d.co", "e@f.co"]),
            ("email=jane@example.com&x=1", &["jane@example.com"]),
            ("jane@example.com.123 x", &["jane@example.com"]),
            ("https://user:pw@db.example.com/x", &["pw@db.example.com"]),
            ("**jane@example.com**", &["jane@example.com"]),
            ("jane@example.com-", &["jane@example.com"]),
        ] {
            finds(text, Kind::Email, found);
        }
    }

    #[test]
    fn not_emails() {
        for text in [
            "@handle and @jane.doe.com",
            "user@localhost",
            "root@10.0.0.1",
            "icon@2x.png",
            "lodash@4.17.21",
            "npm i react@latest",
            "git@github.com:org/repo.git",
            "a @ b.com",
            "@@@@",
            "x@-a.com",
            "@",
            "a@",
            "a@b",
            "a@.com",
            "a@b..com",
            ".@a.de",
            "https://medium.com/@jane/post",
        ] {
            finds(text, Kind::Email, &[]);
        }
    }
}
