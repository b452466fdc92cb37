//! What fuzzing reaches of the inside. Only there with `--cfg fuzzing` and in this crate's tests; no part of the API.

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

#[cfg(test)]
mod tests {
    use super::{SECRET, classify};

    /// So that the rules are kept, and this module builds, in every run of the tests, not only when somebody fuzzes.
    #[test]
    fn what_fuzzing_demands_holds_for_answers_of_every_status() {
        let quoting = format!(r#"{{"message":"{SECRET}","errors":{{"{SECRET}":["{SECRET}"]}}}}"#);
        let bodies = ["", "{}", "[]", "<html>", r#"{"success":false}"#, &quoting];
        for status in 100..600 {
            for body in bodies {
                for wait in ["", "60", "1.5", "1e300", "NaN"] {
                    classify(status, &[("retry-after", wait.as_bytes())], body.as_bytes());
                }
            }
        }
    }
}
