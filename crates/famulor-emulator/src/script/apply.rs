//! What a script does to an emulator's settings.

use uuid::Uuid;

use super::Script;
use super::types::{self, Algorithm, Latency, Rate, Written};
use crate::limits::{LimitAlgorithm, RateLimit};
use crate::money::Amount;
use crate::state::{Assistant, Conversation};
use crate::webhooks::ReadReceipts;
use crate::world::{Config, TokenSettings};

impl Script {
    /// Only what the script has is changed.
    pub(crate) fn apply(&self, config: &mut Config) {
        let Written {
            seed,
            time,
            latency,
            limits,
            balance,
            prices,
            tokens,
            only_these_tokens,
            assistants,
            rules,
            conversations,
            faults,
            webhooks,
        } = &self.written;
        set(&mut config.seed, *seed);
        set(&mut config.time_scale, time.scale);
        let starts_at = time.starts_at.as_ref().and_then(|time| time.parse().ok());
        config.starts_at = starts_at.or(config.starts_at);
        set(&mut config.latency, latency.as_ref().map(Latency::read));
        set(&mut config.algorithm, limits.algorithm.map(Algorithm::read));
        set(&mut config.reply_limit, limits.replies.map(|rate| rate.0));
        set(
            &mut config.general_limits,
            limits.general.as_deref().map(those_on),
        );
        set(&mut config.balance, balance.map(Amount::dollars));
        set(&mut config.reply_price, prices.reply.map(Amount::dollars));
        set(
            &mut config.widget_price,
            prices.widget_message.map(Amount::dollars),
        );
        for (token, settings) in tokens {
            config.token_settings.insert(token.clone(), settings.read());
            if *only_these_tokens {
                config.tokens.push(token.clone());
            }
        }
        for assistant in assistants {
            config.assistants.push(assistant.read());
            let own = assistant.rules.iter();
            config
                .rules
                .extend(own.map(|rule| rule.compile(Some(assistant.id))));
        }
        config
            .rules
            .extend(rules.iter().map(|rule| rule.compile(None)));
        config
            .conversations
            .extend(conversations.iter().map(types::Conversation::read));
        config.faults.extend(faults.iter().cloned());
        config.webhook_hosts.extend(webhooks.allow.iter().cloned());
        if let Some(receipts) = &webhooks.read_receipts {
            config.read_receipts = Some(ReadReceipts::new(&receipts.url, &receipts.secret));
        }
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn those_on(rates: &[Rate]) -> Vec<RateLimit> {
    rates.iter().filter_map(|rate| rate.0).collect()
}

impl Latency {
    fn read(&self) -> crate::latency::Latency {
        match *self {
            Self::Fixed(every) => every.into(),
            Self::Spread(types::Spread { median, p99 }) => {
                crate::latency::Latency::Spread { median, p99 }
            }
        }
    }
}

impl Algorithm {
    fn read(self) -> LimitAlgorithm {
        match self {
            Self::Fixed => LimitAlgorithm::Fixed,
            Self::Sliding => LimitAlgorithm::SlidingLog,
            Self::TokenBucket => LimitAlgorithm::TokenBucket,
        }
    }
}

impl types::Token {
    fn read(&self) -> TokenSettings {
        TokenSettings {
            balance: self.balance.map(Amount::dollars),
            reply_limit: self.replies.map(|rate| rate.0),
            general_limits: self.general.as_deref().map(those_on),
        }
    }
}

impl types::Assistant {
    fn read(&self) -> Assistant {
        let made = || Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.id.to_be_bytes()).to_string();
        let default = Assistant::default();
        Assistant {
            id: self.id,
            uuid: self.uuid.clone().unwrap_or_else(made),
            name: self.name.clone(),
            opening_message: self.opening_message.clone(),
            variables: self.variables.clone(),
            ended_webhook: self.ended_webhook.clone(),
            inactivity_timeout: self
                .inactivity_timeout
                .map_or(default.inactivity_timeout, |timeout| timeout.0),
            ended_retrigger: self.ended_retrigger,
        }
    }
}

impl types::Conversation {
    fn read(&self) -> Conversation {
        Conversation {
            id: self.id.clone(),
            assistant_id: self.assistant,
            kind: self.kind,
            variables: self.variables.clone(),
            history: self.history.clone(),
            external_identifier: self.external_identifier.clone(),
            whatsapp_sender: self.whatsapp_sender.clone(),
            customer: self.customer.clone(),
            ai_disabled: self.ai_disabled,
            ..Conversation::default()
        }
    }
}
