//! Laravel's validation: its rules, its words, its summary.

use serde_json::{Map, Value, json};

use super::fields::{Field, Fields};
use super::refusal::Refusal;
use crate::state::Variables;
use crate::webhooks::is_loopback;

/// The fields of a request, and what is wrong with them.
pub(crate) struct Input<'f> {
    fields: &'f Fields<'f>,
    errors: Vec<(&'static str, String)>,
}

impl<'f> Input<'f> {
    pub(crate) fn of(fields: &'f Fields<'f>) -> Self {
        Self {
            fields,
            errors: Vec::new(),
        }
    }

    /// A field as it came, without a rule.
    pub(crate) fn raw(&self, field: &str) -> Option<&'f Field<'f>> {
        self.fields.get(field)
    }

    /// `required|integer`
    pub(crate) fn required_integer(&mut self, field: &'static str) -> Option<i64> {
        self.required(field)?;
        self.integer(field)
    }

    /// `integer`, which takes `"123"` too.
    pub(crate) fn integer(&mut self, field: &'static str) -> Option<i64> {
        let value = self.raw(field)?;
        let integer = match value {
            Field::Other(Value::Number(number)) => number.as_i64().or_else(|| {
                number
                    .as_f64()
                    .filter(|float| float.fract() == 0.0 && float.abs() < 9e15)
                    .map(|float| float as i64)
            }),
            Field::Text(text) => text.parse().ok(),
            Field::Other(_) => None,
        };
        if integer.is_none() {
            self.fail(field, "must be an integer");
        }
        integer
    }

    /// `required|string`
    pub(crate) fn required_string(&mut self, field: &'static str) -> Option<&'f str> {
        self.required(field)?;
        self.string(field)
    }

    /// `string`
    pub(crate) fn string(&mut self, field: &'static str) -> Option<&'f str> {
        let text = self.raw(field)?.as_str();
        if text.is_none() {
            self.fail(field, "must be a string");
        }
        text
    }

    /// `string|max:…`, in characters.
    pub(crate) fn at_most(&mut self, field: &'static str, longest: usize) {
        if let Some(Field::Text(text)) = self.raw(field)
            // No text has more characters than bytes.
            && text.len() > longest
            && text.chars().count() > longest
        {
            self.fail(
                field,
                &format!("must not be greater than {longest} characters"),
            );
        }
    }

    /// `required|url:https`. On this machine http will do: a test's receiver
    /// has no certificate.
    pub(crate) fn required_webhook(&mut self, field: &'static str) -> Option<&'f str> {
        let url = self.required_string(field)?;
        let parsed = reqwest::Url::parse(url).ok();
        let is_good = parsed.is_some_and(|parsed| match (parsed.scheme(), parsed.host_str()) {
            ("https", Some(_)) => true,
            ("http", Some(host)) => is_loopback(host),
            _ => false,
        });
        if !is_good {
            self.fail(field, "must be a valid URL");
            return None;
        }
        Some(url)
    }

    /// `array`. Documented as an object; PHP writes an empty one as `[]` (facts,
    /// surprise 9), so that is taken too. A list with something in it is not:
    /// PHP would number its items, which no client can mean.
    pub(crate) fn map(&mut self, field: &'static str) -> Option<Variables> {
        match self.raw(field)? {
            Field::Other(Value::Object(map)) => Some(map.clone()),
            Field::Other(Value::Array(list)) if list.is_empty() => Some(Variables::new()),
            _ => {
                self.fail(field, "must be an array");
                None
            }
        }
    }

    /// `integer|min:1`. A page after the last one is empty, however far.
    pub(crate) fn page(&mut self) -> usize {
        match self.integer("page") {
            Some(page) if page < 1 => self.fail("page", "must be at least 1"),
            Some(page) => return usize::try_from(page).unwrap_or(usize::MAX),
            None => {}
        }
        1
    }

    /// `integer|min:1|max:…`
    pub(crate) fn page_size(&mut self, default: usize) -> usize {
        const LARGEST: i64 = 100;
        match self.integer("per_page") {
            Some(size) if size < 1 => self.fail("per_page", "must be at least 1"),
            Some(size) if size > LARGEST => {
                self.fail("per_page", "must not be greater than 100");
            }
            Some(size) => return size as usize,
            None => {}
        }
        default
    }

    /// `in:…`
    pub(crate) fn selected<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.raw(field)?;
        let selected = value.as_str().and_then(parse);
        if selected.is_none() {
            let words = words(field);
            self.errors
                .push((field, format!("The selected {words} is invalid.")));
        }
        selected
    }

    /// The refusal that Laravel makes of the errors: the first in words, the
    /// others counted.
    ///
    /// # Errors
    ///
    /// The refusal, if a rule is broken.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let Some((_, first)) = self.errors.first() else {
            return Ok(());
        };
        let message = match self.errors.len() - 1 {
            0 => first.clone(),
            1 => format!("{first} (and 1 more error)"),
            more => format!("{first} (and {more} more errors)"),
        };
        Err(self.refuse(message))
    }

    /// The same under the fixed sentence that the webhook operations document.
    ///
    /// # Errors
    ///
    /// The refusal, if a rule is broken.
    pub(crate) fn check_in_old_words(&self) -> Result<(), Refusal> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(self.refuse("The given data was invalid.".to_owned()))
    }

    fn refuse(&self, message: String) -> Refusal {
        let mut errors = Map::new();
        for (field, error) in &self.errors {
            let of_field = errors.entry(*field).or_insert_with(|| json!([]));
            if let Value::Array(of_field) = of_field {
                of_field.push(json!(error));
            }
        }
        Refusal::Invalid(message, errors)
    }

    fn required(&mut self, field: &'static str) -> Option<()> {
        if self.raw(field).is_some() {
            return Some(());
        }
        self.fail(field, "is required");
        None
    }

    fn fail(&mut self, field: &'static str, rule: &str) {
        let words = words(field);
        self.errors
            .push((field, format!("The {words} field {rule}.")));
    }
}

/// Laravel's name for a field in a sentence.
fn words(field: &str) -> String {
    field.replace('_', " ")
}
