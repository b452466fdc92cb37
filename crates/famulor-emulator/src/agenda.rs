//! What is to happen at a later emulated time: ends of conversations, hand-backs, deliveries.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::lock;
use crate::server::Lifeline;
use crate::webhooks::{self, Parcel};
use crate::world::World;

/// Something to do.
pub(crate) enum Job {
    /// See whether a conversation has been silent for long enough.
    CheckSilence { conversation: String },
    /// A person gives a conversation back.
    GiveBack { conversation: String },
    /// Call a webhook.
    Deliver(Box<Parcel>),
}

/// Jobs by the emulated time at which they are due.
#[derive(Default)]
pub(crate) struct Agenda {
    jobs: Mutex<Jobs>,
    changed: Notify,
}

#[derive(Default)]
struct Jobs {
    due: BTreeMap<(Duration, u64), Job>,
    added: u64,
    /// Conversations whose silence will be looked at.
    watched: HashSet<String>,
}

impl Agenda {
    pub(crate) fn add(&self, due: Duration, job: Job) {
        lock(&self.jobs).add(due, job);
        self.changed.notify_one();
    }

    /// Looks at a conversation's silence then, unless that is planned already.
    pub(crate) fn watch(&self, conversation: &str, due: Duration) {
        let mut jobs = lock(&self.jobs);
        if jobs.watched.insert(conversation.to_owned()) {
            let conversation = conversation.to_owned();
            jobs.add(due, Job::CheckSilence { conversation });
            self.changed.notify_one();
        }
    }

    pub(crate) fn clear(&self) {
        let mut jobs = lock(&self.jobs);
        jobs.due.clear();
        jobs.watched.clear();
    }

    /// The first job, if it is due; else when it will be.
    fn next(&self, now: Duration) -> Result<(Duration, Job), Option<Duration>> {
        let mut jobs = lock(&self.jobs);
        let Some(first) = jobs.due.first_entry() else {
            return Err(None);
        };
        let due = first.key().0;
        if due > now {
            return Err(Some(due - now));
        }
        let job = first.remove();
        if let Job::CheckSilence { conversation } = &job {
            jobs.watched.remove(conversation);
        }
        Ok((due, job))
    }
}

impl Jobs {
    fn add(&mut self, due: Duration, job: Job) {
        self.added += 1;
        self.due.insert((due, self.added), job);
    }
}

/// Does every job when it is due, until the emulator is stopped.
pub(crate) async fn keep(world: Arc<World>, life: Lifeline) {
    loop {
        let wait = match world.agenda.next(world.clock.elapsed()) {
            Ok((due, job)) => {
                play(&world, &life, due, job);
                continue;
            }
            Err(wait) => wait,
        };
        let sleep = async {
            match wait {
                // On a clock that stands still nothing comes due by itself.
                Some(wait) if world.clock.scale() > 0.0 => {
                    tokio::time::sleep(world.clock.real(wait)).await;
                }
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = life.stop.cancelled() => return,
            () = world.agenda.changed.notified() => {}
            () = world.clock.moved() => {}
            () = sleep => {}
        }
    }
}

/// What follows from a job is planned from its own time, not from now: a clock
/// that was moved by an hour has seen everything that this hour holds.
fn play(world: &Arc<World>, life: &Lifeline, due: Duration, job: Job) {
    match job {
        Job::CheckSilence { conversation } => webhooks::check_silence(world, &conversation, due),
        Job::GiveBack { conversation } => {
            let now = world.clock.timestamp(due);
            if let Some(conversation) = lock(&world.state).conversation_mut(&conversation) {
                conversation.give_back(now);
            }
        }
        Job::Deliver(parcel) => {
            let world = Arc::clone(world);
            let stop = life.stop.clone();
            // Aside: a receiver that is slow does not hold the others up.
            life.detach(async move {
                stop.run_until_cancelled(webhooks::deliver(&world, *parcel, due))
                    .await;
            });
        }
    }
}
