//! The tasks that wait for a connection to change: each in a slot of its own, so that a cancelled wait
//! takes its waker with it.

use std::mem;
use std::task::Waker;

/// Wakers in slots. A slot belongs to one wait from its first poll until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// `None` where the wait was woken and has not been polled since, or the slot is free.
    slots: Vec<Option<Waker>>,
    /// Invariant: the slots that belong to no wait.
    free: Vec<usize>,
}

/// The slot of a wait. `None` until it first had to wait.
pub(crate) type Slot = Option<usize>;

impl Waiters {
    /// Keeps `waker` for the wait that owns `slot`.
    pub(crate) fn keep(&mut self, slot: &mut Slot, waker: &Waker) {
        let index = *slot.get_or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            })
        });
        match &mut self.slots[index] {
            Some(kept) => kept.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
    }

    /// Ends the wait that owns `slot`.
    pub(crate) fn leave(&mut self, slot: &mut Slot) {
        let Some(index) = slot.take() else { return };
        self.slots[index] = None;
        self.free.push(index);
        if self.free.len() == self.slots.len() {
            *self = Self::default();
        }
    }

    /// Takes all wakers out, to be woken once no lock is held.
    pub(crate) fn wake_all(&mut self) -> Vec<Waker> {
        if self.slots.iter().all(Option::is_none) {
            return Vec::new();
        }
        self.slots.iter_mut().filter_map(mem::take).collect()
    }
}

/// Wakes what was taken out. No lock is held here: a waker may run the caller's code.
pub(crate) fn wake(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_left_leaves_nothing_behind() {
        let mut waiters = Waiters::default();
        for _ in 0..1000 {
            let mut slot = Slot::None;
            waiters.keep(&mut slot, Waker::noop());
            waiters.leave(&mut slot);
        }
        assert_eq!((waiters.slots.len(), waiters.free.len()), (0, 0));
    }

    #[test]
    fn a_slot_stays_with_its_wait_while_others_come_and_go() {
        let mut waiters = Waiters::default();
        let (mut first, mut second) = (Slot::None, Slot::None);
        waiters.keep(&mut first, Waker::noop());
        waiters.keep(&mut second, Waker::noop());
        assert_eq!(waiters.wake_all().len(), 2);
        assert!(waiters.wake_all().is_empty());
        waiters.leave(&mut first);
        waiters.keep(&mut second, Waker::noop());
        assert_eq!(waiters.wake_all().len(), 1);
    }
}
