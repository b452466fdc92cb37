//! What fuzzing reaches of the inside. Only there with `--cfg fuzzing`; no part of the API.

use std::time::Duration;

use famulor_gen::Answer;

use crate::call::Effect;
use crate::error::classify_answer;

/// Stands for what a person has written.
const SECRET: &str = "§unspeakable§";

/// Judges an answer for every effect that a call can have, and checks what holds for any answer at all.
pub fn classify(status: u16, headers: &[(&str, &[u8])], body: &[u8]) {
    let Some(answer) = Answer::of(status, headers, body) else {
        return;
    };
    for effect in [Effect::Read, Effect::Set, Effect::Add] {
        let mut refusal = classify_answer(&answer, effect);
        assert!(
            !refusal.repeatable || effect.may_repeat(),
            "a billed message would be sent again"
        );
        assert_eq!(refusal.throttled, status == 429);
        let day = Duration::from_secs(86_400);
        assert!(refusal.error.retry_after().is_none_or(|wait| wait <= day));
        refusal.error.black_out(&[SECRET]);
        for shown in [refusal.error.to_string(), format!("{:?}", refusal.error)] {
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}
