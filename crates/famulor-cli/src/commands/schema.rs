//! `famulor schema`

use clap::builder::PossibleValuesParser;
use serde_json::Value;

use crate::failure::Failure;
use crate::json;
use crate::output;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  famulor schema emulator-script > emulator-script.schema.json
      then let the editor complete and check scripts: make this their first line
      # yaml-language-server: $schema=emulator-script.schema.json
";

/// A name, and what makes the schema of that name.
type Named = (&'static str, fn() -> Value);

/// Every schema that can be asked for.
const SCHEMAS: &[Named] = &[("emulator-script", famulor_emulator::Script::json_schema)];

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to describe
    #[arg(value_name = "NAME", value_parser = names())]
    name: String,
}

fn names() -> PossibleValuesParser {
    SCHEMAS.iter().map(|(name, _)| *name).into()
}

pub(crate) fn run(args: Args, run: &Run) -> Result<(), Failure> {
    run.refuse_dry_run("schema")?;
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
