//! `famulor profile`

use serde::Serialize;

use crate::failure::Failure;
use crate::local::Local;
use crate::settings::{self, ConfigFile, DEFAULT_BASE_URL, Document, Places, StoredKeys};
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor profile create staging --base-url https://staging.example.com/api
  famulor profile use staging
  famulor profile list
  famulor profile delete staging
  famulor whoami --profile staging
      the same for one command alone
";

const CREATE_EXAMPLES: &str = "\
Examples:
  famulor profile create work
  famulor profile create staging --base-url https://staging.example.com/api
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List the profiles; the one in use is marked
    #[command(before_help = "Examples:\n  famulor profile list\n  famulor profile list --json\n")]
    List,
    /// Use this profile from now on
    #[command(
        before_help = "Examples:\n  famulor profile use work\n  famulor profile use default\n"
    )]
    Use {
        /// Its name
        name: String,
    },
    /// Make a profile: settings and a key of its own; --base-url gives it another address
    #[command(before_help = CREATE_EXAMPLES)]
    Create {
        /// Letters, digits, - and _
        name: String,
    },
    /// Delete a profile, its settings and its stored key
    #[command(before_help = "Examples:\n  famulor profile delete staging\n")]
    Delete {
        /// Its name
        name: String,
    },
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    active: bool,
    base_url: &'a str,
}

/// The profile that is always there, if only with the defaults.
const DEFAULT: &str = "default";

pub(crate) fn run(args: Args, local: &Local) -> Result<(), Failure> {
    local.refuse_dry_run("profile")?;
    let places = Places::of(&local.environment)?;
    let config = ConfigFile::read(&places)?;
    match args.command {
        Command::List => list(local, &config),
        Command::Use { name } => {
            exists(&config, &name)?;
            change(&places, |file| {
                file.choose_profile((name != DEFAULT).then_some(&*name));
                Ok(())
            })?;
            said(
                local,
                &format!("profile {} is used from now on", visible_line(&name)),
            );
            if local.environment.raw("FAMULOR_PROFILE").is_some() {
                said(local, "FAMULOR_PROFILE is set, and is stronger: unset it");
            }
            Ok(())
        }
        Command::Create { name } => create(local, &places, &config, &name),
        Command::Delete { name } => delete(local, &places, &config, &name),
    }
}

fn list(local: &Local, config: &ConfigFile) -> Result<(), Failure> {
    let active = settings::profile(&local.global, &local.environment, config)?.value;
    let mut names: Vec<&str> = config.profiles().collect();
    if !names.contains(&DEFAULT) {
        names.insert(0, DEFAULT);
    }
    let rows: Vec<Row<'_>> = names
        .iter()
        .map(|name| Row {
            name,
            active: *name == active,
            base_url: config.value(name, "base_url").unwrap_or(DEFAULT_BASE_URL),
        })
        .collect();
    local.output.rows(&rows, &["name", "active", "base_url"])
}

fn create(local: &Local, places: &Places, config: &ConfigFile, name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(
            Failure::usage(format!("no profile can be called \"{name}\""))
                .next("use letters, digits, - and _"),
        );
    }
    if config.has_profile(name) {
        return Err(
            Failure::usage(format!("there is a profile \"{name}\" already")).next(format!(
                "change it with: famulor config set KEY VALUE --profile {name}"
            )),
        );
    }
    let base_url = local.global.base_url.as_deref();
    if let Some(url) = base_url {
        settings::check_base_url(url)
            .map_err(|problem| Failure::usage(format!("--base-url is {problem}")))?;
    }
    change(places, |file| match base_url {
        Some(url) => file.set(name, "base_url", url),
        None => file.create_profile(name),
    })?;
    said(
        local,
        &format!("profile {name} is made; give it a key with: famulor auth login --profile {name}"),
    );
    Ok(())
}

fn delete(local: &Local, places: &Places, config: &ConfigFile, name: &str) -> Result<(), Failure> {
    if !config.has_profile(name) {
        exists(config, name)?;
        // The default profile without settings: at most it has a key.
    }
    // The key first: a key without its profile would be found by nobody.
    let had_key = StoredKeys::forget(places, name)?;
    change(places, |file| {
        file.remove_profile(name);
        if config.active_profile() == Some(name) {
            file.choose_profile(None);
        }
        Ok(())
    })?;
    let key = if had_key { ", with its stored key" } else { "" };
    said(
        local,
        &format!("profile {} is deleted{key}", visible_line(name)),
    );
    Ok(())
}

fn exists(config: &ConfigFile, name: &str) -> Result<(), Failure> {
    if name == DEFAULT || config.has_profile(name) {
        return Ok(());
    }
    let mut names: Vec<&str> = config.profiles().collect();
    if !names.contains(&DEFAULT) {
        names.insert(0, DEFAULT);
    }
    Err(Failure::usage(format!("there is no profile \"{name}\""))
        .next(format!("there are {}", names.join(", "))))
}

fn change(
    places: &Places,
    change: impl FnOnce(&mut Document) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let path = places.config_toml().ok_or_else(|| {
        Failure::config("this machine has no home directory to keep profiles in")
            .next("name a directory with FAMULOR_CONFIG_DIR")
    })?;
    let mut file = Document::read(&path)?;
    change(&mut file)?;
    file.write()
}

fn said(local: &Local, what: &str) {
    local.notes.say(what);
}
