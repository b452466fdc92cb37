//! Where the messages of a batch are kept, and which of its jobs is meant.

use std::path::{Path, PathBuf};

use famulor_core::ErrorKind as Kind;
use famulor_outbox::{Error, ErrorKind, Filter, Outbox, Status};

use super::again::without_password;
use super::counts::Counts;
use crate::connection::causes;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::quota::create_private;
use crate::run::Run;

/// The flag that every command on a store has.
#[derive(clap::Args)]
pub(super) struct StoreArgs {
    /// Where the messages are kept: a file (SQLite), or postgres://… for workers on many machines
    /// [default: outbox.sqlite in the state directory] [example: ./outbox.sqlite]
    #[arg(long, value_name = "PATH|postgres://…")]
    pub(super) store: Option<String>,
}

/// An open store. Dropping it ends a temporary one.
pub(super) struct Store {
    pub(super) outbox: Outbox,
    /// As it was given, for the commands that are named to a person.
    pub(super) given: Option<String>,
    _temporary: Option<tempfile::TempDir>,
}

impl Store {
    /// Opens the store, and makes it if it is not there.
    pub(super) async fn open(args: &StoreArgs, run: &Run) -> Result<Self, Failure> {
        // What an emulator of this one command answers is gone with it, and must not pass for Famulor's later.
        if args.store.is_none() && run.global.emulator {
            let folder = tempfile::tempdir().map_err(|error| {
                Failure::config(format!("cannot make a temporary store: {error}"))
            })?;
            let place = folder.path().join("outbox.sqlite");
            let outbox = open(&place.display().to_string()).await?;
            return Ok(Self {
                outbox,
                given: None,
                _temporary: Some(folder),
            });
        }
        let place = match &args.store {
            Some(place) => place.clone(),
            None => {
                let path = default(run)?;
                path.parent().map_or(Ok(()), |folder| {
                    create_private(folder, "name a store with --store")
                })?;
                path.display().to_string()
            }
        };
        Ok(Self {
            outbox: open(&place).await?,
            given: args.store.clone(),
            _temporary: None,
        })
    }

    /// Opens a store that is there: to look at one is not to make one.
    pub(super) async fn existing(args: &StoreArgs, run: &Run) -> Result<Self, Failure> {
        let path = match &args.store {
            Some(place) => file_of(place).map(Path::to_owned),
            None => Some(default(run)?),
        };
        if let Some(path) = path.filter(|path| !path.exists()) {
            return Err(Failure::config(format!(
                "there is no store at {}: no batch was run with it yet",
                path.display()
            ))
            .next("name the one of your batch with --store"));
        }
        Self::open(args, run).await
    }

    /// Whether there is one to look at. A database is there.
    pub(super) fn is_there(args: &StoreArgs, run: &Run) -> Result<bool, Failure> {
        Ok(match &args.store {
            Some(place) => file_of(place).is_none_or(Path::exists),
            None => !run.global.emulator && default(run)?.exists(),
        })
    }

    /// Whether a job of that name was begun.
    pub(super) async fn has(&self, job: &str) -> Result<bool, Failure> {
        let jobs = self.outbox.jobs().await.map_err(refused)?;
        Ok(jobs.iter().any(|name| name == job))
    }

    /// Whose rows some of them are, if not `account`'s.
    pub(super) async fn other_account(
        &self,
        filter: &Filter,
        account: &str,
    ) -> Result<String, Failure> {
        const PAGE: usize = 1000;
        let mut after = None;
        loop {
            let rows = self
                .outbox
                .list(filter, after, PAGE)
                .await
                .map_err(refused)?;
            if let Some(other) = rows.iter().find(|row| row.account != account) {
                return Ok(other.account.clone());
            }
            match rows.last() {
                Some(last) => after = Some(last.id),
                None => return Ok("another".to_owned()),
            }
        }
    }

    /// The job that was named, or the only one.
    pub(super) async fn job(&self, named: Option<String>) -> Result<String, Failure> {
        let jobs = self.outbox.jobs().await.map_err(refused)?;
        let known = match jobs.as_slice() {
            [] => "it has none".to_owned(),
            [only] => format!("it has {only}"),
            jobs => format!("it has {}", jobs.join(", ")),
        };
        match (named, jobs.as_slice()) {
            (Some(name), jobs) if jobs.contains(&name) => Ok(name),
            (Some(name), _) => Err(Failure::config(format!(
                "there is no job {name} in the store: {known}"
            ))),
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(Failure::config("there is no job in the store")),
            (None, _) => {
                Err(Failure::usage(format!("which job? {known}")).next("name it with --job"))
            }
        }
    }

    pub(super) async fn counts(&self, filter: &Filter) -> Result<(Counts, Status), Failure> {
        let status = self.outbox.status(filter).await.map_err(refused)?;
        Ok((Counts::from(&status), status))
    }

    /// A command on a job of this store, for a person to type.
    pub(super) fn command(&self, verb: &str, job: &str) -> String {
        super::again::batch(verb, job, self.given.as_deref())
    }
}

async fn open(place: &str) -> Result<Outbox, Failure> {
    Outbox::open(place).await.map_err(|error| {
        let shown = without_password(place);
        let message = format!("the store {shown} cannot be opened: {error}");
        match error.kind() {
            // The wrong file, most likely.
            ErrorKind::Store => Failure::of_batch(Kind::Config, Exit::Usage, message),
            _ => failure(&error, message),
        }
    })
}

fn default(run: &Run) -> Result<PathBuf, Failure> {
    run.settings.places.outbox_sqlite().ok_or_else(|| {
        Failure::config("there is no home directory to keep the store in")
            .next("name one with --store, or set FAMULOR_STATE_DIR")
    })
}

/// The file of a store that is one.
fn file_of(place: &str) -> Option<&Path> {
    if let Some(path) = place.strip_prefix("sqlite:") {
        return Some(Path::new(path.strip_prefix("//").unwrap_or(path)));
    }
    (!place.contains("://")).then(|| Path::new(place))
}

/// What the store said, for people.
pub(super) fn refused(error: Error) -> Failure {
    failure(&error, causes(&error))
}

fn failure(error: &Error, message: String) -> Failure {
    let (kind, exit) = match error.kind() {
        // A full disk and a database that is away are nobody's typing mistake.
        ErrorKind::Unreachable => (Kind::Network, Exit::NotProcessed),
        ErrorKind::Full | ErrorKind::Store => (Kind::Internal, Exit::Unexpected),
        _ => (Kind::Config, Exit::Usage),
    };
    Failure::of_batch(kind, exit, message)
}
