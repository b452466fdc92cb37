//! Several processes on one token.

use famulor_test_stores::RedisServer;

use crate::program::{example, finish};

#[tokio::test]
async fn three_processes_send_twelve_messages_and_none_is_refused() {
    let Some(redis) = RedisServer::shared() else {
        return; // says that it is missing
    };
    let place = redis.place();
    let finished = finish(example("shared_quota").args(["--emulator", "--store", &place])).await;
    finished.said(&["12 messages of 3 processes, 0 refused"]);
    for number in 1..=3 {
        finished.said(&[
            &format!("process {number}: answer 4 after "),
            &format!("process {number}: refused 0 times"),
        ]);
    }
}

#[tokio::test]
async fn it_starts_a_redis_of_its_own_or_says_that_there_is_none() {
    let is_here = RedisServer::shared().is_some();
    let finished = finish(example("shared_quota").arg("--emulator")).await;
    if is_here {
        finished.said(&["12 messages of 3 processes, 0 refused"]);
        return;
    }
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.err.contains("skipped: "), "{finished:?}");
    assert!(finished.err.contains("nothing was sent"), "{finished:?}");
}

#[tokio::test]
async fn a_file_does_it_for_the_processes_of_one_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("quota.db").display().to_string();
    let finished = finish(example("shared_quota").args(["--emulator", "--store", &store])).await;
    finished.said(&["12 messages of 3 processes, 0 refused"]);
}
