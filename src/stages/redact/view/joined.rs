//! Values that a line end or the end of a message cuts in two.
//!
//! Not here: walking the messages (`conversation`).
//!
//! Always: a join is tried only where both sides look like parts of one value; what is found must
//! hold both sides; a value that is whole on one side is never made longer by a word of the other.

use super::super::detect::{Span, may_go_on};
use super::super::kind::{Group, Kind};
use super::super::pseudonym;
use super::edges::{AFTER_BYTES, BEFORE_BYTES, SECRET_MIN_BYTES, is_announced_part, is_number_part, is_part, is_token};
use super::{Search, names};
use crate::eight;

const ROW_MAX_BYTES: usize = 512;

/// A value that lies on both sides of a cut.
pub struct Crossing {
    /// How many of the last bytes before the cut, and of the first after it, belong to it.
    pub before_bytes: usize,
    pub after_bytes: usize,
    /// Its kind and rule; its place means nothing.
    pub span: Span,
    pub value: String,
}

/// The value across the cut between two texts.
pub(super) fn across(before: &str, after: &str, search: Search) -> Option<Crossing> {
    let (before, after) = (ending(before), beginning(after));
    joiner(before, after, search)?(before, after, search)
}

type Join = fn(&str, &str, Search) -> Option<Crossing>;

/// How two sides are joined that may be parts of something.
fn joiner(before: &str, after: &str, search: Search) -> Option<Join> {
    match () {
        () if may_join(before, after, search) => Some(join),
        () if search.names_of_all && names::may_join(before, after) => Some(names::join),
        () => None,
    }
}

/// The same for sides that may be joined, as far as they are looked at.
fn join(before: &str, after: &str, search: Search) -> Option<Crossing> {
    let hyphen = before.strip_suffix(['-', '=']).filter(|rest| rest.ends_with(|c: char| c.is_ascii_alphanumeric()));
    let tries = [(Some(before), ""), (Some(before), " "), (hyphen, "")];
    let mut best: Option<Crossing> = None;
    let mut found = Vec::new();
    for (head, joiner) in tries.into_iter().filter_map(|(head, joiner)| head.map(|head| (head, joiner))) {
        let joined = format!("{head}{joiner}{after}");
        (search.plain)(&joined, &mut found);
        let cut = head.len();
        let crosses = |span: &&Span| (span.start_byte as usize) < cut && span.end_byte as usize > cut + joiner.len();
        let Some(span) = found.iter().find(crosses).copied() else { continue };
        let (start, end) = (span.start_byte as usize, span.end_byte as usize);
        let crossing = Crossing {
            before_bytes: before.len() - start,
            after_bytes: end - cut - joiner.len(),
            span,
            value: joined[start..end].to_owned(),
        };
        let longer = best
            .as_ref()
            .is_none_or(|best| crossing.before_bytes + crossing.after_bytes > best.before_bytes + best.after_bytes);
        if longer && is_one(before, after, &crossing, search) && search.answers(&joined, span) {
            best = Some(crossing);
        }
    }
    best
}

/// All values across the line ends of a text, as places in it.
pub(super) fn lines(text: &str, search: Search, mut found: impl FnMut(std::ops::Range<usize>, Crossing)) {
    /// One try for so many bytes: line ends that are denser are those of a table.
    const TRY_EVERY_BYTES: usize = 256;
    const TRIES_SAVED_MAX: usize = 64;
    let bytes = text.as_bytes();
    let (mut tries, mut counted) = (8, 0);
    for line_end in memchr::memchr_iter(b'\n', bytes) {
        let gap = bytes[..line_end].iter().rev().take(4).take_while(|byte| b" \r".contains(byte)).count();
        let before = line_end - gap;
        let soft = text[..before].ends_with("\u{ad}");
        let before = before - if soft { 2 } else { 0 };
        // Indents and the marks of quoted mail.
        let indent = bytes[line_end + 1..].iter().take(16).take_while(|byte| b" \t>".contains(byte)).count();
        let after = line_end + 1 + indent;
        if before == 0 || !bytes.get(before - 1).is_some_and(is_part) || !bytes.get(after).is_some_and(is_part) {
            continue;
        }
        let (head, rest) = (ending(&text[..before]), beginning(&text[after..]));
        let Some(join) = joiner(head, rest, search) else { continue };
        tries = (tries + (line_end - counted) / TRY_EVERY_BYTES).min(TRIES_SAVED_MAX);
        counted += (line_end - counted) / TRY_EVERY_BYTES * TRY_EVERY_BYTES;
        if tries == 0 {
            continue;
        }
        tries -= 1;
        if let Some(crossing) = join(head, rest, search) {
            found(before - crossing.before_bytes..after + crossing.after_bytes, crossing);
        }
    }
}

/// As much of a text as may belong to a value that goes on behind it, with the words that speak for it.
fn ending(text: &str) -> &str {
    let row = text.bytes().rev().take(ROW_MAX_BYTES).take_while(|byte| is_token(*byte)).count();
    &text[text.ceil_char_boundary(text.len().saturating_sub(BEFORE_BYTES.max(row + AFTER_BYTES)))..]
}

/// As much of a text as may belong to a value that began before it.
fn beginning(text: &str) -> &str {
    let row = text.bytes().take(ROW_MAX_BYTES).take_while(|byte| is_token(*byte)).count();
    &text[..text.floor_char_boundary(AFTER_BYTES.max(row + 1))]
}

/// Words that make digits on both sides of a cut one number.
const SAID: &str = "ssn,social,card,visa,mastercard,amex,credit,debit,phone,tel,call,mobile,cell,number,\
    account,iban,bank,passport,tax,id ,id:,nummer,numero,número,numéro,tarjeta,carte,karte,\
    номер,电话,卡,番号,번호,카드";

/// Cheap: both sides look like parts of one value.
fn may_join(before: &str, after: &str, search: Search) -> bool {
    // Long rows on both sides are a block of base64.
    const ROW_BYTES: usize = 60;
    if may_go_on(before, after) {
        return true;
    }
    let left = before.as_bytes().iter().rev().take_while(|byte| is_token(**byte)).count();
    let right = after.as_bytes().iter().take_while(|byte| is_token(**byte)).count();
    // Bytes above 0x7f belong to tokens, so that these are character boundaries.
    let (last, first) = (&before[before.len() - left..], &after[..right]);
    if is_url_cut(last, first) {
        return true;
    }
    let telling = |byte: &u8| byte.is_ascii_digit() || *byte == b'@';
    let around = before.bytes().rev().take(48).chain(after.bytes().take(48));
    let told = || around.fold(false, |any, byte| any | telling(&byte));
    if !is_capital_cut(before.as_bytes(), after.as_bytes()) && !told() && !is_chance(last, first) {
        return false;
    }
    // Keys have their name in front: `sk-`.
    let named = |row: &[u8]| row.iter().take(12).any(|byte| b"-_.".contains(byte));
    if left >= ROW_BYTES && right >= ROW_BYTES && !named(last.as_bytes()) {
        return false;
    }
    let first = first.trim_end_matches(['.', '-', '/']);
    if (last.contains('@') || first.contains('@')) && !last.is_empty() && !first.is_empty() {
        return true;
    }
    if is_secret_cut(last, first) || is_form_cut(before, after) {
        return true;
    }
    let digits = |row: &mut dyn Iterator<Item = u8>| row.filter(u8::is_ascii_digit).count();
    let left = digits(&mut before.bytes().rev().take_while(|byte| is_number_part(*byte)));
    let right = digits(&mut after.bytes().take_while(|byte| is_number_part(*byte)));
    let number = left >= 1 && right >= 1 && left + right >= 8;
    number && (dangles(before, after) || said(before) || is_iban_head(before)) || is_announced(before, after, search)
}

/// Parts with digits of what the words before them announce.
fn is_announced(before: &str, after: &str, search: Search) -> bool {
    let left = before.bytes().rev().take_while(|byte| is_announced_part(*byte));
    let right = after.bytes().take_while(|byte| is_announced_part(*byte));
    let digits = |row: &mut dyn Iterator<Item = u8>| row.filter(u8::is_ascii_digit).count();
    // What follows begins no sentence.
    let odd = right.clone().any(|byte| byte.is_ascii_digit()) || !right.clone().any(|byte| byte.is_ascii_lowercase());
    odd && right.clone().next().is_some()
        && left.clone().next().is_some()
        && digits(&mut left.clone()) + digits(&mut right.clone()) >= 2
        && (search.told)(before, before.len()..before.len())
}

/// The sign that joins the parts of an address or a zone stands at the cut.
fn is_form_cut(before: &str, after: &str) -> bool {
    let (left, right) = (before.as_bytes(), after.as_bytes());
    let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    match (left.last(), right.first()) {
        (Some(b'<'), Some(b'<' | b'A'..=b'Z' | b'0'..=b'9')) => left.ends_with(b"<<"),
        (Some(b'.' | b':' | b','), first) => hex(left.get(left.len().wrapping_sub(2))) && hex(first),
        (last, Some(b'.' | b':')) => hex(last) && hex(right.get(1)),
        _ => false,
    }
}

/// The cut left a hyphen at one side.
fn dangles(before: &str, after: &str) -> bool {
    let day = after.as_bytes().get(4) == Some(&b'-') && after.bytes().take(4).all(|byte| byte.is_ascii_digit());
    (before.ends_with('-') && !day) || (after.starts_with('-') && after[1..].starts_with(|c: char| c.is_ascii_digit()))
}

fn said(before: &str) -> bool {
    // The name of a token says nothing of what follows.
    let from = pseudonym::tokens(before).last().map_or(0, |(_, _, end)| end);
    let before = &before[from..];
    let near = before[before.floor_char_boundary(before.len().saturating_sub(64))..].to_lowercase();
    SAID.split(',').any(|word| near.contains(word))
}

/// So many small letters with a capital behind are chance, as in a key without digits. Few names of
/// programs have as many.
const KEY_HUMPS: usize = 3;

fn humps(row: &str) -> usize {
    let next = |from: usize| eight::next_hump(row.as_bytes(), from);
    std::iter::successors(next(0), |hump| next(hump + 1)).count()
}

fn is_chance(last: &str, first: &str) -> bool {
    humps(last) + humps(first) >= KEY_HUMPS
}

/// Capitals on both sides: of a key, if of anything.
fn is_capital_cut(before: &[u8], after: &[u8]) -> bool {
    before.last().is_some_and(u8::is_ascii_uppercase) && after.first().is_some_and(u8::is_ascii_uppercase)
}

/// Some line end is: all that a text of letters alone may hold.
pub(super) fn has_capital_cut(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\n', bytes).any(|end| is_capital_cut(&bytes[..end], &bytes[end + 1..]))
}

/// An address of the web whose host goes on behind the cut, with a sign that words have not.
fn is_url_cut(last: &str, first: &str) -> bool {
    let host = last.strip_prefix("//").or_else(|| last.starts_with("www.").then_some(last));
    host.is_some_and(|host| !host.contains('/')) && first.trim_end_matches('.').contains(['/', '.', '='])
}

/// Two words that may be one token: long, with digits, and the first is no word.
fn is_secret_cut(last: &str, first: &str) -> bool {
    let both = || last.bytes().chain(first.bytes());
    if last.len() < 2 || first.len() < 2 || last.len() + first.len() < SECRET_MIN_BYTES {
        return false;
    }
    if both().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return true;
    }
    if !both().any(|byte| byte.is_ascii_digit()) && !is_chance(last, first) {
        return false;
    }
    let has = |class: fn(&u8) -> bool| last.as_bytes().iter().any(class);
    let word = !has(u8::is_ascii_digit)
        && (!has(u8::is_ascii_uppercase) || last.bytes().skip(1).all(|b| b.is_ascii_lowercase()));
    let dots = last.starts_with("eyJ");
    !word && both().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte) || (dots && byte == b'.'))
}

/// Two capitals and two digits begin a word, and nothing but their like follows.
fn is_iban_head(before: &str) -> bool {
    let row = before
        .bytes()
        .rev()
        .take(40)
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ');
    before[before.len() - row.count()..].split(' ').any(|word| {
        let head = word.as_bytes().first_chunk::<4>();
        head.is_some_and(|head| {
            head[..2].iter().all(u8::is_ascii_uppercase) && head[2..].iter().all(u8::is_ascii_digit)
        })
    })
}

/// The crossing value is one value, not two things side by side.
fn is_one(before: &str, after: &str, crossing: &Crossing, search: Search) -> bool {
    let mut found = Vec::new();
    (search.plain)(before, &mut found);
    // What is left alone is no part of anything.
    let alone = |text: &str, span: &Span| !search.answers(text, *span);
    let start = before.len() - crossing.before_bytes;
    if is_shown(&before[..start]) || found.iter().any(|span| span.end_byte as usize > start && alone(before, span)) {
        return false;
    }
    // A stop behind it ends a sentence: what is whole before that goes on nowhere.
    let ended = before.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    let left = found.last().filter(|span| span.end_byte as usize >= ended.len()).map(|span| span.kind);
    (search.plain)(after, &mut found);
    if found.iter().any(|span| (span.start_byte as usize) < crossing.after_bytes && alone(after, span)) {
        return false;
    }
    let right = found.first().filter(|span| span.start_byte == 0).map(|span| span.kind);
    let kind = crossing.span.kind;
    if kind == Kind::Email {
        return is_one_email(before, after, crossing, left == Some(kind), right == Some(kind));
    }
    // What a checksum or a prefix proves may hold the looks of something weaker.
    let proved = matches!(kind.group(), Group::Secret | Group::Government) || kind == Kind::Iban || kind == Kind::Card;
    let whole = |part: Option<Kind>| part.is_some_and(|part| part == kind || part.is_secret() || !proved);
    let bare = found.first().is_none_or(|span| span.start_byte as usize >= crossing.after_bytes);
    if left == Some(kind) && bare && is_rest(after, crossing) {
        return true;
    }
    if kind == Kind::Url && right.is_none() {
        let head = &before[before.len() - crossing.before_bytes..];
        return is_url_cut(head.split_once(':').map_or(head, |(_, head)| head), &after[..crossing.after_bytes]);
    }
    if whole(left) || (whole(right) && !dangles(before, after)) {
        return false;
    }
    let columns = is_number(before.rsplit('\n').next()) && is_number(after.lines().next());
    match kind.group() {
        Group::Secret => true,
        Group::Name => false,
        _ if kind == Kind::Iban || has_form(kind, before, after) => true,
        _ if columns => false,
        // Cards and phone numbers have words of their own, and look like other numbers.
        _ if kind == Kind::Card || kind == Kind::Phone => dangles(before, after) || said(before),
        _ => dangles(before, after) || said(before) || (search.told)(before, before.len()..before.len()),
    }
}

/// Kinds that are told by their form, if the cut is where it may be.
fn has_form(kind: Kind, before: &str, after: &str) -> bool {
    match kind {
        Kind::Mac | Kind::Ip | Kind::Geo | Kind::Mrz => is_form_cut(before, after),
        Kind::CryptoAddress | Kind::Vin => true,
        _ => false,
    }
}

/// What follows a value that could be whole is no word: the rest of a key, or all that its line says.
fn is_rest(after: &str, crossing: &Crossing) -> bool {
    let (row, behind) = after.split_at(crossing.after_bytes);
    let has = |class: fn(&u8) -> bool| row.as_bytes().iter().any(class);
    let password = crossing.span.kind == Kind::Password;
    let part = |byte: u8| (is_token(byte) || password && byte.is_ascii_graphic()) && !b":=/,".contains(&byte);
    let chance = has(u8::is_ascii_digit) || humps(row) >= KEY_HUMPS;
    let token = row.len() >= 4 && row.bytes().all(part) && chance;
    let alone = behind.trim_start_matches(['.', '!', '?', ',', ' ', '\r']);
    let key = crossing.span.kind.is_secret()
        && row.len() >= SECRET_MIN_BYTES
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase);
    token && (key || alone.is_empty() || alone.starts_with('\n'))
}

/// What follows is what a mask shows of a value: `**-**-0173`. The stars of Markdown follow a word
/// or stand right before one.
fn is_shown(before: &str) -> bool {
    const BETWEEN: [char; 6] = ['-', '.', '(', ')', '/', '+'];
    let head = before.trim_end_matches(' ').trim_end_matches(BETWEEN);
    let rest = head.trim_end_matches('*');
    let (stars, apart) = (head.len() - rest.len(), head.len() < before.len());
    stars >= 3 || (stars > 0 && apart && (rest.ends_with(BETWEEN) || rest.trim_end_matches(' ').ends_with('*')))
}

fn is_number(line: Option<&str>) -> bool {
    line.is_some_and(|line| line.bytes().all(|byte| byte.is_ascii_digit() || b" .,-+()/\t".contains(&byte)))
}

const USUAL: [&str; 8] = ["com", "net", "org", "edu", "gov", "info", "dev", "app"];

/// What stands behind `@functools.wraps` at the beginning of a line of a program.
fn is_decorator(behind: &str) -> bool {
    const DECORATED: [&str; 5] = ["def ", "class ", "async ", "@", "export "];
    let next = behind.strip_prefix("\r\n").or_else(|| behind.strip_prefix('\n')).map(str::trim_start);
    behind.starts_with(['(', '_']) || next.is_some_and(|next| DECORATED.iter().any(|word| next.starts_with(word)))
}

fn is_one_email(before: &str, after: &str, crossing: &Crossing, left: bool, right: bool) -> bool {
    let top = crossing.value.rsplit('.').next().unwrap_or("");
    let usual = |top: &str| USUAL.iter().any(|known| top.eq_ignore_ascii_case(known));
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    let part = before[before.len() - crossing.before_bytes..].trim_end_matches('.');
    if left {
        // `jane@uni.he` is whole, too; what follows must end the domain.
        let in_top = crossing.after_bytes < top.len();
        let longer = after[..crossing.after_bytes].contains('.') && (usual(top) || top.len() == 2);
        let open = !usual(part.rsplit('.').next().unwrap_or(""));
        return open && ((in_top && usual(top) && ends(&after[crossing.after_bytes..])) || longer);
    }
    // The last label was cut: what came out must be one that is used.
    if crossing.after_bytes <= top.len() && !(usual(top) || top.len() == 2) {
        return false;
    }
    if after.starts_with('@') && !usual(top) && is_decorator(&after[crossing.after_bytes..]) {
        return false;
    }
    if part.contains('@') || !right {
        return true;
    }
    // The part after the cut is an address by itself. The word before it belongs to it if it looks
    // like no word, or if something was about to be named.
    let head = before[..before.len() - crossing.before_bytes].trim_end_matches(['<', '"', '\'', '(', ' ']);
    let named = [":", "=", " is", " to", " at", "mail", "address", "mailto:"];
    let odd = part.contains(|c: char| c.is_ascii_digit() || "._-+".contains(c));
    let word =
        ["is", "to", "at", "mail", "email", "address", "me", "contact"].iter().any(|w| part.eq_ignore_ascii_case(w));
    odd || (!word && named.iter().any(|cue| head.to_ascii_lowercase().ends_with(cue)))
}

#[cfg(test)]
mod tests {
    use crate::stages::redact::detect::tests::{finds, rules_only};
    use crate::stages::redact::kind::Kind;
    use crate::stages::redact::rule::expand;

    #[test]
    fn values_go_over_line_ends() {
        for (text, kind, found) in [
            ("my ssn is 123-45-\n6789.", Kind::Ssn, &["123-45-\n6789"][..]),
            ("ssn: 123-\r\n    45-6789", Kind::Ssn, &["123-\r\n    45-6789"]),
            ("> my card is 4111 1111 11\n> 11 1111 ok", Kind::Card, &["4111 1111 11\n> 11 1111"]),
            ("iban GB82 WEST 12\n34 5698 7654 32", Kind::Iban, &["GB82 WEST 12\n34 5698 7654 32"]),
            ("call +1 202 \n555 0173 now", Kind::Phone, &["+1 202 \n555 0173"]),
            ("mail jane@exam\nple.com now", Kind::Email, &["jane@exam\nple.com"]),
            ("mail jane@exam=\nple.com now", Kind::Email, &["jane@exam=\nple.com"]),
            ("mail jane.doe\n@example.com(work)", Kind::Email, &["jane.doe\n@example.com"]),
            ("mail is jane.do\ne@example.com", Kind::Email, &["jane.do\ne@example.com"]),
            ("KVNR A7989\n60963 thanks", Kind::DeHealthInsurance, &["A7989\n60963"]),
            ("my IP address is 198.19\n.87.96", Kind::Ip, &["198.19\n.87.96"]),
            ("the mac is 02:7f:27\n:7a:ea:3e", Kind::Mac, &["02:7f:27\n:7a:ea:3e"]),
            ("username is lecyjn\n_mxv66", Kind::Username, &["lecyjn\n_mxv66"]),
            ("my PIN is 79\n27", Kind::Pin, &["79\n27"]),
            ("She was born on 1971-\n07-16", Kind::DateOfBirth, &["1971-\n07-16"]),
            ("my password is ONw6aL\n3HWd!04", Kind::Password, &["ONw6aL\n3HWd!04"]),
            ("mail jane@example.co\nm", Kind::Email, &["jane@example.co\nm"]),
            ("see https://www.anxr\neazgm.org/kaeayj ok", Kind::Url, &["https://www.anxr\neazgm.org/kaeayj"]),
            ("* card: **4111 1111\n1111 1111**", Kind::Card, &["4111 1111\n1111 1111"]),
            ("**card:** 4111 1111\n1111 1111", Kind::Card, &["4111 1111\n1111 1111"]),
        ] {
            finds(text, kind, found);
        }
        // Keys without a digit, as one in thirty is.
        for (prefix, rest, kind) in
            [("sk_", "live_LAnglrpf\nvJNTkEPMhZrcATad", Kind::StripeKey), ("AKIA", "RRHAZF\nEAOMMJMGII", Kind::AwsKey)]
        {
            let token = format!("{prefix}{rest}");
            finds(&format!("my key is {token}"), kind, &[&token]);
        }
        let token = expand("ghp_{b62:14}\n{b62:22}");
        finds(&format!("token {token}\nbye"), Kind::GithubToken, &[&token]);
    }

    #[test]
    fn lines_that_stand_by_themselves_stay_apart() {
        for (text, kind, found) in [
            ("Write to\njane@example.com\nThanks", Kind::Email, &["jane@example.com"][..]),
            ("Jane\njane@example.com", Kind::Email, &["jane@example.com"]),
            ("jane@example.com\njim@example.org", Kind::Email, &["jane@example.com", "jim@example.org"]),
            ("ssn 123-45-6789\n2024", Kind::Ssn, &["123-45-6789"]),
            ("Write to jane@example.com.\nIt opens at nine.", Kind::Email, &["jane@example.com"]),
            ("I am jane@example.com.\nOn the second floor.", Kind::Email, &["jane@example.com"]),
            ("number\n12345678\n90123456\n", Kind::Card, &[]),
            ("total 41111111\n11111111\n22222222", Kind::Card, &[]),
            ("took 123\n2024-05-01 10:00:00", Kind::Phone, &[]),
            ("import _collections_abc\n    @functools.wraps(func)", Kind::Email, &[]),
            ("    @property\n    @abc.abstractmethod\n    def foo(self):", Kind::Email, &[]),
            ("password=Prl23Db#@\npw:Prl24Db#@", Kind::Password, &["Prl23Db#@", "Prl24Db#@"]),
            ("my PIN is 7927\n2024 was a year", Kind::Pin, &["7927"]),
            ("659F 6697 6689\n6698 668D", Kind::Card, &[]),
            ("call 202\n555 tickets 0173", Kind::Phone, &[]),
            ("card ****-****-****-1111\n1111 1111 1111", Kind::Card, &[]),
            ("see https://example.com/a\nsrc/main.rs is it", Kind::Url, &["https://example.com/a"]),
            ("see https://example.com\nThanks.", Kind::Url, &["https://example.com"]),
        ] {
            finds(text, kind, found);
        }
    }

    /// Line ends in a row must not make the search quadratic: that would take minutes.
    #[test]
    fn rows_of_beginnings_are_linear() {
        let (detector, mut spans) = (rules_only(), Vec::new());
        for start in ["a@\n", "ssn 1-\n2", "iban GB12\n3456", "AKIA\n", "1-\n", "a1_\n"] {
            detector.find(&start.repeat(300_000 / start.len()), &mut spans);
            assert_eq!(spans, [], "{start}");
        }
    }
}
