//! Lists: conversations by cursor, assistants by page.

mod probe;

use famulor_emulator::{Assistant, Contact, Conversation, ConversationKind};
use famulor_test_judge::emulator;
use probe::{Probe, documented};
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    page["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

fn keys(row: &Value) -> Vec<&String> {
    row.as_object().expect("an object").keys().collect()
}

fn contact(name: &str, phone: &str) -> Option<Contact> {
    Some(Contact {
        name: Some(name.into()),
        phone: phone.into(),
    })
}

/// One conversation of each kind besides the one that is always there.
async fn one_of_each() -> Probe {
    let probe = Probe::on(emulator().conversation(Conversation {
        id: "whatsapp-one".into(),
        assistant_id: 124,
        kind: ConversationKind::Whatsapp,
        whatsapp_sender: contact("Acme Corp Support", "+14155551234"),
        customer: contact("John Doe", "+14155559876"),
        ..Conversation::default()
    }))
    .await;
    probe.conversation("test").await;
    probe.reply("crm-lead-12345", "Hello").await;
    probe
}

#[tokio::test]
async fn a_row_has_the_documented_fields_of_its_type() {
    let probe = one_of_each().await;
    let page = probe.get("/user/conversations").await;
    assert_eq!(page.status, 200);
    let example = documented("listConversations.response.200-response");
    assert_eq!(keys(&page.body), keys(&example));
    assert_eq!(page.body["per_page"], 15);
    assert_eq!(page.body["next_cursor"], Value::Null);
    assert_eq!(page.body["prev_cursor"], Value::Null);
    assert_eq!(
        page.body["path"],
        format!("{}/user/conversations", probe.emulator.base_url())
    );
    for (example, kind) in [(0, "widget"), (1, "whatsapp"), (2, "api")]
        .map(|(row, kind)| (&example["data"][row], kind))
    {
        let rows = probe.get(&format!("/user/conversations?type={kind}")).await;
        let rows = rows.body["data"].as_array().expect("rows").clone();
        assert_eq!(rows.len(), 1);
        assert_eq!(keys(&rows[0]), keys(example));
        assert_eq!(rows[0]["type"], kind);
        let created = rows[0]["created_at"].as_str().expect("a time");
        assert_eq!((created.len(), &created[10..11]), (19, " "));
    }
}

#[tokio::test]
async fn a_row_counts_messages_and_cost() {
    let probe = Probe::on(emulator().reply_price(0.25)).await;
    probe.reply("anna", "One").await;
    probe.reply("anna", "Two").await;
    let page = probe
        .get("/user/conversations?external_identifier=anna")
        .await;
    let row = &page.body["data"][0];
    assert_eq!(row["message_count"], 4);
    assert_eq!(row["total_cost"], 0.5);
    assert_eq!(row["ai_enabled"], true);
    assert_eq!(row["assistant_id"], "550e8400-e29b-41d4-a716-446655440000");
    assert_eq!(row["variables"], Value::Null);
}

#[tokio::test]
async fn filters_are_exact_and_combine() {
    let probe = one_of_each().await;
    let count = async |query: &str| {
        let page = probe.get(&format!("/user/conversations?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        ids(&page.body).len()
    };
    assert_eq!(count("").await, 4);
    assert_eq!(count("assistant_id=123").await, 3);
    assert_eq!(count("assistant_id=124").await, 1);
    assert_eq!(count("customer_phone=%2B14155559876").await, 1);
    // A plus that is not encoded is a space (facts, listConversations).
    assert_eq!(count("customer_phone=+14155559876").await, 0);
    assert_eq!(count("whatsapp_sender_phone=%2B14155551234").await, 1);
    assert_eq!(count("external_identifier=crm-lead-12345").await, 1);
    assert_eq!(count("external_identifier=crm-lead").await, 0);
    assert_eq!(count("type=api&assistant_id=124").await, 0);
}

#[tokio::test]
async fn the_cursor_leads_through_all_pages_and_back() {
    let probe = Probe::on(emulator().without_limits()).await;
    for customer in ["a", "b", "c", "d"] {
        probe.reply(customer, "Hello").await;
    }
    let all = ids(&probe.get("/user/conversations").await.body);
    assert_eq!(all.len(), 5);
    let page = async |cursor: &Value| {
        let cursor = cursor.as_str().expect("a cursor");
        probe
            .get(&format!("/user/conversations?per_page=2&cursor={cursor}"))
            .await
            .body
    };
    let first = probe.get("/user/conversations?per_page=2").await.body;
    let second = page(&first["next_cursor"]).await;
    let third = page(&second["next_cursor"]).await;
    assert_eq!(
        [ids(&first), ids(&second), ids(&third)].concat(),
        all,
        "newest first, each once"
    );
    assert_eq!(first["prev_cursor"], Value::Null);
    assert_eq!(third["next_cursor"], Value::Null);

    let back = page(&third["prev_cursor"]).await;
    assert_eq!(ids(&back), ids(&second));
    let start = page(&back["prev_cursor"]).await;
    assert_eq!(ids(&start), ids(&first));
    assert_eq!(start["prev_cursor"], Value::Null);
}

#[tokio::test]
async fn pages_of_0_and_of_101_are_refused_and_a_broken_cursor_is_the_first_page() {
    let probe = Probe::start().await;
    for (per_page, message) in [
        ("0", "The per page field must be at least 1."),
        ("101", "The per page field must not be greater than 100."),
        ("many", "The per page field must be an integer."),
    ] {
        for path in ["/user/conversations", "/user/assistants/get"] {
            let refused = probe.get(&format!("{path}?per_page={per_page}")).await;
            assert_eq!(
                (refused.status, &refused.body["message"]),
                (422, &json!(message))
            );
        }
    }
    let broken = probe.get("/user/conversations?cursor=broken").await;
    assert_eq!(ids(&broken.body).len(), 1);
}

#[tokio::test]
async fn the_documented_assistant_has_the_documented_row() {
    let probe = Probe::start().await;
    let page = probe.get("/user/assistants/get").await;
    let example = documented("listAssistants.response.200-response");
    assert_eq!(keys(&page.body), keys(&example));
    let (mut row, mut expected) = (page.body["data"][0].clone(), example["data"][0].clone());
    // Seed 0 has it open differently.
    assert!(row["initial_message"].is_string());
    row["initial_message"] = Value::Null;
    expected["initial_message"] = Value::Null;
    assert_eq!(row, expected);
}

#[tokio::test]
async fn assistants_come_by_page() {
    let mut builder = emulator();
    for id in 200..223 {
        builder = builder.assistant(Assistant {
            id,
            uuid: format!("assistant-{id}"),
            name: format!("Assistant {id}"),
            ..Assistant::default()
        });
    }
    let probe = Probe::on(builder).await;
    let third = probe.get("/user/assistants/get?page=3").await.body;
    assert_eq!(third["data"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        (
            &third["current_page"],
            &third["per_page"],
            &third["total"],
            &third["last_page"]
        ),
        (&json!(3), &json!(10), &json!(25), &json!(3))
    );
    // Nothing is documented that a page could be too far for.
    for page in ["9", "9000000000000000000"] {
        let path = format!("/user/assistants/get?page={page}&per_page=100");
        let past = probe.get(&path).await;
        assert_eq!(
            (past.status, &past.body["data"]),
            (200, &json!([])),
            "{page}"
        );
        assert_eq!(past.body["last_page"], 1);
    }
}

#[tokio::test]
async fn me_is_the_documented_account() {
    let probe = Probe::start().await;
    let me = probe.get("/user/me").await;
    assert_eq!(
        (me.status, me.body),
        (200, documented("getMe.response.200-response"))
    );
    probe.reply("anna", "Hello").await;
    assert_eq!(
        probe.get("/user/me").await.body["total_balance"],
        100.66447094
    );
}
