//! The ten cases of the reference on dedup (section 7): pairs of records, and what should become
//! of them.
//!
//! Always: the same seed gives the same records; ids name case, pair and side.

use crate::words::Chance;

/// A conversation: texts of user and assistant in turn.
pub type Talk = Vec<String>;

/// Two records of one case.
pub struct Pair {
    pub a: Talk,
    pub b: Talk,
    /// One of them should be dropped for the other; else both should stay.
    pub duplicate: bool,
}

pub const CASES: [&str; 11] = [
    "exact copy",
    "case or white space changed",
    "one word replaced",
    "a word in front",
    "5 % appended",
    "snapshot of a longer one",
    "3-8 words, the same",
    "3-8 words, different",
    "same template, other topic",
    "same prompt, other answer",
    "digits only",
];

/// Pair `n` of a case, by its place in [`CASES`].
pub fn pair(seed: u64, case: usize, n: u64) -> Pair {
    let chance = &mut Chance::new(seed, case as u64, n);
    // Where something is changed: in what users say or in what assistants say.
    let side = (n % 2) as usize;
    let duplicate = !matches!(case, 7..=10);
    let (a, b) = match case {
        0 => same(talk(chance, 20, 120)),
        1 if n % 4 < 2 => {
            changed(vec![short(chance), short(chance)], |words, chance| recased(words, chance), chance, 2)
        }
        1 => changed(talk(chance, 20, 120), |words, chance| recased(words, chance), chance, 2),
        2 => changed(talk(chance, 40, 200), |words, chance| replaced(words, chance), chance, side),
        3 => changed(talk(chance, 40, 300), |words, chance| words.insert(0, chance.word()), chance, side),
        4 => changed(talk(chance, 40, 300), appended, chance, side),
        5 => snapshot(chance),
        6 => same(vec![short(chance), short(chance)]),
        7 => few_apart(chance),
        8 => template(chance, n),
        9 => other_answer(chance, n),
        _ => changed(numbers(chance), |words, chance| digits(words, chance), chance, side),
    };
    Pair { a, b, duplicate }
}

fn same(talk: Talk) -> (Talk, Talk) {
    (talk.clone(), talk)
}

/// Two or four turns, each of so many words.
fn talk(chance: &mut Chance, from: usize, to: usize) -> Talk {
    let turns = 2 * chance.between(1, 2);
    (0..turns).map(|_| said(chance, from, to)).collect()
}

fn said(chance: &mut Chance, from: usize, to: usize) -> String {
    let count = chance.between(from, to);
    chance.prose(count).join(" ")
}

fn short(chance: &mut Chance) -> String {
    let count = chance.between(3, 4);
    chance.prose(count).join(" ")
}

/// The same with a change in one turn of a side (0 user, 1 assistant), or in all turns (2).
fn changed(
    talk: Talk,
    mut change: impl FnMut(&mut Vec<String>, &mut Chance),
    chance: &mut Chance,
    side: usize,
) -> (Talk, Talk) {
    let mut other = talk.clone();
    let last = other.len() - 2;
    for (at, text) in other.iter_mut().enumerate() {
        if side == 2 || at == last + side {
            let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            change(&mut words, chance);
            *text = words.join(" ");
        }
    }
    (talk, other)
}

fn recased(words: &mut [String], chance: &mut Chance) {
    for word in words.iter_mut() {
        match chance.below(4) {
            0 => *word = word.to_uppercase(),
            1 => *word = word.to_lowercase(),
            2 => word.push(' '),
            _ => {}
        }
    }
    // At least one change.
    words[0] = format!("  {}", words[0].to_uppercase());
}

fn replaced(words: &mut [String], chance: &mut Chance) {
    let at = chance.between(2, words.len() - 3);
    words[at] = format!("{}x", chance.word());
}

fn appended(words: &mut Vec<String>, chance: &mut Chance) {
    let more = (words.len() / 20).max(1);
    words.extend(chance.words(more));
}

/// A log of a conversation that went on.
fn snapshot(chance: &mut Chance) -> (Talk, Talk) {
    let turns = 2 * chance.between(2, 6);
    let whole: Talk = (0..turns).map(|_| said(chance, 5, 60)).collect();
    let early = whole[..chance.between(1, turns - 1)].to_vec();
    (whole, early)
}

/// Short texts with one word or one sign of difference.
fn few_apart(chance: &mut Chance) -> (Talk, Talk) {
    let count = chance.between(3, 4);
    let words = chance.words(count);
    let mut other = words.clone();
    match chance.below(3) {
        0 => other[0] = format!("{}x", chance.word()),
        1 => other[count - 1].push('+'),
        _ => drop(other.pop()),
    }
    let answer = short(chance);
    (vec![words.join(" "), answer.clone()], vec![other.join(" "), answer])
}

/// What many say alike but for what they talk of; half of the answers follow a template, too.
fn template(chance: &mut Chance, n: u64) -> (Talk, Talk) {
    let one = |chance: &mut Chance| {
        let topic = chance.words(2).join(" ");
        let asked = format!(
            "You are a friendly assistant of our support team and you always answer in a warm and helpful tone, \
             without any jargon and never longer than a page. Please write a short article for the newsletter of \
             our company that explains to new customers all they need to know about {topic} and tell them at the \
             end how to get in touch with us if they have more questions"
        );
        let said = chance.between(30, 90);
        let body = chance.prose(said).join(" ");
        let answer = if n.is_multiple_of(2) {
            body
        } else {
            format!(
                "Dear customer, thank you for being with us! Today we would like to tell you about {topic}. {body} \
                 If you have more questions about {topic}, do not hesitate to get in touch with us at any time."
            )
        };
        vec![asked, answer]
    };
    (one(chance), one(chance))
}

/// Two answers to one prompt: at once, or at the end of a long history.
fn other_answer(chance: &mut Chance, n: u64) -> (Talk, Talk) {
    let mut before: Talk = match n % 2 {
        0 => Vec::new(),
        _ => (0..12).map(|_| said(chance, 20, 60)).collect(),
    };
    before.push(said(chance, 3, 60));
    let answer = |chance: &mut Chance| {
        let mut talk = before.clone();
        talk.push(said(chance, 5, 60));
        talk
    };
    (answer(chance), answer(chance))
}

/// Prose with a number every ten words or so.
fn numbers(chance: &mut Chance) -> Talk {
    let one = |chance: &mut Chance| {
        let count = chance.between(30, 120);
        let mut words = chance.prose(count);
        for at in (5..count).step_by(30) {
            words[at] = chance.between(100, 99_999).to_string();
        }
        words.join(" ")
    };
    vec![one(chance), one(chance)]
}

/// One number becomes another.
fn digits(words: &mut [String], _: &mut Chance) {
    let is_number = |word: &&mut String| word.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(number) = words.iter_mut().find(is_number) {
        *number = number.bytes().map(|byte| char::from(b'0' + (byte - b'0' + 1) % 10)).collect();
    }
}
