//! Trains the name model of `redact` and writes `models/names.bin`.
//!
//! Not part of the pipeline and not used by it. How to call it and where the corpora and lists come
//! from: `models/ATTRIBUTION.md`.
//!
//! Always: the same files in the same order give the same model.

mod corpus;
mod invent;
mod learn;
mod lists;
mod score;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Parser;
use gristmill::stages::redact::names::Names;
use gristmill::stages::redact::names::features::{CONTEXT, Gate, features};
use gristmill::stages::redact::names::lexicon::{Lexicon, Table};
use gristmill::stages::redact::names::model::{LABELS, Model, OTHER, OUTSIDE};
use gristmill::stages::redact::names::words::{Word, Words};

use corpus::{Joined, Sentence, Tokens};
use invent::Pool;
use learn::{Learned, Run, Settings};
use lists::Lists;
use score::Score;

/// Trains the name model.
#[derive(Parser)]
struct Args {
    /// CoNLL files to learn from.
    #[arg(long, required = true, num_args = 1..)]
    corpus: Vec<PathBuf>,
    /// Word lists, as `tools/names/lists.py` writes them.
    #[arg(long, num_args = 1..)]
    lists: Vec<PathBuf>,
    /// Marked sentences to learn from besides, each file with the weight of its sentences: `FILE=0.5`.
    #[arg(long, num_args = 1.., value_parser = marked)]
    marked: Vec<(PathBuf, f32)>,
    /// Templates to fill with names from the first of the lists.
    #[arg(long)]
    templates: Option<PathBuf>,
    /// How many sentences each template makes.
    #[arg(long, default_value_t = 20)]
    fillings: usize,
    #[arg(long, default_value_t = 0.3)]
    template_weight: f32,
    /// How often each sentence that names people is learned from with other names in it.
    #[arg(long, default_value_t = 2)]
    renamings: usize,
    #[arg(long, default_value_t = 0.5)]
    renamed_weight: f32,
    /// Plain text in which the case of words is counted.
    #[arg(long, num_args = 1..)]
    text: Vec<PathBuf>,
    /// CoNLL files to measure by; never learned from.
    #[arg(long, num_args = 1..)]
    test: Vec<PathBuf>,
    /// Instead of one model from everything: this many, each measured on the part it has not seen.
    #[arg(long)]
    folds: Option<usize>,
    #[arg(long)]
    out: Option<PathBuf>,
    #[arg(long, default_value_t = 0.1)]
    l1: f32,
    #[arg(long, default_value_t = 0.3)]
    l2: f32,
    #[arg(long, default_value_t = 120)]
    rounds: usize,
    #[arg(long, default_value_t = 2)]
    least_seen: usize,
    #[arg(long, default_value_t = 17)]
    lexicon_log2: u32,
    #[arg(long, default_value_t = 16)]
    features_log2: u32,
    /// The least chance a name has.
    #[arg(long, default_value_t = 0.5)]
    least: f32,
}

/// A sentence and how much it counts.
type Weighted = (Sentence, f32);

fn marked(text: &str) -> Result<(PathBuf, f32), String> {
    let (path, weight) = text.rsplit_once('=').ok_or("not of the form FILE=WEIGHT")?;
    Ok((path.into(), weight.parse().map_err(|_| format!("{weight:?} is no number"))?))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let corpora = args.corpus.iter().map(|path| corpus::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut more = Vec::new();
    for (path, weight) in &args.marked {
        more.extend(corpus::read_marked(path)?.into_iter().map(|sentence| (sentence, *weight)));
    }
    if let (Some(templates), Some(lists)) = (&args.templates, args.lists.first()) {
        let filled = Pool::read(lists)?.fill(templates, args.fillings)?;
        more.extend(filled.into_iter().map(|sentence| (sentence, args.template_weight)));
    }
    let mut lists = Lists::default();
    args.lists.iter().try_for_each(|path| lists.lists(path))?;
    for path in &args.text {
        lists.text(&lists::read(path)?);
    }
    if let Some(folds) = args.folds {
        for (path, score) in args.corpus.iter().zip(by_folds(&args, &corpora, &more, &lists, folds)) {
            println!("{:40} {score}", path.display());
        }
        return Ok(());
    }
    let sentences: Vec<&Tokens> = corpora.iter().flatten().collect();
    let names = Names::new(train(&args, &sentences, &more, &lists));
    for path in &args.test {
        let tokens = corpus::read(path)?;
        println!("{:40} {}", path.display(), measure(&names, tokens.iter(), args.least));
    }
    if let Some(path) = &args.out {
        std::fs::write(path, names.model().to_bytes())?;
    }
    Ok(())
}

/// The score of each corpus over its parts; a part is a stretch of the file, so that the sentences
/// of a page stay together.
fn by_folds(args: &Args, corpora: &[Vec<Tokens>], more: &[Weighted], lists: &Lists, folds: usize) -> Vec<Score> {
    let mut scores = vec![Score::default(); corpora.len()];
    for fold in 0..folds {
        let held = |corpus: &Vec<Tokens>| corpus.len() * fold / folds..corpus.len() * (fold + 1) / folds;
        let learned = corpora.iter().flat_map(|corpus| {
            let held = held(corpus);
            corpus.iter().enumerate().filter(move |(place, _)| !held.contains(place)).map(|(_, tokens)| tokens)
        });
        let names = Names::new(train(args, &learned.collect::<Vec<_>>(), more, lists));
        for (corpus, score) in corpora.iter().zip(&mut scores) {
            score.add(&measure(&names, corpus[held(corpus)].iter(), args.least));
        }
    }
    scores
}

fn measure<'a>(names: &Names, sentences: impl Iterator<Item = &'a Tokens>, least: f32) -> Score {
    let mut score = Score::default();
    for tokens in sentences {
        score.sentence(names, &corpus::join(tokens, Joined::Spaced), least);
    }
    score
}

fn train(args: &Args, sentences: &[&Tokens], more: &[Weighted], lists: &Lists) -> Model {
    let mut model = Model { lexicon: lists.lexicon(args.lexicon_log2), ..Model::default() };
    let mut runs = Vec::new();
    let mut pool = args.lists.first().map(|path| Pool::read(path).unwrap_or_default());
    for (place, tokens) in sentences.iter().enumerate() {
        let joined = if place % 2 == 0 { Joined::Spaced } else { Joined::Running };
        let sentence = corpus::join(tokens, joined);
        runs_of(&sentence, &model.lexicon, 1.0, &mut runs);
        for _ in 0..args.renamings {
            if let Some(renamed) = pool.as_mut().and_then(|pool| pool.renamed(&sentence)) {
                runs_of(&renamed, &model.lexicon, args.renamed_weight, &mut runs);
            }
        }
    }
    for (sentence, weight) in more {
        runs_of(sentence, &model.lexicon, *weight, &mut runs);
    }
    let settings = Settings { l1: args.l1, l2: args.l2, rounds: args.rounds, least_seen: args.least_seen };
    let learned = learn::learn(&runs, settings);
    quantize(&mut model, &learned, args.features_log2);
    model
}

/// The runs of a sentence with their right labels.
fn runs_of(sentence: &Sentence, lexicon: &Lexicon, weight: f32, runs: &mut Vec<Run>) {
    let mut words = vec![Word::EDGE; CONTEXT];
    Words::new(&sentence.text, lexicon).read(&mut words, usize::MAX);
    words.extend([Word::EDGE; CONTEXT]);
    let label = |word: &Word| {
        let at = word.start as usize;
        let Some((range, label)) = sentence.names.iter().find(|(range, _)| range.contains(&at)) else { return OUTSIDE };
        let inside = *label != OTHER && words_before(&words, word, range.start);
        *label + usize::from(inside)
    };
    Gate::default().runs(&words, |range| {
        let mut run = Run { weight, ..Run::default() };
        for at in range.clone() {
            let mut all = Vec::with_capacity(40);
            features(sentence.text.as_bytes(), &words, &range, at, |feature| all.push(feature));
            run.features.push(all);
            run.labels.push(label(&words[at]));
        }
        runs.push(run);
    });
}

/// Another word of the name stands before this one.
fn words_before(words: &[Word], word: &Word, start: usize) -> bool {
    words.iter().any(|other| (start..word.start as usize).contains(&(other.start as usize)) && other.end > other.start)
}

/// Rounds the weights to bytes and keeps those that matter most, as many as fit.
fn quantize(model: &mut Model, learned: &Learned, log2_slots: u32) {
    let size = |row: &[f32; LABELS]| row.iter().fold(0.0f32, |size, weight| size.max(weight.abs()));
    let highest = learned.weights.values().map(size).fold(0.0, f32::max);
    model.scale = (highest / 127.0).max(f32::MIN_POSITIVE);
    model.steps = learned.steps;
    let mut rows: Vec<_> = learned.weights.iter().filter(|(_, row)| size(row) >= model.scale / 2.0).collect();
    rows.sort_by(|a, b| size(b.1).total_cmp(&size(a.1)).then(a.0.cmp(b.0)));
    let fits = (1usize << log2_slots) * 7 / 8;
    eprintln!("features: {} with weight, {fits} fit", rows.len());
    rows.truncate(fits);
    let order: BTreeSet<(u64, [i8; LABELS])> =
        rows.iter().map(|(feature, row)| (**feature, row.map(|weight| (weight / model.scale).round() as i8))).collect();
    model.weights = Table::build(log2_slots, order.into_iter());
}
