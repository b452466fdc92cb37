//! The conversations of all visitors, and the line that they stand in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use famulor_core::{
    AssistantId, Client, ConversationId, Delivery, Error, ErrorKind, Message, Reply, Role,
};
use famulor_examples::Failure;
use serde::Serialize;

use crate::allowance::Allowance;
use crate::session::Session;
use crate::words;

/// Nobody looks at a page for longer. Whoever would have to is told so, and their message is not sent.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// How often a conversation is read that a person has taken over.
const READ_EVERY: Duration = Duration::from_secs(10);

/// Rooms that are kept at once, and for how long without a sign of life: so much memory, and no more.
const MOST_ROOMS: usize = 10_000;
const KEPT: Duration = Duration::from_secs(2 * 3600);

/// What a browser sees of a visitor's conversation.
#[derive(Serialize)]
pub(crate) struct View {
    entries: Vec<Entry>,
    /// A message is under way.
    busy: bool,
    /// A person has taken the conversation over.
    person: bool,
    /// What happens to the message that is under way: `Third in line`.
    status: Option<String>,
    /// For how long: `about 40 s`.
    about: Option<String>,
}

#[derive(Clone, Serialize)]
struct Entry {
    who: Who,
    text: String,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Who {
    Visitor,
    Assistant,
    Person,
    Notice,
}

/// Why a message was not taken in. Nothing was sent.
pub(crate) enum Refused {
    /// The visitor's last one is not answered yet.
    Busy,
    /// The visitor, or their address, has used up what one may send.
    TooMany(Duration),
    /// There are too many visitors.
    Full,
}

struct Room {
    entries: Vec<Entry>,
    /// When its message came, counted over all visitors, while it is not answered.
    arrival: Option<u64>,
    conversation: Option<ConversationId>,
    with_person: bool,
    /// How much of the conversation has been shown, and when it was read.
    read_until: Option<usize>,
    read_at: Option<Instant>,
    seen: Instant,
}

#[derive(Default)]
struct Rooms {
    by_session: HashMap<Session, Room>,
    arrivals: u64,
}

pub(crate) struct Desk {
    client: Client,
    assistant: AssistantId,
    allowance: Allowance,
    rooms: Mutex<Rooms>,
}

impl Desk {
    pub(crate) fn new(client: Client, assistant: AssistantId, allowance: Allowance) -> Self {
        Self {
            client,
            assistant,
            allowance,
            rooms: Mutex::default(),
        }
    }

    /// Takes a message in; it is answered while the browser asks for [`view`](Self::view)s.
    pub(crate) async fn say(
        self: &Arc<Self>,
        session: &Session,
        address: IpAddr,
        text: String,
    ) -> Result<Result<(), Refused>, Failure> {
        if self.is_busy(session) {
            return Ok(Err(Refused::Busy));
        }
        if let Some(wait) = self.allowance.take(session, address).await? {
            return Ok(Err(Refused::TooMany(wait)));
        }
        if let Err(refused) = self.rooms().enter(session, &text) {
            return Ok(Err(refused));
        }
        let (desk, session) = (Arc::clone(self), session.clone());
        // Goes on when the browser goes away: the answer is there when it comes back.
        tokio::spawn(async move {
            let reply = desk.ask(&session, text).await;
            desk.rooms().answered(&session, reply);
        });
        Ok(Ok(()))
    }

    /// The conversation as it stands now.
    pub(crate) async fn view(self: &Arc<Self>, session: &Session) -> Result<View, Failure> {
        let arrival = {
            let mut rooms = self.rooms();
            let room = rooms.by_session.get_mut(session);
            room.and_then(|room| {
                room.seen = Instant::now();
                room.arrival
            })
        };
        let (status, about) = match arrival {
            Some(arrival) => self.standing(arrival).await?,
            None => (None, None),
        };
        if let Some(conversation) = self.rooms().due_for_reading(session) {
            let (desk, session) = (Arc::clone(self), session.clone());
            tokio::spawn(async move { desk.read(&session, conversation).await });
        }
        let rooms = self.rooms();
        let room = rooms.by_session.get(session);
        Ok(View {
            entries: room.map(|room| room.entries.clone()).unwrap_or_default(),
            busy: arrival.is_some(),
            person: room.is_some_and(|room| room.with_person),
            status,
            about,
        })
    }

    /// Where in the line a message stands. Those that wait are the last ones that came: the line is first come, first
    /// served.
    async fn standing(&self, arrival: u64) -> Result<(Option<String>, Option<String>), Failure> {
        let quota = self.client.quota().await?;
        let (earlier, unanswered) = self.rooms().before(arrival);
        let replies = quota.limits().first();
        let waiting = replies.map_or(0, |limit| limit.waiting as usize);
        let going = unanswered.saturating_sub(waiting);
        let Some(ahead) = earlier.checked_sub(going) else {
            return Ok((Some("The assistant is answering".to_owned()), None));
        };
        let windows = replies.map_or(Duration::ZERO, |limit| {
            let each = limit.limit.requests().max(1) as usize;
            limit.limit.window() * u32::try_from(ahead / each).unwrap_or(u32::MAX)
        });
        let wait = quota.next_reply_in() + windows;
        Ok((Some(words::place(ahead + 1)), Some(words::about(wait))))
    }

    async fn ask(&self, session: &Session, text: String) -> famulor_core::Result<Reply> {
        self.client
            .reply(self.assistant, session.customer()?, text)
            .set_variable("source", "web chat")
            .with_max_wait(LONGEST_WAIT)
            .with_deadline(LONGEST_WAIT + Duration::from_secs(120))
            .send()
            .await
    }

    /// Fetches what a person has written meanwhile.
    async fn read(&self, session: &Session, conversation: ConversationId) {
        let history = self
            .client
            .conversation(conversation)
            .history()
            .send()
            .await;
        match history {
            Ok(history) => self.rooms().read(session, history.messages()),
            Err(error) => eprintln!("a conversation could not be read: {error}"),
        }
    }

    fn is_busy(&self, session: &Session) -> bool {
        let rooms = self.rooms();
        let room = rooms.by_session.get(session);
        room.is_some_and(|room| room.arrival.is_some())
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    fn enter(&mut self, session: &Session, text: &str) -> Result<(), Refused> {
        if self.by_session.len() >= MOST_ROOMS {
            let is_kept = |room: &Room| room.arrival.is_some() || room.seen.elapsed() < KEPT;
            self.by_session.retain(|_, room| is_kept(room));
        }
        if self.by_session.len() >= MOST_ROOMS && !self.by_session.contains_key(session) {
            return Err(Refused::Full);
        }
        self.arrivals += 1;
        let room = self
            .by_session
            .entry(session.clone())
            .or_insert_with(Room::new);
        if room.arrival.is_some() {
            return Err(Refused::Busy);
        }
        room.arrival = Some(self.arrivals);
        room.say(Who::Visitor, text);
        Ok(())
    }

    /// How many unanswered messages came before this one, and how many there are.
    fn before(&self, arrival: u64) -> (usize, usize) {
        let unanswered = self.by_session.values().filter_map(|room| room.arrival);
        unanswered.fold((0, 0), |(earlier, all), other| {
            (earlier + usize::from(other < arrival), all + 1)
        })
    }

    fn answered(&mut self, session: &Session, outcome: famulor_core::Result<Reply>) {
        let Some(room) = self.by_session.get_mut(session) else {
            return;
        };
        room.arrival = None;
        let reply = match outcome {
            Ok(reply) => reply,
            Err(error) => {
                // For whoever runs this. It says nothing of what was written, nor by whom.
                eprintln!("a message was not answered: {error}");
                return room.say(Who::Notice, &explain(&error));
            }
        };
        room.conversation = Some(reply.conversation_id().clone());
        match reply.text() {
            Some(text) => {
                if std::mem::take(&mut room.with_person) {
                    room.say(Who::Notice, "The AI assistant answers again.");
                }
                room.say(Who::Assistant, text);
            }
            None if !room.with_person => {
                room.with_person = true;
                room.read_until = None;
                let text = "A person has taken over. They have your message and will answer here.";
                room.say(Who::Notice, text);
            }
            None => {}
        }
    }

    /// The conversation to be read now, because a person may have written.
    fn due_for_reading(&mut self, session: &Session) -> Option<ConversationId> {
        let room = self.by_session.get_mut(session)?;
        let was_read = room.read_at.is_some_and(|at| at.elapsed() < READ_EVERY);
        if !room.with_person || room.arrival.is_some() || was_read {
            return None;
        }
        room.read_at = Some(Instant::now());
        room.conversation.clone()
    }

    /// Shows what is new in a conversation.
    fn read(&mut self, session: &Session, said: &[Message]) {
        let Some(room) = self
            .by_session
            .get_mut(session)
            .filter(|room| room.with_person)
        else {
            return;
        };
        // What stands behind the message that nobody's program answered is a person's.
        let taken_over = || {
            said.iter()
                .rposition(|message| message.role == Role::User)
                .map_or(0, |at| at + 1)
        };
        let from = room.read_until.unwrap_or_else(taken_over);
        for message in said.iter().skip(from) {
            // Remarks of the system are for those who work with it.
            if let (Role::Assistant, Some(text)) = (&message.role, &message.content) {
                room.say(Who::Person, text);
            }
        }
        room.read_until = Some(said.len().max(from));
    }
}

impl Room {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
            arrival: None,
            conversation: None,
            with_person: false,
            read_until: None,
            read_at: None,
            seen: Instant::now(),
        }
    }

    fn say(&mut self, who: Who, text: &str) {
        let text = text.to_owned();
        self.entries.push(Entry { who, text });
    }
}

/// What a visitor has to know of a failure: whether to write again.
fn explain(error: &Error) -> String {
    match (error.kind(), error.delivery()) {
        (ErrorKind::RateLimited, _) => match error.retry_after() {
            Some(wait) => format!(
                "Too many people are asking at the moment. Your message was not sent: please try again in {}.",
                words::about(wait)
            ),
            None => {
                "Too many people are asking at the moment. Your message was not sent.".to_owned()
            }
        },
        (_, Delivery::NotSent | Delivery::Refused) => {
            "Your message could not be delivered. Please try again later.".to_owned()
        }
        _ => "Your message was sent, but the answer got lost. Please do not send it again: ask \
              whether it arrived."
            .to_owned(),
    }
}
