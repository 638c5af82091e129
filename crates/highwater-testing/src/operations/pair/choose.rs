//! Which script bytes choose.

use super::{Act, EndScript, Ending, PairRead, PairScript, PairWrite, StartOver};
use crate::operations::choices::Choices;
use crate::operations::read::{choose_call, choose_separators};
use crate::perform::Form;
use bytes::Bytes;
use std::mem;

impl PairScript {
    /// The script that these bytes choose: any bytes choose one, similar bytes choose similar ones, and the
    /// empty slice chooses one in which both ends end at once.
    ///
    /// ```
    /// use highwater_testing::PairScript;
    /// assert!(PairScript::from_bytes(b"").ends[0].writes.is_empty());
    /// assert_eq!(PairScript::from_bytes(b"twice"), PairScript::from_bytes(b"twice"));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let mut script = Self::choose_setting(&mut choices).unwrap_or_else(|| Self {
            seed: 0,
            most: 16,
            room: 64,
            high: 16,
            limit: 8,
            reset: None,
            ends: [Ending::WriteEof; 2].map(EndScript::ending_so),
        });
        let sets = choices.several(1, 2, choose_separators).unwrap_or_else(|| vec![vec!["\n".into()]]);
        let starts_over = choices.below(2).unwrap_or(0);
        let mut written = 0;
        for (end, step) in choices.rest(|choices| choose_step(choices, &sets, &mut written)) {
            let script = &mut script.ends[end];
            match step {
                Step::Write(write) => script.writes.push(write),
                Step::Read(read) => script.reads.push(read),
                Step::StartOver(then) if end == starts_over => {
                    let (writes, reads) = (mem::take(&mut script.writes), mem::take(&mut script.reads));
                    script.acts.push(Act { writes, reads, then });
                }
                Step::StartOver(_) => {}
            }
        }
        script
    }

    fn choose_setting(choices: &mut Choices<'_>) -> Option<Self> {
        const ENDINGS: [Ending; 8] = {
            use Ending::{Abort, Close, Drop, WriteEof};
            [WriteEof, WriteEof, WriteEof, Drop, Drop, Close, Close, Abort]
        };
        Some(Self {
            seed: choices.below(65_536)? as u64,
            most: 1 + choices.below(64)?,
            room: 1 + choices.below(200)?,
            high: choices.below(200)?,
            limit: choices.below(40)?,
            reset: match choices.below(10)? {
                0 => Some((choices.below(2)?, choices.below(200)? as u64)),
                _ => None,
            },
            ends: [EndScript::ending_so(choices.of(&ENDINGS)?), EndScript::ending_so(choices.of(&ENDINGS)?)],
        })
    }
}

impl EndScript {
    fn ending_so(ending: Ending) -> Self {
        Self { acts: Vec::new(), writes: Vec::new(), ending, reads: Vec::new() }
    }
}

enum Step {
    Write(PairWrite),
    Read(PairRead),
    StartOver(StartOver),
}

fn choose_step(choices: &mut Choices<'_>, sets: &[Vec<Bytes>], written: &mut usize) -> Option<(usize, Step)> {
    let end = choices.below(2)?;
    let step = match choices.below(26)? {
        0..=12 => Step::Write(choose_write(choices, written)?),
        13..=14 => {
            Step::Write(PairWrite::Spawn(choices.several(1, 8, |choices| choose_write(choices, written))?))
        }
        15 => Step::Write(PairWrite::Join),
        16 => Step::StartOver(choices.of(&[StartOver::Reunite, StartOver::Upgrade])?),
        _ => Step::Read(PairRead {
            after: if choices.below(4)? == 0 { choices.below(50)? as u64 } else { 0 },
            form: choices.of(&[Form::Owned, Form::Borrowed])?,
            call: choose_call(choices, sets)?,
            polls: if choices.below(3)? == 0 { Some(choices.below(6)?) } else { None },
        }),
    };
    Some((end, step))
}

/// What any clone may do.
fn choose_write(choices: &mut Choices<'_>, written: &mut usize) -> Option<PairWrite> {
    Some(match choices.below(13)? {
        0..=4 => PairWrite::Write(choices.text(0, 20)?),
        5..=6 => PairWrite::Write(choose_block(choices, written)?),
        7 => PairWrite::WriteLines(choices.several(0, 3, |choices| choices.text(0, 6))?),
        8 => PairWrite::Drain,
        9 => PairWrite::Flush,
        10 => PairWrite::GiveUpFlush(choices.below(4)?),
        11 => PairWrite::Clone,
        _ => PairWrite::Sleep(choices.below(50)? as u64),
    })
}

/// Bytes that tell their place, of a length around 2 KiB, where sharing begins, or anything below.
fn choose_block(choices: &mut Choices<'_>, written: &mut usize) -> Option<Bytes> {
    let length = match choices.below(4)? {
        0 => choices.of(&[2047, 2048, 2049])?,
        _ => choices.below(400)?,
    };
    let from = *written;
    *written += length;
    Some((from..from + length).map(|place| (place ^ (place >> 8)) as u8).collect())
}
