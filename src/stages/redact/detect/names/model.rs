//! The weights of the name model and the file they lie in.
//!
//! Not here: how they are learned (`src/bin/train_names`), how labels are found with them (`crf`).
//!
//! Always: a file that is not whole is refused; a file read and written again is the same bytes.

use super::lexicon::{Entry, Lexicon, Table};

/// Labels of a word: outside, or at the beginning of or inside one of three kinds of names, or some
/// other name (a product, a film), which the model knows in order to tell it from the three.
pub const LABELS: usize = 8;
pub const OUTSIDE: usize = 0;
pub const PERSON: usize = 1;
pub const PLACE: usize = 3;
pub const ORGANIZATION: usize = 5;
pub const OTHER: usize = 7;
/// No labels of the model: what rules find besides.
pub const POSTCODE: usize = 8;
pub const NATIONALITY: usize = 9;

/// One weight a label.
pub type Weights = [i8; LABELS];

const MAGIC: &[u8; 8] = b"gmnames1";

/// Weights of a linear-chain conditional random field over hashed features.
#[derive(Debug, Default)]
pub struct Model {
    pub lexicon: Lexicon,
    pub weights: Table<Weights>,
    /// What a weight of 1 stands for.
    pub scale: f32,
    /// From a label, to a label; row `LABELS`: from the start of a run; column `LABELS`: to its end.
    pub steps: [[f32; LABELS + 1]; LABELS + 1],
}

impl Model {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let (lexicon, weights) = (&self.lexicon.0, &self.weights);
        for log2 in [lexicon.slots().len().ilog2(), weights.slots().len().ilog2()] {
            out.extend(log2.to_le_bytes());
        }
        out.extend(self.scale.to_le_bytes());
        self.steps.iter().flatten().for_each(|step| out.extend(step.to_le_bytes()));
        write(lexicon, |value| value.to_le_bytes(), &mut out);
        write(weights, |row| row.map(|weight| weight as u8), &mut out);
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Model> {
        let mut rest = Reader(bytes.strip_prefix(MAGIC)?);
        let slots = |log2: u32| (log2 <= 20).then(|| 1usize << log2);
        let (words, features) = (slots(rest.u32()?)?, slots(rest.u32()?)?);
        let scale = f32::from_bits(rest.u32()?);
        let mut steps = [[0.0; LABELS + 1]; LABELS + 1];
        for step in steps.iter_mut().flatten() {
            *step = f32::from_bits(rest.u32()?);
        }
        let lexicon = Lexicon(rest.table(words, u16::from_le_bytes)?);
        let weights = rest.table(features, |row: [u8; LABELS]| row.map(|byte| byte as i8))?;
        rest.0.is_empty().then_some(Model { lexicon, weights, scale, steps })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn u32(&mut self) -> Option<u32> {
        let (four, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*four))
    }

    fn part(&mut self, len: usize) -> Option<&[u8]> {
        let (part, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(part)
    }

    fn table<T: Copy + Default, const N: usize>(&mut self, slots: usize, value: fn([u8; N]) -> T) -> Option<Table<T>> {
        let held = self.part(slots.div_ceil(8))?.to_vec();
        let held: Vec<usize> = (0..slots).filter(|slot| held[slot / 8] >> (slot % 8) & 1 == 1).collect();
        let mut table = vec![(0, T::default()); slots];
        let (twos, []) = self.part(2 * held.len())?.as_chunks::<2>() else { return None };
        held.iter().zip(twos).for_each(|(slot, two)| table[*slot].0 = u16::from_le_bytes(*two));
        let (rows, []) = self.part(N * held.len())?.as_chunks::<N>() else { return None };
        held.iter().zip(rows).for_each(|(slot, row)| table[*slot].1 = value(*row));
        Table::from_slots(table)
    }
}

/// Which slots are held, one bit each; then the fingerprints, then the values of those.
fn write<T: Copy + Default, const N: usize>(table: &Table<T>, bytes: fn(T) -> [u8; N], out: &mut Vec<u8>) {
    for eight in table.slots().chunks(8) {
        out.push(eight.iter().enumerate().fold(0, |bits, (at, (print, _))| bits | u8::from(*print != 0) << at));
    }
    let held = || table.slots().iter().filter(|(print, _)| *print != 0);
    held().for_each(|(print, _)| out.extend(print.to_le_bytes()));
    held().for_each(|(_, value)| out.extend(bytes(*value)));
}

/// Nothing is known of a word that is in no list.
const _: () = assert!(Entry::NONE.0 == 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let lexicon = Lexicon::build(4, [(7, Entry(9))].into_iter());
        let weights = Table::build(5, [(11, [1, -2, 3, -4, 5, -6, 7, -8])].into_iter());
        let mut model = Model { lexicon, weights, scale: 0.25, ..Model::default() };
        model.steps[8][3] = 1.5;
        let bytes = model.to_bytes();
        let again = Model::from_bytes(&bytes).unwrap();
        assert_eq!(again.to_bytes(), bytes);
        assert_eq!(again.weights.get(11), Some(&[1, -2, 3, -4, 5, -6, 7, -8]));
        for len in 0..bytes.len() {
            assert!(Model::from_bytes(&bytes[..len]).is_none());
        }
        assert!(Model::from_bytes(&[&bytes[..], b"x"].concat()).is_none());
    }
}
