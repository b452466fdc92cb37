//! What people write.

use famulor_core::{AssistantId, AssistantUuid, Client, ConversationId, CustomerId};
use famulor_emulator::{Fault, RateLimit};
use famulor_quota::Limit;

/// What people write: limits, customers, ids, addresses, faults. The first byte says which.
pub fn settings(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    match kind % 6 {
        0 => {
            if let Ok(limit) = text.parse::<Limit>() {
                let again: Limit = limit.to_string().parse().expect("a limit as it is shown");
                assert_eq!(
                    (again.requests(), again.window()),
                    (limit.requests(), limit.window())
                );
            }
            if let Ok(limit) = RateLimit::parse(text) {
                let again = RateLimit::parse(&limit.to_string()).expect("a limit as it is shown");
                assert_eq!(again, limit);
            }
        }
        1 => {
            // The same customer, however often it is read: two spellings are two conversations.
            if let Ok(customer) = CustomerId::phone(text) {
                assert_eq!(
                    CustomerId::phone(customer.as_str()).expect("its own spelling"),
                    customer
                );
            }
        }
        2 => {
            if let Ok(customer) = CustomerId::email(text) {
                assert_eq!(
                    CustomerId::email(customer.as_str()).expect("its own spelling"),
                    customer
                );
            }
            if let Ok(customer) = CustomerId::raw(text) {
                assert_eq!(customer.as_str(), text);
            }
        }
        3 => {
            let _ = text.parse::<AssistantId>();
            let _ = AssistantUuid::parse(text);
            let _ = ConversationId::new(text);
        }
        4 => {
            if let Ok(client) = Client::builder().with_base_url(text).build() {
                let url = client.base_url();
                assert!(
                    url.starts_with("https://") || url.starts_with("http://"),
                    "{url}"
                );
            }
        }
        _ => {
            if let Ok(fault) = serde_json::from_str::<Fault>(text) {
                let written = serde_json::to_string(&fault).expect("a fault");
                let again: Fault =
                    serde_json::from_str(&written).expect("a fault as it is written");
                assert_eq!(serde_json::to_string(&again).expect("a fault"), written);
            }
        }
    }
}
