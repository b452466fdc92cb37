//! The faults that are still to come.

use super::{Effect, Fault, Place};
use crate::operation::Operation;

#[derive(Default)]
pub(crate) struct FaultBook {
    pending: Vec<Fault>,
}

impl FaultBook {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.pending.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn pending(&self) -> Vec<Fault> {
        self.pending.clone()
    }

    /// What goes wrong with this call at this place, if anything.
    ///
    /// Every matching fault that still lets calls by counts this one; of those
    /// that are due, the one that was injected first is played.
    pub(crate) fn due(
        &mut self,
        operation: Operation,
        customer: Option<&str>,
        place: Place,
    ) -> Option<Effect> {
        let mut due = None;
        for (index, fault) in self.pending.iter_mut().enumerate() {
            let matches = fault.effect.place() == place
                && fault.times != Some(0)
                && fault.operation.is_none_or(|only| only == operation)
                && (fault.customer.is_none() || fault.customer.as_deref() == customer);
            if !matches {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if due.is_none() {
                due = Some(index);
            }
        }
        let fault = self.pending.get_mut(due?)?;
        let effect = fault.effect.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.pending.remove(due?);
            }
        }
        Some(effect)
    }
}
