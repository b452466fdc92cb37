//! How an error reads.

use std::fmt;

use super::{Delivery, Error};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        if let Some(status) = self.status() {
            write!(f, " (status {status}")?;
            if let Some(code) = self.code() {
                write!(f, ", {code}")?;
            }
            f.write_str(")")?;
        }
        for (field, texts) in self.field_errors() {
            // A single field's text is often the message itself.
            for text in texts.iter().filter(|text| text.as_str() != self.message()) {
                write!(f, "; {field}: {text}")?;
            }
        }
        f.write_str(match (self.is_read_only(), self.delivery()) {
            (true, _) => "; it only reads, nothing was changed",
            (false, Delivery::NotSent) => "; nothing was sent",
            (false, Delivery::Refused) => "; it was not processed",
            (false, Delivery::Unknown) => {
                "; it was sent, and whether it was processed is not known"
            }
            (false, Delivery::Processed) => "; it was processed",
        })?;
        if let Some(hint) = self.hint() {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// Shows no body: it may quote a customer.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("delivery", &self.delivery())
            .field("message", &self.message())
            .field("status", &self.status())
            .field("code", &self.code())
            .field("retry_after", &self.retry_after())
            .field("attempts", &self.attempts())
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}
