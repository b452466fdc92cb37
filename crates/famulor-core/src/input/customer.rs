//! Who writes, always in the same spelling.

use std::fmt;

use crate::{Error, Result};

/// The longest customer identifier, in characters. Source: seed 002 ("Maximum length: 255 characters").
const MAX_CHARACTERS: usize = 255;

/// Who writes: the identifier under which the assistant remembers a customer.
///
/// Two spellings of one customer are two conversations, as the documentation warns. So [`phone`](Self::phone) takes any
/// common spelling and gives E.164, and [`email`](Self::email) takes case and spaces away.
///
/// `Debug` does not show it.
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use famulor_core::CustomerId;
///
/// assert_eq!(CustomerId::phone("+49 155 551234")?, CustomerId::phone("+49-155-551234")?);
/// assert_eq!(CustomerId::phone("+49 155 551234")?.as_str(), "+49155551234");
/// assert_eq!(CustomerId::email(" Jane@Example.com ")?.as_str(), "jane@example.com");
/// assert_eq!(CustomerId::raw("crm-4711")?.as_str(), "crm-4711");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerId(String);

impl CustomerId {
    /// A phone number with its country code (`+…` or `00…`), in any common spelling.
    ///
    /// The number's shape is checked, not whether it is in service: the documentation's own examples are not.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if it is no phone number or has no country code.
    pub fn phone(number: &str) -> Result<Self> {
        let number = number.trim();
        let international = match number.strip_prefix("00") {
            Some(rest) => format!("+{rest}"),
            None => number.to_owned(),
        };
        let e164 = to_e164(&international)?;
        // Some numbers that no network has are read as yet another one once they are written down: whoever reads the
        // identifier back would have another customer.
        if e164 != international && to_e164(&e164)? != e164 {
            return Err(unreadable_phone());
        }
        Ok(Self(e164))
    }

    /// An e-mail address, in lower case and without spaces around it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if it has not exactly one `@` with text on both
    /// sides, has a space in it, or is over 255 characters.
    pub fn email(address: &str) -> Result<Self> {
        let address = address.trim().to_lowercase();
        let whole = matches!(
            address.split_once('@'),
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        );
        if !whole || address.contains(char::is_whitespace) {
            return Err(Error::invalid_request(
                "the customer's e-mail address cannot be read",
                "write it as in jane@example.com",
            ));
        }
        Self::raw(address)
    }

    /// Any other identifier, exactly as it is: a CRM contact, a session.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if it is empty, only spaces, or over 255
    /// characters.
    pub fn raw(identifier: impl Into<String>) -> Result<Self> {
        let identifier = identifier.into();
        if identifier.trim().is_empty() {
            return Err(Error::invalid_request(
                "the customer identifier is empty",
                "give a phone number, an e-mail address or an id of your own",
            ));
        }
        let characters = identifier.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(Error::invalid_request(
                format!(
                    "the customer identifier has {characters} characters, at most {MAX_CHARACTERS} are allowed"
                ),
                "give a shorter one; a hash of a long one will do",
            ));
        }
        Ok(Self(identifier))
    }

    /// The identifier as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerId(..)")
    }
}

fn to_e164(number: &str) -> Result<String> {
    let parsed = phonenumber::parse(None, number).map_err(|_| unreadable_phone())?;
    Ok(parsed.format().mode(phonenumber::Mode::E164).to_string())
}

fn unreadable_phone() -> Error {
    Error::invalid_request(
        "the customer's phone number cannot be read",
        "write it with its country code, as in +49155551234",
    )
}

#[cfg(test)]
mod tests {
    use super::CustomerId;

    #[test]
    fn a_phone_number_is_the_same_customer_when_it_is_read_back() {
        for number in ["+39 06 698 12345", "0049 155 551234", "+1 (415) 523-8886"] {
            let first = CustomerId::phone(number).expect("a number");
            let again = CustomerId::phone(first.as_str()).expect("its own spelling");
            assert_eq!(first.as_str(), again.as_str(), "{number}");
        }
        // Found by fuzzing: zeros after the country code, which are dropped one reading after the other.
        assert!(CustomerId::phone("005500055005-05-1\x7f").is_err());
    }
}
