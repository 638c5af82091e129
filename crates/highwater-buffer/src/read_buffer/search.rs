//! The search: what no read does twice, and where a limit or a skip ends it.

use super::ReadBuffer;
use super::marks::Searched;
use super::memory::Want;
use crate::separators::{NEWLINE_TAILS, TailBytes};
use crate::{LimitOverrun, Separators, Verdict};
use alloc::boxed::Box;

/// Where a separator stands in what is unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    start: usize,
    end: usize,
}

/// How a skip ended, and how many bytes it discarded.
pub(super) enum Skipped {
    Through(u64),
    ToTheEnd(u64),
}

impl ReadBuffer {
    /// [`ready_frame`](Self::ready_frame) of a line.
    ///
    /// Inlined as far as the window that the last line ended in: short lines are mostly the cost of getting here.
    #[doc(hidden)]
    #[inline(always)]
    pub fn ready_line(&mut self, limit: usize) -> Option<usize> {
        match self.marks.in_window(NEWLINE_TAILS, self.start) {
            Some(payload) if payload <= limit => Some(payload + 1),
            _ => self.look_for_line(limit),
        }
    }

    #[inline(never)]
    fn look_for_line(&mut self, limit: usize) -> Option<usize> {
        match self.marks.next(NEWLINE_TAILS, self.start) {
            Ok(end) if end - self.start <= limit => Some(end - self.start + 1),
            Ok(_) => self.look_for(Separators::newline(), limit),
            Err(unknown) => self.look_for_line_from(unknown, limit),
        }
    }

    #[inline(never)]
    fn look_for_line_from(&mut self, unknown: usize, limit: usize) -> Option<usize> {
        let newline = Separators::newline();
        if self.skip.is_some() {
            return self.look_for(newline, limit);
        }
        let at = unknown.max(self.start + self.searched_for(newline));
        let end = self.start + self.buffered().min(limit.saturating_add(1));
        if at >= end {
            return None;
        }
        match self.find_unknown(NEWLINE_TAILS, at, end) {
            Some(found) => Some(found - self.start + 1),
            None => {
                self.remember(newline, end - self.start);
                None
            }
        }
    }

    /// The length of the next frame if it is there, by the overrun rule: look only at the first
    /// `limit + longest` bytes; a match that starts at or before `limit` is the frame. Otherwise `decide`
    /// says why not.
    ///
    /// A sole separator is sought in what is marked first, where little has to be at hand. A skip leaves no
    /// marks, and no match stands where was searched in vain.
    #[doc(hidden)]
    #[inline(never)]
    pub fn ready_frame(&mut self, separators: &Separators, limit: usize) -> Option<usize> {
        if let (Some(word), Some(tails)) = (separators.sole_word(), separators.tails()) {
            let longest = separators.longest();
            let mut at = self.start;
            while let Ok(found) = self.marks.next(tails, at) {
                at = found + 1;
                let Some(last) = self.block.get(..at).and_then(<[u8]>::last_chunk) else { break };
                if word.ends(*last) {
                    let length = at - self.start;
                    // Otherwise it begins in what was consumed, or past the limit.
                    if (longest..=limit.saturating_add(longest)).contains(&length) {
                        return Some(length);
                    }
                    break;
                }
            }
        }
        self.look_for_frame(separators, limit)
    }

    #[inline(never)]
    fn look_for_frame(&mut self, separators: &Separators, limit: usize) -> Option<usize> {
        match separators.tails() {
            _ if self.buffered() == 0 && self.skip.is_none() => None,
            Some(tails) if self.searched_to <= self.start && self.skip.is_none() => {
                match separators.sole_word() {
                    Some(word) => self.look_for_match(tails, separators, limit, |bytes, most| {
                        word.match_at_end_of(bytes, most)
                    }),
                    None => self.look_for_match(tails, separators, limit, |bytes, most| {
                        separators.match_at_end_of(bytes, most)
                    }),
                }
            }
            _ => self.look_for(separators, limit),
        }
    }

    /// [`ready_frame`](Self::ready_frame) where nothing was searched yet and no skip is in force.
    #[inline(always)]
    fn look_for_match(
        &mut self,
        tails: TailBytes,
        separators: &Separators,
        limit: usize,
        match_at_end_of: impl Fn(&[u8], usize) -> Option<usize>,
    ) -> Option<usize> {
        let start = self.start;
        let window = self.buffered().min(limit.saturating_add(separators.longest()));
        let end = start + window;
        let mut at = start;
        while let Some(found) = self.find_tail_of(tails, at, end) {
            at = found + 1;
            if let Some(separator) = match_at_end_of(&self.block[..at], at - start) {
                if at - start - separator <= limit {
                    return Some(at - start);
                }
                self.remember(separators, at - start - 1);
                return None;
            }
        }
        self.remember(separators, window);
        None
    }

    /// [`ready_frame`](Self::ready_frame) where a search goes on, a skip is in force, or there are many last bytes.
    #[inline(never)]
    fn look_for(&mut self, separators: &Separators, limit: usize) -> Option<usize> {
        if self.skip.is_some() {
            if let Verdict::NeedMore = self.advance_skip() {
                return None;
            }
        }
        let from = self.searched_for(separators);
        let window = self.buffered().min(limit.saturating_add(separators.longest()));
        match self.find_match(separators, from, window) {
            Some(found) if found.start <= limit => return Some(found.end),
            Some(found) => self.remember(separators, found.end - 1),
            None => self.remember(separators, window),
        }
        None
    }

    /// Why there is no frame: a match that starts after the limit, or none in so many bytes, is an overrun;
    /// otherwise more have to come.
    pub(super) fn decide(&mut self, separators: &Separators, limit: usize) -> Result<(), LimitOverrun> {
        if self.skip.is_some() {
            return Ok(());
        }
        let most = limit.saturating_add(separators.longest());
        let window = self.buffered().min(most);
        if window <= limit {
            self.want = Want::at_most(most);
            return Ok(());
        }
        // What is looked at here was counted by `ready_frame`, in this very step.
        let searched = self.searched;
        let found = self.find_match(separators, self.searched_for(separators), window);
        self.searched = searched;
        if let Some(found) = found {
            return Err(LimitOverrun::separator(found.start, limit));
        }
        if window == most {
            return Err(LimitOverrun::separator(limit.saturating_add(1), limit));
        }
        self.want = Want::at_most(most);
        Ok(())
    }

    /// The first match in the first `most` unread bytes to end after `from`. None may end before.
    #[inline]
    fn find_match(&mut self, separators: &Separators, mut from: usize, most: usize) -> Option<Match> {
        loop {
            let end = self.find_tail(separators, from, most)? + 1;
            if let Some(length) = separators.match_at_end_of(&self.block[..self.start + end], end) {
                return Some(Match { start: end - length, end });
            }
            from = end;
        }
    }

    /// The first byte at or after `from`, of the first `most` unread, that may be the last of a match.
    #[inline(always)]
    fn find_tail(&mut self, separators: &Separators, from: usize, most: usize) -> Option<usize> {
        match separators.tails() {
            Some(tails) => {
                let found = self.find_tail_of(tails, self.start + from, self.start + most);
                found.map(|at| at - self.start)
            }
            None => {
                let found = separators.find_tail(self.unread_bytes().get(from..most)?);
                self.searched += found.map_or(most - from, |at| at + 1) as u64;
                Some(from + found?)
            }
        }
    }

    /// The first of `tails` in the block from `at` to `end`.
    #[inline(always)]
    fn find_tail_of(&mut self, tails: TailBytes, at: usize, end: usize) -> Option<usize> {
        match self.marks.next(tails, at) {
            Ok(found) => (found < end).then_some(found),
            Err(unknown) => self.find_unknown(tails, unknown, end),
        }
    }

    /// [`find_tail_of`](Self::find_tail_of) from where the marks say nothing.
    #[inline(never)]
    fn find_unknown(&mut self, tails: TailBytes, at: usize, end: usize) -> Option<usize> {
        let Searched { found, looked_at } = self.marks.search(tails, self.block.get(at..end)?, at);
        self.searched += looked_at as u64;
        found.map(|ahead| at + ahead)
    }

    /// How many unread bytes hold no match of `separators`, as far as is known.
    #[inline]
    fn searched_for(&self, separators: &Separators) -> usize {
        let searched = self.searched_to.saturating_sub(self.start);
        if searched == 0 || self.sought.as_deref() != Some(separators) { 0 } else { searched }
    }

    /// No match of `separators` ends in the first `searched` unread bytes.
    #[cold]
    fn remember(&mut self, separators: &Separators, searched: usize) {
        if searched == 0 {
            return;
        }
        let searched_to = self.start + searched;
        match &mut self.sought {
            // A smaller limit looks at less; what is known stays known.
            Some(sought) if **sought == *separators => self.searched_to = self.searched_to.max(searched_to),
            Some(sought) => (self.searched_to, **sought) = (searched_to, separators.clone()),
            none => (self.searched_to, *none) = (searched_to, Some(Box::new(separators.clone()))),
        }
        self.check_invariants();
    }

    #[inline]
    pub(super) fn finish_skip(&mut self) -> Verdict<Skipped> {
        if self.skip.is_none() {
            return Verdict::Ready(Skipped::Through(0));
        }
        self.advance_skip()
    }

    #[cold]
    fn advance_skip(&mut self) -> Verdict<Skipped> {
        let Some(mut skip) = self.skip.take() else {
            return Verdict::Ready(Skipped::Through(0));
        };
        let from = self.searched_for(&skip.separators);
        let found = self.find_match(&skip.separators, from, self.buffered());
        if let Some(found) = found {
            self.take_ref(found.end);
            return Verdict::Ready(Skipped::Through(skip.skipped + found.end as u64));
        }
        // A match may straddle two arrivals, so the last `longest - 1` bytes stay until the next.
        let kept = if self.has_ended() { 0 } else { skip.separators.longest() - 1 };
        let gone = self.buffered().saturating_sub(kept);
        self.take_ref(gone);
        skip.skipped += gone as u64;
        if self.has_ended() {
            return Verdict::Ready(Skipped::ToTheEnd(skip.skipped));
        }
        self.remember(&skip.separators, self.buffered());
        self.marks.forget();
        self.skip = Some(skip);
        self.want = Want::ANY;
        Verdict::NeedMore
    }
}
