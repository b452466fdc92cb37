//! An export that is killed at any moment leaves the old file or the new one.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use crate::fixture::{Fixture, read};
use crate::{batch, input, run, to_customers, world};

const OLD: &str = "what was there before\n";

/// A job that is done, and what an export of it is.
fn done() -> (Fixture, String) {
    let world = world();
    input(&world, &to_customers(400));
    let whole = run(&world, &["--out", "-"]).run().exits(0).stdout;
    assert_eq!(whole.lines().count(), 400);
    (world, whole)
}

#[test]
fn killed_between_two_rows_it_leaves_the_old_file() {
    let (world, whole) = done();
    for row in ["1", "200", "400"] {
        world.file("out.jsonl", OLD);
        let export = batch(&world, &["export", "--out", "out.jsonl"]);
        let mut export = export
            .env("FAMULOR_CRASH_AT", format!("during-export:{row}"))
            .start();
        let status = export.child().wait().expect("it ends");
        assert_eq!(status.signal(), Some(9), "at row {row}");
        assert_eq!(read(&world.path("out.jsonl")), OLD);
    }
    batch(&world, &["export", "--out", "out.jsonl"])
        .run()
        .exits(0);
    assert_eq!(read(&world.path("out.jsonl")), whole);
}

#[test]
fn killed_at_any_moment_it_leaves_the_old_file_or_the_new_one() {
    let (world, whole) = done();
    let export = || batch(&world, &["export", "--out", "out.jsonl"]).start();
    let began = Instant::now();
    export().end().exits(0);
    let takes = began.elapsed();
    let (mut old, mut new) = (0, 0);
    for moment in 0..24 {
        world.file("out.jsonl", OLD);
        let mut running = export();
        // The last moments are later than it takes.
        let after = takes * moment / 18;
        let began = Instant::now();
        while began.elapsed() < after {
            std::thread::sleep(Duration::from_millis(1));
        }
        running.child().kill().expect("it is ours");
        running.child().wait().expect("it ends");
        match read(&world.path("out.jsonl")).as_str() {
            OLD => old += 1,
            text if text == whole => new += 1,
            text => panic!("{} bytes of {} at moment {moment}", text.len(), whole.len()),
        }
    }
    assert!(old > 0, "it was never killed before its end");
    assert!(old + new == 24, "{old} and {new}");
}
