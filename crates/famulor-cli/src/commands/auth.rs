//! `famulor auth`

use serde::Serialize;

use crate::failure::Failure;
use crate::local::Local;
use crate::settings::{self, Found, KeyOrigin, Settings, StoredKeys, typed_key};
use crate::stdin::Stdin;
use crate::terminal;
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor auth login
      asks for the key, and shows nothing of it
  famulor auth login --api-key-file key.txt
  pass show famulor | famulor auth login --profile work
  famulor auth status
  famulor auth logout
";

const LOGIN_EXAMPLES: &str = "\
Examples:
  famulor auth login
      asks for the key, and shows nothing of it
  famulor auth login --api-key-file key.txt
  pass show famulor | famulor auth login --profile work
  famulor auth login --keyring
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Store a key for this profile and its base URL; it is sent nowhere else
    Login(Login),
    /// Forget the stored key of this profile
    #[command(
        before_help = "Examples:\n  famulor auth logout\n  famulor auth logout --profile work\n"
    )]
    Logout,
    /// Say which key would be used, from where, and for which address; shows no key, calls nobody
    #[command(before_help = "Examples:\n  famulor auth status\n  famulor auth status --json\n")]
    Status,
}

#[derive(clap::Args)]
#[command(before_help = LOGIN_EXAMPLES)]
struct Login {
    /// Keep the key in the system's keyring, not in credentials.toml (a build option)
    #[arg(long)]
    keyring: bool,
}

/// Never the key itself, nor a part of it.
#[derive(Serialize)]
struct Status {
    profile: String,
    base_url: String,
    key: Option<String>,
}

pub(crate) async fn run(args: Args, local: &mut Local) -> Result<(), Failure> {
    local.refuse_dry_run("auth")?;
    let settings = local.settings()?;
    match args.command {
        Command::Login(args) => login(args, local, &settings).await,
        Command::Logout => logout(local, &settings),
        Command::Status => status(local, &settings).await,
    }
}

async fn login(args: Login, local: &mut Local, settings: &Settings) -> Result<(), Failure> {
    settings::check_base_url(settings.effective_base_url())
        .map_err(|problem| Failure::config(format!("the base URL is {problem}")))?;
    let key = ask(local, settings).await?;
    let place = StoredKeys::store(settings, &key, args.keyring)?;
    show(local, settings, Some(&KeyOrigin::Stored(place)))?;
    if local.environment.raw("FAMULOR_API_KEY").is_some() {
        local
            .notes
            .say("FAMULOR_API_KEY is set too, and is stronger than the stored key: unset it");
    }
    local.notes.say("try it with: famulor doctor");
    Ok(())
}

/// `--api-key-file`, a hidden prompt, or the first line of standard input.
async fn ask(local: &mut Local, settings: &Settings) -> Result<String, Failure> {
    if local.global.api_key_file.is_some() {
        let found = settings::key(
            &local.global,
            &local.environment,
            settings,
            &mut local.stdin,
        );
        return match found.await? {
            Found::Key { key, .. } => Ok(key),
            _ => Err(Failure::no_key()),
        };
    }
    local.stdin.take("auth login")?;
    let line = if !Stdin::is_terminal() {
        tokio::task::spawn_blocking(terminal::first_line).await
    } else if settings.no_input {
        return Err(
            Failure::usage("auth login asks for the key, and --no-input forbids asking")
                .next("pipe the key in, or give --api-key-file"),
        );
    } else {
        let question = format!(
            "API key for {} (not shown): ",
            visible_line(settings.effective_base_url())
        );
        tokio::task::spawn_blocking(move || terminal::ask_hidden(&question)).await
    };
    let line = line.map_err(|error| Failure::unexpected(error.to_string()))?;
    typed_key(line.map_err(|error| Failure::usage(format!("cannot read the key: {error}")))?)
}

fn logout(local: &Local, settings: &Settings) -> Result<(), Failure> {
    let profile = &settings.profile.value;
    if StoredKeys::forget(&settings.places, profile)? {
        local.notes.say(&format!(
            "the key of profile {} is forgotten; it is still valid until you revoke it in the \
             dashboard",
            visible_line(profile)
        ));
    } else {
        local.notes.say(&format!(
            "there was no stored key of profile {}",
            visible_line(profile)
        ));
    }
    Ok(())
}

async fn status(local: &mut Local, settings: &Settings) -> Result<(), Failure> {
    let found = settings::key(
        &local.global,
        &local.environment,
        settings,
        &mut local.stdin,
    );
    match found.await? {
        Found::Key { origin, .. } => show(local, settings, Some(&origin)),
        Found::Elsewhere { bound_to } => Err(Failure::key_elsewhere(
            &bound_to,
            settings.effective_base_url(),
        )),
        Found::None => Err(Failure::no_key()),
    }
}

fn show(local: &Local, settings: &Settings, key: Option<&KeyOrigin>) -> Result<(), Failure> {
    let status = Status {
        profile: settings.profile.value.clone(),
        base_url: settings.effective_base_url().to_owned(),
        key: key.map(ToString::to_string),
    };
    local.output.object(&status, |out| {
        writeln!(out, "profile   {}", visible_line(&status.profile))?;
        writeln!(out, "base URL  {}", visible_line(&status.base_url))?;
        let key = status.key.as_deref().unwrap_or("none");
        writeln!(out, "key       {}", visible_line(key))
    })
}
