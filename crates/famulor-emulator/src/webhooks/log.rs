//! The deliveries that were tried: a bounded list.

use std::collections::VecDeque;

use super::Delivery;

pub(crate) struct DeliveryLog {
    entries: VecDeque<Delivery>,
    capacity: usize,
    last: u64,
    last_message: u64,
}

/// Where numbers of WhatsApp messages begin, as in the documented example.
const FIRST_MESSAGE: u64 = 890;

impl DeliveryLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity: capacity.max(1),
            last: 0,
            last_message: FIRST_MESSAGE - 1,
        }
    }

    pub(super) fn write_down(&mut self, mut delivery: Delivery) {
        self.last += 1;
        delivery.sequence = self.last;
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back(delivery);
    }

    pub(crate) fn entries(&self) -> Vec<Delivery> {
        self.entries.iter().cloned().collect()
    }

    pub(super) fn number_message(&mut self) -> u64 {
        self.last_message += 1;
        self.last_message
    }

    pub(super) fn last_message(&self) -> u64 {
        self.last_message.max(FIRST_MESSAGE)
    }
}
