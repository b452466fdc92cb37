//! The store's account beside the server's.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::report::Outcome;
use crate::server::Server;
use crate::{Plan, customer_of, text_of};

/// Looks for every message of the input in both.
pub(crate) fn compare(plan: &Plan, rows: &[Value], server: &Server) -> Result<Outcome, String> {
    let stats = server.stats()?;
    server.behave()?;
    let mut outcome = Outcome {
        messages: plan.messages,
        billed: stats["billed_messages"].as_u64().unwrap_or_default(),
        faults: stats["faults"].as_u64().unwrap_or_default(),
        refusals: stats["rate_limited"].as_u64().unwrap_or_default(),
        ..Outcome::default()
    };
    let mut arrivals: HashMap<String, Vec<Option<String>>> = HashMap::new();
    for (customer, history) in server.histories(plan)? {
        let said: Vec<&str> = history
            .iter()
            .filter(|(role, _)| role == "user")
            .map(|(_, text)| text.as_str())
            .collect();
        outcome.out_of_order += out_of_order(&said);
        for (index, (role, text)) in history.iter().enumerate() {
            if role == "user" {
                let next = history.get(index + 1);
                let reply = next.filter(|(role, _)| role == "assistant");
                let reply = reply.map(|(_, text)| text.clone());
                arrivals.entry(text.clone()).or_default().push(reply);
            }
        }
        // The server's second account must agree with its first.
        let billed = stats["customers"][&customer]["billed_messages"].as_u64();
        let stored = history.iter().filter(|(role, _)| role == "user").count();
        if billed.unwrap_or_default() != stored as u64 {
            return Err(format!(
                "the emulator bills {billed:?} and has {stored} for {customer}"
            ));
        }
    }
    let mut rows_by_line: HashMap<u64, &Value> = HashMap::new();
    for (row, line) in rows.iter().zip(1..) {
        if row["line"] != line {
            outcome.unsettled += 1;
        }
        rows_by_line.insert(row["line"].as_u64().unwrap_or_default(), row);
    }
    for line in 1..=plan.messages {
        let arrived = arrivals.remove(&text_of(line)).unwrap_or_default();
        let row = rows_by_line.get(&line).copied();
        judge(&mut outcome, plan, line, &arrived, row);
    }
    if !arrivals.is_empty() {
        return Err(format!(
            "the server has {} messages that nobody wrote",
            arrivals.len()
        ));
    }
    Ok(outcome)
}

/// What the server alone can tell: for a run that was broken off, of whose rows nothing can be said.
pub(crate) fn billed_twice(plan: &Plan, server: &Server) -> Result<Outcome, String> {
    let stats = server.stats()?;
    server.behave()?;
    let mut outcome = Outcome {
        messages: plan.messages,
        billed: stats["billed_messages"].as_u64().unwrap_or_default(),
        faults: stats["faults"].as_u64().unwrap_or_default(),
        refusals: stats["rate_limited"].as_u64().unwrap_or_default(),
        ..Outcome::default()
    };
    for (_, history) in server.histories(plan)? {
        let mut seen = HashSet::new();
        let said = history.iter().filter(|(role, _)| role == "user");
        let again = said.filter(|(_, text)| !seen.insert(text.as_str()));
        outcome.billed_twice += again.count() as u64;
    }
    Ok(outcome)
}

/// `replies`: what the server answered to each copy of the message that it has.
fn judge(
    outcome: &mut Outcome,
    plan: &Plan,
    line: u64,
    replies: &[Option<String>],
    row: Option<&Value>,
) {
    let arrived = replies.len() as u64;
    outcome.billed_twice += arrived.saturating_sub(1);
    let Some(row) = row else {
        // Also when the server has it: nobody will ever read the answer.
        outcome.lost += 1;
        return;
    };
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    if text("customer_identifier") != customer_of(plan, line) || text("id") != format!("m-{line}") {
        outcome.unsettled += 1;
    }
    let error = &row["error"];
    let has_reason = !error["message"].as_str().unwrap_or_default().is_empty();
    outcome.sent_again += u64::from(row["attempts"].as_u64() > Some(1));
    match text("state") {
        "done" => {
            outcome.done += 1;
            outcome.lost += u64::from(arrived == 0);
            let its_own = replies
                .iter()
                .any(|reply| reply.as_deref() == row["reply"].as_str());
            outcome.wrong_reply += u64::from(arrived > 0 && !its_own);
        }
        "failed" => {
            outcome.failed += 1;
            outcome.unsettled += u64::from(!has_reason);
            let unprocessed = matches!(error["delivery"].as_str(), Some("not_sent" | "refused"));
            outcome.wrong_word += u64::from(unprocessed && arrived > 0);
        }
        "needs_review" => {
            outcome.needs_review += 1;
            outcome.unsettled += u64::from(!has_reason);
            let reason = error["message"].as_str().unwrap_or_default();
            *outcome.reasons.entry(reason.to_owned()).or_default() += 1;
        }
        _ => outcome.unsettled += 1,
    }
}

/// How many messages stand before one that was to go earlier. A second copy of one is counted elsewhere.
fn out_of_order(said: &[&str]) -> u64 {
    let numbers = said
        .iter()
        .filter_map(|text| text.split(' ').nth(1)?.parse().ok());
    let mut seen = Vec::new();
    let mut count = 0;
    for number in numbers {
        let number: u64 = number;
        if seen.contains(&number) {
            continue;
        }
        count += u64::from(seen.iter().any(|earlier| *earlier > number));
        seen.push(number);
    }
    count
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_is_by_the_first_copy_of_each_message() {
        let said = |numbers: &[u64]| {
            let texts: Vec<String> = numbers.iter().map(|number| text_of(*number)).collect();
            out_of_order(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(said(&[1, 4, 7]), 0);
        assert_eq!(said(&[1, 4, 1, 7]), 0);
        assert_eq!(said(&[4, 1, 7]), 1);
        assert_eq!(said(&[7, 4, 1]), 2);
    }

    const REPLY: &str = "an answer to message 3";

    /// What one row and so many copies on the server are found to be.
    fn found(arrived: usize, row: Option<Value>) -> Vec<String> {
        let plan = Plan::new("famulor".into());
        let mut outcome = Outcome::default();
        let replies = vec![Some(REPLY.to_owned()); arrived];
        judge(&mut outcome, &plan, 3, &replies, row.as_ref());
        outcome.broken_promises()
    }

    fn row(state: &str, more: Value) -> Option<Value> {
        let mut row = json!({"line": 3, "id": "m-3", "customer_identifier": "customer-3", "state": state,
            "reply": null, "error": null, "attempts": 1});
        for (name, value) in more.as_object().into_iter().flatten() {
            row[name] = value.clone();
        }
        Some(row)
    }

    #[test]
    fn every_way_to_break_the_promise_is_noticed() {
        let done = |reply: &str| row("done", json!({"reply": reply}));
        let reply = REPLY;
        let nobody = Vec::<String>::new();
        assert_eq!(found(1, done(reply)), nobody);
        assert_eq!(found(0, done(reply)), ["1 lost"]);
        assert_eq!(found(2, done(reply)), ["1 billed twice"]);
        assert_eq!(
            found(1, done("re: something else")),
            ["1 with another message's reply"]
        );
        assert_eq!(found(1, None), ["1 lost"]);
        assert_eq!(found(0, None), ["1 lost"]);
        let error = |delivery: &str| json!({"error": {"message": "why", "delivery": delivery}});
        assert_eq!(found(0, row("failed", error("not_sent"))), nobody);
        assert_eq!(
            found(1, row("failed", error("refused"))),
            ["1 called unprocessed and billed"]
        );
        assert_eq!(found(1, row("failed", error("processed"))), nobody);
        assert_eq!(
            found(0, row("failed", json!({}))),
            ["1 without an end or a reason"]
        );
        assert_eq!(found(1, row("needs_review", error("unknown"))), nobody);
        assert_eq!(
            found(1, row("needs_review", json!({}))),
            ["1 without an end or a reason"]
        );
        assert_eq!(
            found(1, row("in_doubt", error("unknown"))),
            ["1 without an end or a reason"]
        );
    }
}
