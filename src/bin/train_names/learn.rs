//! Learns the weights of the conditional random field: maximum likelihood with an L1 and an L2
//! penalty, by orthant-wise limited-memory quasi-Newton steps (Andrew and Gao 2007).
//!
//! Not here: features (the detector's own), the model file.
//!
//! Always: the same sentences in the same order give the same weights, to the bit: one thread, no
//! chance.

use std::collections::{HashMap, VecDeque};

use gristmill::stages::redact::names::model::LABELS;

/// A run of words: the features and the right label of each.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub features: Vec<Vec<u64>>,
    pub labels: Vec<usize>,
    /// How much the run counts.
    pub weight: f32,
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub l1: f32,
    pub l2: f32,
    pub rounds: usize,
    /// A feature seen less often is dropped.
    pub least_seen: usize,
}

pub struct Learned {
    pub weights: HashMap<u64, [f32; LABELS]>,
    pub steps: [[f32; LABELS + 1]; LABELS + 1],
}

const STEPS: usize = (LABELS + 1) * (LABELS + 1);

struct Problem {
    /// Features of each word as places in the vector of weights.
    words: Vec<Vec<u32>>,
    labels: Vec<u8>,
    /// Ends of the runs among the words, and their weights.
    ends: Vec<(usize, f32)>,
    size: usize,
}

pub fn learn(runs: &[Run], settings: Settings) -> Learned {
    let mut seen: HashMap<u64, u32> = HashMap::new();
    for feature in runs.iter().flat_map(|run| run.features.iter().flatten()) {
        *seen.entry(*feature).or_default() += 1;
    }
    let mut kept: Vec<u64> = seen
        .into_iter()
        .filter(|(_, count)| *count as usize >= settings.least_seen)
        .map(|(feature, _)| feature)
        .collect();
    kept.sort_unstable();
    let places: HashMap<u64, u32> = kept.iter().enumerate().map(|(place, feature)| (*feature, place as u32)).collect();
    let mut problem = Problem { words: vec![], labels: vec![], ends: vec![], size: STEPS + kept.len() * LABELS };
    for run in runs {
        for (features, label) in run.features.iter().zip(&run.labels) {
            problem.words.push(features.iter().filter_map(|feature| places.get(feature).copied()).collect());
            problem.labels.push(*label as u8);
        }
        problem.ends.push((problem.words.len(), run.weight));
    }
    let x = minimize(&problem, settings);
    let row = |place: usize| std::array::from_fn(|label| x[STEPS + place * LABELS + label]);
    Learned {
        weights: kept.iter().enumerate().map(|(place, feature)| (*feature, row(place))).collect(),
        steps: std::array::from_fn(|from| std::array::from_fn(|to| x[from * (LABELS + 1) + to])),
    }
}

impl Problem {
    /// The negative log likelihood plus the L2 penalty; its slope goes to `slope`.
    fn loss(&self, x: &[f32], l2: f32, slope: &mut [f32]) -> f64 {
        let mut loss = 0.0;
        slope.iter_mut().zip(x).for_each(|(slope, x)| {
            *slope = l2 * x;
            loss += f64::from(l2 * x * x) / 2.0;
        });
        let mut start = 0;
        for (end, weight) in &self.ends {
            loss += self.run(start, *end, *weight, x, slope);
            start = *end;
        }
        loss
    }

    fn run(&self, start: usize, end: usize, weight: f32, x: &[f32], slope: &mut [f32]) -> f64 {
        let step = |from: usize, to: usize| x[from * (LABELS + 1) + to];
        let potentials: Vec<[f32; LABELS]> = (start..end).map(|word| self.potential(word, x)).collect();
        let n = end - start;
        let mut forward = vec![[0.0f32; LABELS]; n];
        let backward = backward(&potentials, step);
        for at in 0..n {
            for to in 0..LABELS {
                let before: [f32; LABELS] = match at {
                    0 => [f32::NEG_INFINITY; LABELS],
                    _ => std::array::from_fn(|from| forward[at - 1][from] + step(from, to)),
                };
                let sum = if at == 0 { step(LABELS, to) } else { log_sum(&before) };
                forward[at][to] = sum + potentials[at][to];
            }
        }
        let ends: [f32; LABELS] = std::array::from_fn(|label| forward[n - 1][label] + step(label, LABELS));
        let all = log_sum(&ends);
        let mut right = 0.0;
        for at in 0..n {
            let label = usize::from(self.labels[start + at]);
            let before = if at == 0 { LABELS } else { usize::from(self.labels[start + at - 1]) };
            right += potentials[at][label] + step(before, label);
            slope[before * (LABELS + 1) + label] -= weight;
            let chances: [f32; LABELS] =
                std::array::from_fn(|label| weight * (forward[at][label] + backward[at][label] - all).exp());
            for place in &self.words[start + at] {
                let base = STEPS + *place as usize * LABELS;
                slope[base..base + LABELS].iter_mut().zip(&chances).for_each(|(slope, chance)| *slope += chance);
                slope[base + label] -= weight;
            }
            for to in 0..LABELS {
                if at == 0 {
                    slope[LABELS * (LABELS + 1) + to] += chances[to];
                }
                for from in 0..LABELS * usize::from(at > 0) {
                    let path = forward[at - 1][from] + step(from, to) + potentials[at][to] + backward[at][to] - all;
                    slope[from * (LABELS + 1) + to] += weight * path.exp();
                }
                if at + 1 == n {
                    slope[to * (LABELS + 1) + LABELS] += chances[to];
                }
            }
        }
        let last = usize::from(self.labels[end - 1]);
        slope[last * (LABELS + 1) + LABELS] -= weight;
        right += step(last, LABELS);
        f64::from(weight * (all - right))
    }

    fn potential(&self, word: usize, x: &[f32]) -> [f32; LABELS] {
        let mut sums = [0.0; LABELS];
        for place in &self.words[word] {
            let base = STEPS + *place as usize * LABELS;
            sums.iter_mut().zip(&x[base..base + LABELS]).for_each(|(sum, x)| *sum += x);
        }
        sums
    }
}

/// Of each word and label, the sum over all ways on from there.
fn backward(potentials: &[[f32; LABELS]], step: impl Fn(usize, usize) -> f32) -> Vec<[f32; LABELS]> {
    let n = potentials.len();
    let mut backward = vec![[0.0f32; LABELS]; n];
    for at in (0..n).rev() {
        for from in 0..LABELS {
            backward[at][from] = match at + 1 == n {
                true => step(from, LABELS),
                false => {
                    let after =
                        std::array::from_fn(|to| step(from, to) + potentials[at + 1][to] + backward[at + 1][to]);
                    log_sum(&after)
                }
            };
        }
    }
    backward
}

fn log_sum(values: &[f32; LABELS]) -> f32 {
    let highest = values.iter().fold(f32::NEG_INFINITY, |highest, value| highest.max(*value));
    highest + values.iter().map(|value| (value - highest).exp()).sum::<f32>().ln()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The slope of the whole, penalty included: where a weight is 0, the one-sided slope or 0.
fn pseudo(x: &[f32], slope: &[f32], l1: f32) -> Vec<f32> {
    x.iter()
        .zip(slope)
        .map(|(x, slope)| match (*x, *slope) {
            (x, slope) if x != 0.0 => slope + l1 * x.signum(),
            (_, slope) if slope + l1 < 0.0 => slope + l1,
            (_, slope) if slope - l1 > 0.0 => slope - l1,
            _ => 0.0,
        })
        .collect()
}

const MEMORY: usize = 6;

fn minimize(problem: &Problem, settings: Settings) -> Vec<f32> {
    let l1 = settings.l1;
    let penalty = |x: &[f32]| f64::from(l1) * x.iter().map(|x| f64::from(x.abs())).sum::<f64>();
    let mut x = vec![0.0f32; problem.size];
    let mut slope = vec![0.0; problem.size];
    let mut value = problem.loss(&x, settings.l2, &mut slope) + penalty(&x);
    let mut past: VecDeque<(Vec<f32>, Vec<f32>, f64)> = VecDeque::new();
    for _ in 0..settings.rounds {
        let down = pseudo(&x, &slope, l1);
        let mut way = direction(&down, &past);
        way.iter_mut().zip(&down).for_each(|(way, down)| *way = if *way * *down < 0.0 { *way } else { 0.0 });
        let mut length = if past.is_empty() { (1.0 / dot(&down, &down).sqrt()) as f32 } else { 1.0 };
        let mut next_slope = vec![0.0; problem.size];
        let mut taken = None;
        for _ in 0..20 {
            let next: Vec<f32> = (0..x.len())
                .map(|at| {
                    let side = if x[at] != 0.0 {
                        x[at].signum()
                    } else {
                        -down[at].signum() * f32::from(u8::from(down[at] != 0.0))
                    };
                    let moved = x[at] + length * way[at];
                    if moved * side > 0.0 { moved } else { 0.0 }
                })
                .collect();
            let next_value = problem.loss(&next, settings.l2, &mut next_slope) + penalty(&next);
            let moved: Vec<f32> = next.iter().zip(&x).map(|(next, x)| next - x).collect();
            if next_value <= value + 1e-4 * dot(&down, &moved) {
                taken = Some((next, next_value, moved));
                break;
            }
            length /= 2.0;
        }
        let Some((next, next_value, moved)) = taken else { break };
        let turned: Vec<f32> = next_slope.iter().zip(&slope).map(|(next, slope)| next - slope).collect();
        let curve = dot(&moved, &turned);
        if curve > 1e-10 {
            past.push_back((moved, turned, curve));
            if past.len() > MEMORY {
                past.pop_front();
            }
        }
        let gain = (value - next_value) / value.abs();
        (x, slope, value) = (next, next_slope, next_value);
        if gain < 2e-5 {
            break;
        }
    }
    x
}

/// The two-loop recursion.
fn direction(down: &[f32], past: &VecDeque<(Vec<f32>, Vec<f32>, f64)>) -> Vec<f32> {
    let mut way: Vec<f32> = down.iter().map(|down| -down).collect();
    let mut held = Vec::new();
    for (moved, turned, curve) in past.iter().rev() {
        let by = dot(moved, &way) / curve;
        way.iter_mut().zip(turned).for_each(|(way, turned)| *way -= by as f32 * turned);
        held.push(by);
    }
    if let Some((_, turned, curve)) = past.back() {
        let by = (curve / dot(turned, turned)) as f32;
        way.iter_mut().for_each(|way| *way *= by);
    }
    for ((moved, turned, curve), by) in past.iter().zip(held.into_iter().rev()) {
        let back = by - dot(turned, &way) / curve;
        way.iter_mut().zip(moved).for_each(|(way, moved)| *way += back as f32 * moved);
    }
    way
}
