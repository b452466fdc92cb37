//! What the user gives a command to send: messages and variables.

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::stdin::Stdin;

/// `MESSAGE`, `-`, or left out.
pub(crate) enum MessageSource {
    Given(String),
    Stdin,
}

impl MessageSource {
    /// Says where the message comes from, and takes standard input if it is that.
    pub(crate) fn of(argument: Option<String>, stdin: &mut Stdin) -> Result<Self, Failure> {
        match argument {
            Some(text) if text != "-" => Ok(Self::Given(text)),
            None if Stdin::is_terminal() => {
                Err(Failure::usage("there is no MESSAGE")
                    .next("give it as an argument, or pipe it in"))
            }
            _ => {
                stdin.take("MESSAGE")?;
                Ok(Self::Stdin)
            }
        }
    }

    /// The message: as it was given, less the line break that every pipe ends with.
    pub(crate) async fn read(self) -> Result<String, Failure> {
        let mut text = match self {
            Self::Given(text) => text,
            Self::Stdin => Stdin::contents("MESSAGE").await?,
        };
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Ok(text)
    }
}

/// `--var K=V`
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    name: String,
    value: String,
}

impl Variable {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("", _)) => Err("there is no name before the =".to_owned()),
            Some((name, value)) => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            None => Err("there is no = in it; write name=value".to_owned()),
        }
    }
}

/// The variables of a file, and over them those of `--var`.
pub(crate) async fn variables(
    file: Option<&str>,
    given: Vec<Variable>,
    stdin: &mut Stdin,
) -> Result<Map<String, Value>, Failure> {
    let mut variables = match file {
        None => Map::new(),
        Some(file) => from_file(file, stdin).await?,
    };
    for Variable { name, value } in given {
        variables.insert(name, Value::String(value));
    }
    Ok(variables)
}

async fn from_file(file: &str, stdin: &mut Stdin) -> Result<Map<String, Value>, Failure> {
    let text = if file == "-" {
        stdin.take("--vars-file")?;
        Stdin::contents("--vars-file").await?
    } else {
        std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read --vars-file {file}: {error}")))?
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(_) => Err(Failure::usage(
            "--vars-file holds no JSON object, such as {\"name\": \"Jane\"}",
        )),
        // Where it is wrong, not what stands there: variables are about people.
        Err(error) => Err(Failure::usage(format!(
            "--vars-file is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// `-d JSON|@FILE|-`
pub(crate) async fn json_data(argument: &str, stdin: &mut Stdin) -> Result<Value, Failure> {
    let text = match (argument, argument.strip_prefix('@')) {
        ("-", _) => {
            stdin.take("--data")?;
            Stdin::contents("--data").await?
        }
        (_, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read --data @{file}: {error}")))?,
        (json, None) => json.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!(
            "--data is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))
        .next("quote it for the shell, as in -d '{\"message\": \"Hi\"}', or use @FILE")
    })
}
