//! What comes out, for programs: rows in the order of the input, and exit codes.

use famulor_emulator::{AsAnswer, Assistant, Fault, Operation};
use serde_json::json;

use crate::fixture::read;
use crate::{
    assert_order, batch, column, exported, input, message, rows, run, sent, to_customers, world,
};

const FIELDS: [&str; 10] = [
    "line",
    "id",
    "customer_identifier",
    "state",
    "reply",
    "conversation_id",
    "function_calls",
    "ai_disabled",
    "error",
    "attempts",
];

#[test]
fn a_row_has_the_documented_fields_in_their_order() {
    let world = world();
    let mut first = message("crm-1", "Hi");
    first["id"] = json!("yours-1");
    input(&world, &[first, message("crm-2", "Hello")]);
    let ran = run(&world, &["--out", "-"]).run().exits(0);
    ran.stdout
        .lines()
        .for_each(|line| assert_order(line, &FIELDS));
    let rows = rows(&ran);
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row["state"], "done");
        assert_eq!(row["function_calls"], json!([]));
        assert_eq!(row["ai_disabled"], false);
        assert_eq!(row["error"], json!(null));
        assert_eq!(row["attempts"], 1);
        let customer = row["customer_identifier"].as_str().expect("text");
        let conversation = world.emulator.conversation_of(123, customer).expect("one");
        assert_eq!(row["conversation_id"], conversation.id);
        assert_eq!(
            world.said(customer, "assistant").last().map(String::as_str),
            row["reply"].as_str()
        );
    }
    assert_eq!(column(&rows, "line"), [1, 2]);
    assert_eq!(column(&rows, "id"), [&json!("yours-1"), &json!(null)]);
}

#[test]
fn rows_are_in_the_order_of_the_input_whatever_took_longest() {
    let world = world();
    let slow = Fault::before(famulor_emulator::Before::Delay(
        std::time::Duration::from_millis(400),
    ));
    world
        .emulator
        .inject(slow.on(Operation::GenerateReply).for_customer("crm-1"));
    input(&world, &to_customers(12));
    let ran = run(&world, &["--out", "-"]).run().exits(0);
    let lines: Vec<u64> = rows(&ran)
        .iter()
        .filter_map(|row| row["line"].as_u64())
        .collect();
    assert_eq!(lines, (1..=12).collect::<Vec<_>>());
}

#[test]
fn a_refused_message_is_a_failed_row_with_the_error_that_a_single_command_prints() {
    let world = world();
    let mut wrong = message("crm-2", "Hi");
    wrong["assistant_id"] = json!(404);
    input(&world, &[message("crm-1", "Hi"), wrong]);
    let ran = run(&world, &["--out", "-"]).run().exits(10);
    assert!(ran.stderr.contains("of 2 messages: 1 failed"), "{ran:?}");
    assert!(
        ran.stderr.contains("famulor batch retry --job job"),
        "{ran:?}"
    );
    let rows = rows(&ran);
    assert_eq!(column(&rows, "state"), ["done", "failed"]);
    let alone = world
        .famulor([
            "reply",
            "--assistant-id",
            "404",
            "--customer",
            "crm-2",
            "--json",
            "Hi",
        ])
        .run()
        .exits(5);
    assert_eq!(rows[1]["error"], alone.error());
}

#[test]
fn without_out_the_figures_are_printed_in_the_format_that_was_asked_for() {
    let world = world();
    input(&world, &to_customers(3));
    let ran = run(&world, &["--json"]).run().exits(0);
    assert_eq!(
        ran.json(),
        json!({"job": "job", "total": 3, "queued": 0, "sending": 0, "in_doubt": 0, "done": 3, "failed": 0,
            "needs_review": 0, "cancelled": 0, "attempts": 3})
    );
    assert_eq!(
        batch(&world, &["status", "--job", "job", "--json"])
            .run()
            .json(),
        ran.json()
    );
    let all = batch(&world, &["status", "--json"]).run().exits(0).json();
    assert_eq!(all, json!([ran.json()]));
    let text = run(&world, &[]).run().exits(0).stdout;
    assert!(
        text.starts_with("job           job\ndone          3\n"),
        "{text}"
    );
}

#[test]
fn export_writes_what_out_has_written() {
    let world = world();
    input(&world, &to_customers(5));
    run(&world, &["--out", "out.jsonl"]).run().exits(0);
    let written = read(&world.path("out.jsonl"));
    assert_eq!(written.lines().count(), 5);
    assert_eq!(batch(&world, &["export"]).run().exits(0).stdout, written);
    batch(&world, &["export", "--job", "job", "--out", "again.jsonl"])
        .run()
        .exits(0);
    assert_eq!(read(&world.path("again.jsonl")), written);
}

#[test]
fn the_output_file_is_private_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    input(&world, &to_customers(2));
    run(&world, &["--out", "out.jsonl"]).run().exits(0);
    let mode = std::fs::metadata(world.path("out.jsonl"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<String> = std::fs::read_dir(world.path("."))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("out.jsonl"))
        .collect();
    assert_eq!(names, ["out.jsonl"]);
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let world = world();
    input(&world, &to_customers(2));
    for out in ["missing/out.jsonl", ".", "job.jsonl/x"] {
        run(&world, &["--out", out])
            .run()
            .exits(2)
            .says("cannot write");
    }
    world.assert_untouched();
}

#[test]
fn what_is_no_file_is_written_to_and_not_replaced() {
    let world = world();
    input(&world, &to_customers(2));
    run(&world, &["--out", "/dev/null"]).run().exits(0);
    assert!(
        !std::fs::metadata("/dev/null")
            .expect("it is there")
            .is_file()
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = world();
    input(&world, &to_customers(3));
    let mut running = run(&world, &["--out", "-", "-q"]).start();
    drop(running.child().stdout.take());
    let ran = running.end().exits(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(sent(&world).len(), 3);
}

#[test]
fn max_failures_stops_and_the_rest_waits() {
    let world = world();
    world.emulator.add_assistant(Assistant {
        id: 7,
        ..Assistant::default()
    });
    let mut messages = to_customers(40);
    for message in &mut messages {
        message["assistant_id"] = json!(404);
    }
    input(&world, &messages);
    let flags = [
        "--max-failures",
        "3",
        "--concurrency",
        "1",
        "--out",
        "out.jsonl",
    ];
    let ran = run(&world, &flags).run().exits(10);
    assert!(
        ran.stderr.contains("stopped after too many failures"),
        "{ran:?}"
    );
    assert!(
        ran.stderr
            .contains("famulor batch run job.jsonl --max-failures 3"),
        "{ran:?}"
    );
    let status = batch(&world, &["status", "--job", "job", "--json"]);
    let status = status.run().json();
    let failed = status["failed"].as_u64().expect("a number");
    // One may have been taken before the third was known to have failed.
    assert!((3..=4).contains(&failed), "{status}");
    assert_eq!(status["queued"], 40 - failed);
    assert_eq!(sent(&world).len() as u64, failed);
    assert_eq!(
        read(&world.path("out.jsonl")).lines().count() as u64,
        failed
    );
}

#[test]
fn a_person_who_answers_instead_is_no_failure() {
    let world = world();
    input(
        &world,
        &[message("crm-1", "Hi"), message("crm-1", "Still there?")],
    );
    run(&world, &[]).run().exits(0);
    let id = world
        .emulator
        .conversation_of(123, "crm-1")
        .expect("one")
        .id;
    world
        .famulor(["conversation", "ai", "off", &id])
        .run()
        .exits(0);
    world.file("more.jsonl", &format!("{}\n", message("crm-1", "Hello?")));
    let ran = batch(&world, &["run", "more.jsonl", "--out", "-"])
        .run()
        .exits(0);
    let rows = rows(&ran);
    assert_eq!(rows[0]["state"], "done");
    assert_eq!(rows[0]["reply"], json!(null));
    assert_eq!(rows[0]["ai_disabled"], true);
}

#[test]
fn a_refusal_by_the_limit_is_waited_for_and_no_failure() {
    let world = world();
    let refusal = AsAnswer::TooManyRequests {
        headers: true,
        retry_after: 0,
    };
    world
        .emulator
        .inject(Fault::answer(refusal).on(Operation::GenerateReply));
    input(&world, &to_customers(2));
    run(&world, &[]).run().exits(0);
    assert_eq!(column(&exported(&world), "state"), ["done", "done"]);
}
