//! `famulor config`

use std::path::PathBuf;

use crate::failure::Failure;
use crate::local::Local;
use crate::settings::{ConfigFile, Document, Places, Settings, names};
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor config list --show-origin
  famulor config set assistant_id 123
  famulor config set timeout 30s --profile work
  famulor config get base_url
  famulor config unset timeout
  $EDITOR \"$(famulor config path)\"
";

const LIST_EXAMPLES: &str = "\
Examples:
  famulor config list
  famulor config list --show-origin
  famulor config list --json --profile work
";

const GET_EXAMPLES: &str = "\
Examples:
  famulor config get base_url
  famulor config get assistant_id --profile work
";

const SET_EXAMPLES: &str = "\
Examples:
  famulor config set assistant_id 123
  famulor config set timeout 30s --profile work
  famulor config set rate_limit 20/60s
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Every setting, as flags, environment, profile and defaults together make it
    List(List),
    /// Print one setting
    #[command(before_help = GET_EXAMPLES)]
    Get {
        /// Such as base_url
        key: String,
    },
    /// Write a setting into the profile; comments in the file stay
    #[command(before_help = SET_EXAMPLES)]
    Set {
        /// base_url, output, assistant_id, assistant_uuid, rate_limit, timeout, deadline, max_wait,
        /// quota_store or reply_path
        key: String,
        /// Its value
        #[arg(allow_negative_numbers = true)]
        value: String,
    },
    /// Take a setting out of the profile
    #[command(
        before_help = "Examples:\n  famulor config unset timeout\n  famulor config unset \
        base_url --profile work\n"
    )]
    Unset {
        /// Such as timeout
        key: String,
    },
    /// Print where config.toml is
    #[command(
        before_help = "Examples:\n  famulor config path\n  $EDITOR \"$(famulor config path)\"\n"
    )]
    Path,
}

#[derive(clap::Args)]
#[command(before_help = LIST_EXAMPLES)]
struct List {
    /// Say of each value where it came from
    #[arg(long)]
    show_origin: bool,
}

pub(crate) fn run(args: Args, local: &Local) -> Result<(), Failure> {
    local.refuse_dry_run("config")?;
    match args.command {
        Command::List(args) => list(local, args.show_origin),
        Command::Get { key } => get(local, &key),
        Command::Set { key, value } => set(local, &key, &value),
        Command::Unset { key } => unset(local, &key),
        Command::Path => {
            let path = path(&Places::of(&local.environment)?)?;
            let object = serde_json::json!({ "path": path.display().to_string() });
            local
                .output
                .object(&object, |out| writeln!(out, "{}", path.display()))
        }
    }
}

fn list(local: &Local, show_origin: bool) -> Result<(), Failure> {
    let mut rows = local.settings()?.rows();
    if !show_origin {
        rows.iter_mut().for_each(|row| row.origin = None);
    }
    let columns: &[&str] = if show_origin {
        &["key", "value", "origin"]
    } else {
        &["key", "value"]
    };
    local.output.rows(&rows, columns)
}

fn get(local: &Local, key: &str) -> Result<(), Failure> {
    let rows = local.settings()?.rows();
    let Some(row) = rows.iter().find(|row| row.key == key) else {
        let known: Vec<&str> = rows.iter().map(|row| row.key).collect();
        return Err(unknown(key, &known));
    };
    let Some(value) = &row.value else {
        return Err(Failure::config(format!("{key} is not set"))
            .next(format!("set it with: famulor config set {key} VALUE")));
    };
    local
        .output
        .object(row, |out| writeln!(out, "{}", visible_line(value)))
}

fn set(local: &Local, key: &str, value: &str) -> Result<(), Failure> {
    check_key(key)?;
    Settings::check(key, value)
        .map_err(|problem| Failure::usage(format!("{key} cannot be \"{value}\": {problem}")))?;
    let places = Places::of(&local.environment)?;
    let profile = target(local, &places)?;
    let mut file = Document::read(&path(&places)?)?;
    // A number is a number in TOML too.
    match value.parse::<i64>() {
        Ok(number) if key == "assistant_id" => file.set(&profile, key, number)?,
        _ => file.set(&profile, key, value)?,
    }
    file.write()?;
    local.notes.say(&format!(
        "{key} of profile {} is set",
        visible_line(&profile)
    ));
    Ok(())
}

fn unset(local: &Local, key: &str) -> Result<(), Failure> {
    let places = Places::of(&local.environment)?;
    let profile = target(local, &places)?;
    let mut file = Document::read(&path(&places)?)?;
    if file.unset(&profile, key) {
        file.write()?;
        local.notes.say(&format!(
            "{} of profile {} is no longer set",
            visible_line(key),
            visible_line(&profile)
        ));
        return Ok(());
    }
    // What is not there and never could be is a slip of the keyboard.
    check_key(key)?;
    local.notes.say(&format!(
        "{key} of profile {} was not set",
        visible_line(&profile)
    ));
    Ok(())
}

/// The profile that is changed: the one that is in use. A file with a misspelt key in it can still be mended.
fn target(local: &Local, places: &Places) -> Result<String, Failure> {
    match ConfigFile::read(places) {
        Ok(config) => {
            Ok(crate::settings::profile(&local.global, &local.environment, &config)?.value)
        }
        Err(failure) => match &local.global.profile {
            Some(profile) => Ok(profile.clone()),
            None => Document::read(&path(places)?)?
                .chosen_profile()
                .ok_or(failure),
        },
    }
}

fn path(places: &Places) -> Result<PathBuf, Failure> {
    places.config_toml().ok_or_else(|| {
        Failure::config("this machine has no home directory to keep a configuration in")
            .next("name a directory with FAMULOR_CONFIG_DIR")
    })
}

fn check_key(key: &str) -> Result<(), Failure> {
    let known: Vec<&str> = names::IN_A_PROFILE.iter().map(|name| name.key).collect();
    if known.contains(&key) {
        return Ok(());
    }
    Err(unknown(key, &known))
}

fn unknown(key: &str, known: &[&str]) -> Failure {
    Failure::usage(format!("there is no setting \"{key}\""))
        .next(format!("known are {}", known.join(", ")))
}
