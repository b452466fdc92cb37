//! What the emulated account owns: assistants, conversations, money.
//!
//! Inferred, because the documentation knows one account only: all tokens are
//! keys of one account, so they see the same assistants and conversations, and
//! a customer's conversation goes on when the next call uses another key.
//! Quota and balance are kept for each token, so that tests can run side by side.

mod assistant;
mod conversation;
mod documented;
mod opening;

use foldhash::{HashMap, HashMapExt};
use jiff::Timestamp;
use serde_json::{Map, Value};

pub use self::assistant::Assistant;
pub use self::conversation::{Contact, Conversation, ConversationKind, FunctionCall, Message};
pub(crate) use self::documented::CONVERSATION_ID as DOCUMENTED_CONVERSATION;
pub(crate) use self::opening::fill_in;

use crate::caller::Caller;
use crate::money::Amount;
use crate::seeded::Seeded;

/// A variables object, as the API has it.
pub(crate) type Variables = Map<String, Value>;

pub(crate) struct State {
    pub(crate) assistants: Vec<Assistant>,
    conversations: Vec<Conversation>,
    by_id: HashMap<String, usize>,
    /// Per customer, one for each assistant they have talked to.
    by_customer: HashMap<String, Vec<(i64, usize)>>,
    balances: HashMap<Caller, Amount>,
    opening_balance: Amount,
    seeded: Seeded,
    created: u64,
}

impl State {
    pub(crate) fn new(
        assistants: &[Assistant],
        conversations: &[Conversation],
        opening_balance: Amount,
        seeded: Seeded,
        now: Timestamp,
    ) -> Self {
        let mut state = Self {
            assistants: documented::assistants(),
            conversations: Vec::new(),
            by_id: HashMap::new(),
            by_customer: HashMap::new(),
            balances: HashMap::new(),
            opening_balance,
            seeded,
            created: 0,
        };
        for assistant in assistants {
            state.add_assistant(assistant.clone());
        }
        state.add_conversation(documented::conversation(), now);
        for conversation in conversations {
            state.add_conversation(conversation.clone(), now);
        }
        state
    }

    /// Adds an assistant, in the place of one with the same id or UUID.
    pub(crate) fn add_assistant(&mut self, assistant: Assistant) {
        self.assistants
            .retain(|known| known.id != assistant.id && known.uuid != assistant.uuid);
        self.assistants.push(assistant);
        self.assistants.sort_by_key(|assistant| assistant.id);
    }

    pub(crate) fn assistant(&self, id: i64) -> Option<&Assistant> {
        self.assistants.iter().find(|assistant| assistant.id == id)
    }

    pub(crate) fn assistant_mut(&mut self, id: i64) -> Option<&mut Assistant> {
        self.assistants
            .iter_mut()
            .find(|assistant| assistant.id == id)
    }

    pub(crate) fn assistant_by_uuid(&self, uuid: &str) -> Option<&Assistant> {
        self.assistants
            .iter()
            .find(|assistant| assistant.uuid.eq_ignore_ascii_case(uuid))
    }

    /// Adds a conversation as it stands, in the place of one with the same id.
    pub(crate) fn add_conversation(&mut self, mut conversation: Conversation, now: Timestamp) {
        conversation.created_at.get_or_insert(now.into());
        conversation.updated_at.get_or_insert(now.into());
        if conversation.id.is_empty() {
            conversation.id = self.fresh_id();
        }
        let index = match self.by_id.get(&conversation.id) {
            Some(index) => *index,
            None => self.conversations.len(),
        };
        self.by_id.insert(conversation.id.clone(), index);
        if let Some(customer) = &conversation.external_identifier {
            let of_customer = self.by_customer.entry(customer.clone()).or_default();
            of_customer.retain(|(assistant, _)| *assistant != conversation.assistant_id);
            of_customer.push((conversation.assistant_id, index));
        }
        if index == self.conversations.len() {
            self.conversations.push(conversation);
        } else {
            self.conversations[index] = conversation;
        }
    }

    /// Starts a conversation that nobody has spoken in.
    pub(crate) fn open(
        &mut self,
        assistant: i64,
        kind: ConversationKind,
        variables: Option<Variables>,
        now: Timestamp,
    ) -> String {
        let id = self.fresh_id();
        self.add_conversation(
            Conversation {
                id: id.clone(),
                assistant_id: assistant,
                kind,
                variables,
                ..Conversation::default()
            },
            now,
        );
        id
    }

    /// Starts the conversation of this customer with this assistant; where it
    /// is. Its id comes from the pair, whatever came before it.
    pub(crate) fn open_for_customer(
        &mut self,
        assistant: i64,
        customer: &str,
        now: Timestamp,
    ) -> usize {
        let id = self
            .seeded
            .conversation_id(&format!("customer {assistant} {customer}"));
        self.add_conversation(
            Conversation {
                id: id.clone(),
                assistant_id: assistant,
                kind: ConversationKind::Api,
                external_identifier: Some(customer.to_owned()),
                ..Conversation::default()
            },
            now,
        );
        // It may stand in the place of one that was given to the emulator.
        self.index(&id).unwrap_or_default()
    }

    /// Where the conversation of this customer with this assistant is.
    pub(crate) fn index_of(&self, assistant: i64, customer: &str) -> Option<usize> {
        let of_customer = self.by_customer.get(customer)?.iter();
        let mut found = of_customer.filter(|(with, _)| *with == assistant);
        found.next().map(|(_, index)| *index)
    }

    /// The conversation of this customer with this assistant, if there is one.
    pub(crate) fn conversation_of(&self, assistant: i64, customer: &str) -> Option<&Conversation> {
        self.at(self.index_of(assistant, customer)?)
    }

    pub(crate) fn conversation(&self, id: &str) -> Option<&Conversation> {
        self.at(self.index(id)?)
    }

    pub(crate) fn conversation_mut(&mut self, id: &str) -> Option<&mut Conversation> {
        self.at_mut(self.index(id)?)
    }

    /// Where a conversation is: good until a reset.
    pub(crate) fn index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn at(&self, index: usize) -> Option<&Conversation> {
        self.conversations.get(index)
    }

    pub(crate) fn at_mut(&mut self, index: usize) -> Option<&mut Conversation> {
        self.conversations.get_mut(index)
    }

    /// Every conversation with its position, oldest first. The position is what
    /// a list's cursor points at.
    pub(crate) fn conversations(&self) -> impl DoubleEndedIterator<Item = (u64, &Conversation)> {
        self.conversations
            .iter()
            .enumerate()
            .map(|(index, conversation)| (index as u64 + 1, conversation))
    }

    pub(crate) fn balance(&self, caller: &Caller) -> Amount {
        *self.balances.get(caller).unwrap_or(&self.opening_balance)
    }

    pub(crate) fn set_balance(&mut self, caller: Caller, balance: Amount) {
        self.balances.insert(caller, balance);
    }

    /// Takes the price from the balance.
    ///
    /// # Errors
    ///
    /// The balance does not cover the price; nothing is taken.
    pub(crate) fn charge(&mut self, caller: &Caller, price: Amount) -> Result<(), OutOfMoney> {
        let balance = match self.balances.get_mut(caller) {
            Some(balance) => balance,
            None => self
                .balances
                .entry(caller.clone())
                .or_insert(self.opening_balance),
        };
        if *balance < price {
            return Err(OutOfMoney);
        }
        *balance -= price;
        Ok(())
    }

    /// The integer id that webhooks show, which is the list's position too.
    pub(crate) fn number_of(&self, id: &str) -> u64 {
        self.index(id).map_or(0, |index| index as u64 + 1)
    }

    fn fresh_id(&mut self) -> String {
        self.created += 1;
        self.seeded
            .conversation_id(&format!("conversation {}", self.created))
    }
}

/// The balance does not cover the price.
pub(crate) struct OutOfMoney;
