//! One run of a command that needs no client: it works with a broken configuration too, or there would be no mending it.

use crate::args::Global;
use crate::failure::Failure;
use crate::notes::Notes;
use crate::output::{Format, Output};
use crate::settings::{Environment, Settings};
use crate::stdin::Stdin;

pub(crate) struct Local {
    pub(crate) global: Global,
    pub(crate) environment: Environment,
    pub(crate) output: Output,
    pub(crate) notes: Notes,
    pub(crate) stdin: Stdin,
}

impl Local {
    pub(crate) fn new(global: Global, environment: Environment) -> Self {
        let format = Settings::format(&global, &environment);
        Self {
            output: Output {
                format: format.unwrap_or(Format::Text),
            },
            notes: Notes {
                quiet: global.quiet,
            },
            stdin: Stdin::default(),
            global,
            environment,
        }
    }

    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        Settings::resolve(&self.global, &self.environment)
    }

    /// As [`Run::refuse_dry_run`](crate::run::Run::refuse_dry_run): there is no request to show.
    pub(crate) fn refuse_dry_run(&self, command: &str) -> Result<(), Failure> {
        self.global.refuse_dry_run(command)
    }
}
