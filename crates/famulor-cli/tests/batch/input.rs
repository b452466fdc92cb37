//! What is read, and every bad line with its cause before anything is sent.

use serde_json::json;

use crate::{batch, column, customers, exported, input, message, run, sent, world};

/// An input that is wrong in every way at once.
fn all_wrong() -> Vec<u8> {
    let good = message("crm-1", "Hi").to_string();
    let long =
        json!({"assistant_id": 123, "customer_identifier": "x".repeat(300), "message": "Hi"});
    let huge = message("crm-1", &"y".repeat(1024 * 1024));
    let mut bytes = Vec::new();
    for line in [
        good.as_bytes(),
        b"not json",
        b"[1, 2]",
        br#"{"assistant_id": 123, "customer_identifier": "crm-1"}"#,
        br#"{"assistant_id": "123", "customer_identifier": 5, "message": null, "variables": [], "id": 7}"#,
        long.to_string().as_bytes(),
        br#"{"assistant_id": 123, "customer_identifier": "crm-1", "message": " "}"#,
        br#"{"assistant_id": 123, "customer_identifier": "crm-1", "mesage": "a secret", "message": "Hi"}"#,
        b"{\"assistant_id\": 123, \"customer_identifier\": \"\xff\", \"message\": \"Hi\"}",
        b"",
        huge.to_string().as_bytes(),
        br#"{"assistant_id": 123, "customer_identifier": "crm-1", "message": "a", "message": "b"}"#,
        br#"{"assistant_id": 1.5, "customer_identifier": "crm-1", "message": "a\u0000b"}"#,
        br#"{"assistant_id": 123, "#,
        good.as_bytes(),
    ] {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn every_bad_line_is_reported_with_its_number_and_cause_and_nothing_is_sent() {
    let world = world();
    std::fs::write(world.path("job.jsonl"), all_wrong()).expect("a file");
    let ran = run(&world, &[]).run().exits(2);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr,
        "\
line 2: it is not JSON (column 2)
line 3: it is a list, not a JSON object
line 4: message is missing
line 5: assistant_id is text; the assistant's number is wanted, such as 123; customer_identifier is a number; text is wanted; message is missing; id is a number; text is wanted; variables is a list; an object is wanted, such as {\"name\":\"Jane\"}
line 6: customer_identifier: the customer identifier has 300 characters, at most 255 are allowed
line 7: message is empty
line 8: the field \"mesage\" is none of assistant_id, customer_identifier, message, variables, id
line 9: it is not UTF-8 (byte 47)
line 11: it is longer than 1 MiB, the most that one line may have
line 12: a field is there more than once
line 13: assistant_id is a number with a fraction; the assistant's number is wanted, such as 123; message has a NUL character in it
line 14: it is not JSON: it ends too early
error: 12 of 14 lines in job.jsonl are bad
  sent? nothing was sent
  next: mend them, or send the others with --skip-invalid
"
    );
    world.assert_untouched();
    assert!(!world.path("state/famulor/outbox.sqlite").exists());
}

#[test]
fn bad_lines_are_json_errors_where_json_is_asked_for() {
    let world = world();
    std::fs::write(world.path("job.jsonl"), all_wrong()).expect("a file");
    let ran = run(&world, &["--json"]).run().exits(2);
    let errors: Vec<serde_json::Value> = ran
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(errors.len(), 13);
    for error in &errors {
        assert_eq!(error["error"]["kind"], "invalid_request");
        assert_eq!(error["error"]["delivery"], "not_sent");
        assert_eq!(error["error"]["exit"], 2);
    }
    assert_eq!(errors[2]["error"]["message"], "line 4: message is missing");
    world.assert_untouched();
}

#[test]
fn skip_invalid_sends_the_rest_and_makes_failed_rows_of_the_bad_lines() {
    let world = world();
    std::fs::write(world.path("job.jsonl"), all_wrong()).expect("a file");
    let ran = run(&world, &["--skip-invalid", "--out", "out.jsonl"]).run();
    let ran = ran.exits(10);
    assert!(ran.stderr.contains("line 4: message is missing (left out)"));
    assert!(ran.stderr.contains("of 14 messages: 12 failed"), "{ran:?}");
    assert_eq!(customers(&world), ["crm-1", "crm-1"]);
    let rows = exported(&world);
    let lines: Vec<u64> = column(&rows, "line")
        .iter()
        .map(|line| line.as_u64().expect("a number"))
        .collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15]);
    assert_eq!(rows[0]["state"], "done");
    assert_eq!(rows[13]["state"], "done");
    assert_eq!(rows[4]["state"], "failed");
    assert_eq!(rows[4]["attempts"], 0);
    assert_eq!(
        rows[3]["error"],
        json!({"kind": "invalid_request", "code": null, "message": "message is missing",
            "http_status": null, "retry_after_s": null, "delivery": "not_sent", "attempts": 0, "exit": 2})
    );
    assert_eq!(rows[5]["customer_identifier"], "x".repeat(300));
}

#[test]
fn csv_has_the_same_columns_and_variables_in_columns_of_their_own() {
    let world = world();
    for (name, text) in [
        (
            "comma.csv",
            "assistant_id,customer_identifier,message,var.name,id\r\n123,crm-1,\"Hi, \"\"you\"\"\nthere\",Jane,a\r\n\r\n123,crm-2,Hello,,\r\n",
        ),
        // As a spreadsheet writes it where the comma is in numbers, with a mark before it.
        (
            "semicolon.csv",
            "\u{feff}id;var.name;assistant_id;customer_identifier;message\na;Jane;123;crm-3;\"Hi, \"\"you\"\"\nthere\"\n\n;;123;crm-4;Hello\n",
        ),
    ] {
        world.file(name, text);
        let job = batch(&world, &["run", name, "--out", "-"]).run().exits(0);
        let rows = crate::rows(&job);
        assert_eq!(column(&rows, "line"), [2, 5], "{name}");
        assert_eq!(column(&rows, "id"), [&json!("a"), &json!(null)]);
    }
    for customer in ["crm-1", "crm-3"] {
        assert_eq!(world.said(customer, "user"), ["Hi, \"you\"\nthere"]);
    }
    let asked: Vec<serde_json::Value> = sent(&world)
        .iter()
        .map(|entry| serde_json::from_slice(entry.asked.bytes()).expect("JSON"))
        .collect();
    let named = asked
        .iter()
        .filter(|body| body["variables"] == json!({"name": "Jane"}));
    assert_eq!(named.count(), 2);
    let bare = asked.iter().filter(|body| body.get("variables").is_none());
    assert_eq!(bare.count(), 2, "an empty cell is no variable");
}

#[test]
fn bad_csv_is_reported_by_the_lines_that_an_editor_shows() {
    let world = world();
    let bytes = b"assistant_id,customer_identifier,message,var.name\n123,a,Hi,J\nabc,,x,J\n123,a\n\n123,b,\xff,J\n123,c,\"two\nlines\",J\n123,d,,J\n";
    std::fs::write(world.path("job.csv"), bytes).expect("a file");
    let ran = batch(&world, &["run", "job.csv"]).run().exits(2);
    assert_eq!(
        ran.stderr,
        "\
line 3: assistant_id is no whole number; the assistant's number is wanted, such as 123; customer_identifier is missing
line 4: it has 2 cells, the header has 4
line 6: message is not UTF-8
line 9: message is missing
error: 4 of 6 lines in job.csv are bad
  sent? nothing was sent
  next: mend them, or send the others with --skip-invalid
"
    );
    world.assert_untouched();
}

#[test]
fn csv_that_cannot_be_taken_apart_is_refused_even_with_skip_invalid() {
    let world = world();
    let header = "assistant_id,customer_identifier,message\n";
    for (text, words) in [
        (
            "123,+49155551234,Hello there\n".to_owned(),
            "it names none of the columns",
        ),
        (String::new(), "no header"),
        (
            "assistant_id,message\n123,Hi\n".to_owned(),
            "customer_identifier is missing",
        ),
        (
            "assistant_id,customer_identifier,message,phone\n".to_owned(),
            "the column \"phone\" is none of",
        ),
        (
            "assistant_id,customer_identifier,message,id,id\n".to_owned(),
            "id is there twice",
        ),
        (
            format!("{header}123,a,\"Hi\n123,b,Secret\n"),
            "line 2: a quotation mark",
        ),
        (
            format!("{header}123,a,\"{}", "x\n".repeat(700_000)),
            "line 2: the record that begins here is longer",
        ),
        (header.to_owned(), "there is no message in job.csv"),
    ] {
        world.file("job.csv", &text);
        let ran = batch(&world, &["run", "job.csv", "--skip-invalid"]).run();
        let ran = ran.exits(2).says(words).says("nothing was sent");
        assert!(
            !ran.stderr.contains("Secret") && !ran.stderr.contains("Hello"),
            "{ran:?}"
        );
    }
    world.assert_untouched();
}

#[test]
fn the_format_goes_by_the_files_ending_unless_it_is_named() {
    let world = world();
    world.file(
        "list.txt",
        "assistant_id,customer_identifier,message\n123,crm-1,Hi\n",
    );
    batch(&world, &["run", "list.txt"])
        .run()
        .exits(2)
        .says("not JSON");
    batch(&world, &["run", "list.txt", "--format", "csv"])
        .run()
        .exits(0);
    world.file(
        "list.CSV",
        "assistant_id,customer_identifier,message\n123,crm-1,Hi\n",
    );
    batch(&world, &["run", "list.CSV", "--job", "other"])
        .run()
        .exits(0);
    assert_eq!(sent(&world).len(), 2);
}

#[test]
fn standard_input_is_read_whole_before_anything_is_sent_and_needs_a_name() {
    let world = world();
    let line = format!("{}\n", message("crm-1", "Hi"));
    let nameless = batch(&world, &["run", "-"]).input(line.clone()).run();
    nameless.exits(2).says("--job");
    let bad = batch(&world, &["run", "-", "--job", "piped"])
        .input(format!("{line}oops\n"))
        .run();
    bad.exits(2).says("line 2: it is not JSON");
    world.assert_untouched();
    let good = batch(&world, &["run", "-", "--job", "piped"])
        .input(line)
        .run();
    good.exits(0);
    assert_eq!(customers(&world), ["crm-1"]);
}

#[test]
fn an_input_that_is_not_there_is_refused() {
    let world = world();
    for (file, words) in [("none.jsonl", "No such file"), (".", "directory")] {
        let ran = batch(&world, &["run", file, "--job", "x"]).run();
        ran.exits(2).says(words).says("nothing was sent");
    }
    input(&world, &[]);
    run(&world, &[]).run().exits(2).says("there is no message");
    world.assert_untouched();
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_how_long_it_takes() {
    let world = world();
    input(&world, &crate::to_customers(1000));
    let plain = |more: &[&str]| {
        let command = world.bare(["batch", "run", "job.jsonl", "--dry-run"]);
        command.args(more).run().exits(0)
    };
    let told = plain(&[]);
    assert!(
        told.stdout.starts_with("job job: 1000 messages to send\n"),
        "{told:?}"
    );
    assert!(told.stdout.contains("(3h 19m)"), "{told:?}");
    assert!(told.stdout.ends_with("nothing was sent\n"), "{told:?}");
    assert_eq!(
        plain(&["--json", "--rate-limit", "10/30s"]).json(),
        json!({"job": "job", "messages": 1000, "invalid": 0, "settled": 0, "to_send": 1000, "seconds": 2970})
    );
    assert_eq!(
        plain(&["--json", "--rate-limit", "off"]).json()["seconds"],
        json!(null)
    );
    world.assert_untouched();
    assert!(!world.path("state/famulor/outbox.sqlite").exists());
}

#[test]
fn a_dry_run_reports_bad_lines_too() {
    let world = world();
    std::fs::write(world.path("job.jsonl"), all_wrong()).expect("a file");
    run(&world, &["--dry-run"])
        .run()
        .exits(2)
        .says("line 2: it is not JSON");
    let plan = run(&world, &["--dry-run", "--skip-invalid", "--json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        (&plan["to_send"], &plan["invalid"]),
        (&json!(2), &json!(12))
    );
    world.assert_untouched();
}
