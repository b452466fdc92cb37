//! Enumerations that the server may extend at any time.

/// An enumeration of the server: the documented values by name, any other kept as it came.
macro_rules! open_enum {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$inner])* $variant,)+
            /// A value that the documentation does not have, exactly as the server sent it.
            Other(String),
        }

        impl $name {
            /// The value as it stands in the API.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // Borrowed where the format allows it: histories repeat these words by the thousand.
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name::from(text))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "anyOf": [{ "type": "string", "enum": [$($text),+] }, { "type": "string" }]
                })
            }
        }
    };
}

open_enum! {
    /// Where a conversation takes place. Open: other values are to be expected.
    ///
    /// Source: seed 000 (`widget`, `test`), the reference page of list-conversations (`whatsapp`, `api`).
    ///
    /// ```
    /// use famulor_gen::ConversationKind;
    ///
    /// assert_eq!(ConversationKind::from("test"), ConversationKind::Test);
    /// assert_eq!(ConversationKind::from("fax").as_str(), "fax");
    /// ```
    ConversationKind {
        /// A chat on a web page. Billed for each user message.
        Widget = "widget",
        /// A chat for development. Free.
        Test = "test",
        /// A WhatsApp chat. Only in lists.
        Whatsapp = "whatsapp",
        /// A conversation of generate-reply. Only in lists.
        Api = "api",
    }
}

open_enum! {
    /// Who wrote a message. Open: other values are to be expected.
    ///
    /// Source: seeds 000 and 001 (`assistant`, `user`), the page of the conversation-ended webhook (`system`).
    ///
    /// ```
    /// use famulor_gen::Role;
    ///
    /// assert_eq!(Role::from("user"), Role::User);
    /// assert_eq!(Role::from("tool").as_str(), "tool");
    /// ```
    Role {
        /// The AI, or the person who took the conversation over.
        Assistant = "assistant",
        /// The customer.
        User = "user",
        /// A remark of the system, such as a take-over.
        System = "system",
    }
}
