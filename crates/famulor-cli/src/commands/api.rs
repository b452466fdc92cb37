//! `famulor api`

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::input;
use crate::json;
use crate::run::Run;
use crate::visible::visible;

const EXAMPLES: &str = "\
Examples:
  famulor api GET /user/me
  famulor api GET '/user/conversations?type=test&per_page=50'
  famulor api POST /user/folder -d '{\"name\": \"Leads\"}'
  famulor api PUT /user/folder/7 -d @folder.json
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// GET, POST, PUT, PATCH or DELETE
    method: String,

    /// The path below the base URL, with its query
    path: String,

    /// The JSON to send: itself, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    data: Option<String>,
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let data = match &args.data {
        Some(data) => Some(input::json_data(data, &mut run.stdin).await?),
        None => None,
    };
    let connection = Connection::open(run, key_for(&args.path)).await?;
    let client = &connection.client;
    let mut call = client.request(&args.method, &args.path)?;
    if let Some(data) = data {
        call = call.set_json(data);
    }
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let answer = run.flight.during("the request", call.send()).await?;
    match answer.json() {
        Some(value) => run
            .output
            .object(value, |out| out.write_all(&json::pretty(value)?)),
        None if answer.body().is_empty() => Ok(()),
        None => {
            let text = String::from_utf8_lossy(answer.body());
            run.output.text(|out| writeln!(out, "{}", visible(&text)))
        }
    }
}

/// `/conversations` is documented to answer without a key; nothing else is.
fn key_for(path: &str) -> Key {
    let path = path.trim_start_matches('/');
    let first = path.split(['/', '?']).next().unwrap_or_default();
    if first == "conversations" {
        Key::Optional
    } else {
        Key::Required
    }
}
