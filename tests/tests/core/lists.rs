//! Lists: pages, streams, and what goes over the wire for them.

use famulor_core::{AssistantId, Client, ConversationKind};
use famulor_tests::sdk::{LIST, client};
use famulor_tests::wire::{Script, Then, Wire};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;

const ASSISTANTS: &str = "GET /api/user/assistants/get";

fn page(ids: &[&str], next: Option<&str>) -> Then {
    let rows: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"data": rows, "per_page": 2, "next_cursor": next, "prev_cursor": null});
    Then::json(200, &body.to_string())
}

fn numbered(ids: &[i64], current: i64, last: i64) -> Then {
    let rows: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"data": rows, "current_page": current, "last_page": last, "total": 9});
    Then::json(200, &body.to_string())
}

async fn serve(route: &str, pages: Vec<Then>) -> (Wire, Client) {
    let wire = Wire::start(Script::new().on(route, pages)).await;
    let client = client(&wire.base_url());
    (wire, client)
}

fn targets(wire: &Wire) -> Vec<String> {
    let requests = wire.requests().into_iter();
    requests
        .map(|seen| seen.line.split(' ').nth(1).unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_stream_goes_through_all_pages_and_repeats_the_filters_with_the_cursor() {
    let (wire, client) = serve(
        LIST,
        vec![
            page(&["a", "b"], Some("eyJpZCI6MTAwfQ==")),
            page(&[], Some("n+2/3")),
            page(&["c"], None),
        ],
    )
    .await;
    let rows = client
        .list_conversations()
        .set_kind(ConversationKind::Api)
        .set_assistant_id(AssistantId::new(123))
        .set_customer_phone("+49 155")
        .set_external_identifier("a&b=c")
        .set_per_page(2)
        .stream();
    let ids: Vec<String> = rows.map_ok(|row| row.id).try_collect().await.expect("rows");
    assert_eq!(ids, ["a", "b", "c"]);
    let targets = targets(&wire);
    assert_eq!(targets.len(), 3);
    for target in &targets {
        for part in [
            "type=api",
            "assistant_id=123",
            "customer_phone=%2B49",
            "external_identifier=a%26b%3Dc",
            "per_page=2",
        ] {
            assert!(target.contains(part), "{target} has no {part}");
        }
        assert!(
            !target.contains(['+', ' ']) || target.contains("%2B49+155"),
            "{target}"
        );
    }
    assert!(!targets[0].contains("cursor"));
    assert!(
        targets[1].contains("cursor=eyJpZCI6MTAwfQ%3D%3D"),
        "{}",
        targets[1]
    );
    assert!(targets[2].contains("cursor=n%2B2%2F3"), "{}", targets[2]);
}

#[tokio::test]
async fn a_server_that_repeats_itself_ends_the_stream() {
    let (wire, client) = serve(LIST, vec![page(&["a"], Some("again"))]).await;
    let rows: Vec<_> = client.list_conversations().stream().collect().await;
    assert_eq!(rows.len(), 2);
    assert_eq!(wire.requests().len(), 2);

    for (current, last) in [(1, 5), (0, i64::MAX), (i64::MAX - 1, i64::MAX)] {
        let (wire, client) = serve(ASSISTANTS, vec![numbered(&[1], current, last)]).await;
        let rows: Vec<_> = client.list_assistants().stream().take(10).collect().await;
        assert!(rows.len() <= 2, "{current} of {last}: {}", rows.len());
        assert!(wire.requests().len() <= 2);
    }
}

#[tokio::test]
async fn an_error_ends_the_stream_and_an_empty_cursor_too() {
    let denied = Then::json(403, r#"{"error":"no"}"#);
    let (wire, client) = serve(LIST, vec![page(&["a"], Some("2")), denied]).await;
    let mut rows = client.list_conversations().stream();
    assert!(rows.next().await.is_some_and(|row| row.is_ok()));
    assert!(rows.next().await.is_some_and(|row| row.is_err()));
    assert!(rows.next().await.is_none());
    assert_eq!(wire.requests().len(), 2);
    let (wire, client) = serve(LIST, vec![page(&["a"], Some(""))]).await;
    let rows: Vec<_> = client.list_conversations().stream().collect().await;
    assert_eq!((rows.len(), wire.requests().len()), (1, 1));
}

#[tokio::test]
async fn assistants_come_page_by_page() {
    let pages = vec![numbered(&[1, 2], 1, 2), numbered(&[3], 2, 2)];
    let (wire, client) = serve(ASSISTANTS, pages).await;
    let rows = client.list_assistants().set_per_page(2).stream();
    let ids: Vec<i64> = rows.map_ok(|row| row.id).try_collect().await.expect("rows");
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(
        targets(&wire),
        [
            "/api/user/assistants/get?per_page=2",
            "/api/user/assistants/get?page=2&per_page=2"
        ]
    );
}

#[tokio::test]
async fn what_is_previewed_is_what_is_sent() {
    let (wire, client) = serve(LIST, vec![page(&[], None)]).await;
    let list = client
        .list_conversations()
        .set_customer_phone("+49155551234")
        .set_whatsapp_sender_phone("+1 (555) 0100")
        .set_cursor("a+b/c==");
    let preview = list.preview().expect("a preview");
    list.await.expect("a page");
    let sent = &targets(&wire)[0];
    let query = |url: &str| {
        let query = url
            .split_once('?')
            .map_or("", |(_, query)| query)
            .to_owned();
        let mut pairs: Vec<String> = query
            .split('&')
            .map(|pair| pair.replace('+', "%20"))
            .collect();
        pairs.sort();
        pairs
    };
    assert_eq!(query(preview.url()), query(sent));
}
