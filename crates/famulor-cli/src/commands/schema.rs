//! `famulor schema`

use clap::builder::PossibleValuesParser;
use famulor_core::{History, Reply};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::batch;
use crate::error_object::ErrorObject;
use crate::failure::Failure;
use crate::json;
use crate::local::Local;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  famulor schema reply
  famulor schema emulator-script > emulator-script.schema.json
      then let the editor complete and check scripts: make this their first line
      # yaml-language-server: $schema=emulator-script.schema.json
";

/// A name, and what makes the schema of that name.
type Named = (&'static str, fn() -> Value);

/// Every schema that can be asked for, derived from the very types that are read and written.
const SCHEMAS: &[Named] = &[
    ("reply", written::<Reply>),
    ("conversation", written::<History>),
    ("error", written::<ErrorObject<'_>>),
    ("batch-input", read::<batch::Input>),
    ("batch-output", written::<batch::Output<'_>>),
    ("emulator-script", famulor_emulator::Script::json_schema),
];

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to describe: reply and conversation are what --json prints, error is what it prints on
    /// standard error; batch-input and batch-output are a line of a batch's files; emulator-script is a file
    #[arg(value_name = "NAME", value_parser = names())]
    name: String,
}

fn names() -> PossibleValuesParser {
    SCHEMAS.iter().map(|(name, _)| *name).into()
}

pub(crate) fn run(args: Args, local: &Local) -> Result<(), Failure> {
    local.refuse_dry_run("schema")?;
    let schema = SCHEMAS
        .iter()
        .find(|(name, _)| *name == args.name)
        .map(|(_, schema)| schema())
        .ok_or_else(|| Failure::usage(format!("there is no schema {}", args.name)))?;
    // A schema is JSON in every format.
    let text = json::pretty(&schema)
        .map_err(|error| Failure::unexpected(format!("cannot write the schema: {error}")))?;
    output::raw(&text)
}

/// The schema of what this tool reads: only a field that it cannot do without is required.
fn read<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The schema of what this tool writes: a field that is always there is required.
fn written<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
