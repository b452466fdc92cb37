//! One run of the program: what was asked for, and where its parts are.

use std::sync::Arc;

use crate::args::Global;
use crate::failure::Failure;
use crate::flight::Flight;
use crate::logging;
use crate::notes::Notes;
use crate::output::Output;
use crate::settings::{Environment, Settings};
use crate::stdin::Stdin;
use crate::telemetry::Telemetry;

pub(crate) struct Run {
    pub(crate) global: Global,
    pub(crate) environment: Environment,
    pub(crate) settings: Settings,
    pub(crate) output: Output,
    pub(crate) notes: Notes,
    pub(crate) stdin: Stdin,
    /// What is under way when a signal comes.
    pub(crate) flight: Arc<Flight>,
    /// Where the environment names a collector.
    pub(crate) telemetry: Option<Telemetry>,
}

impl Run {
    pub(crate) fn new(global: Global, environment: Environment) -> Result<Self, Failure> {
        let settings = Settings::resolve(&global, &environment)?;
        let flight = Arc::default();
        let notes = Notes {
            quiet: global.quiet,
        };
        let log = logging::wanted(global.verbose, &environment)?;
        let telemetry = Telemetry::start(&environment, notes);
        logging::start(log, &flight, telemetry.as_ref());
        Ok(Self {
            output: Output {
                format: settings.output.value,
            },
            notes,
            stdin: Stdin::default(),
            flight,
            telemetry,
            settings,
            global,
            environment,
        })
    }

    /// For a command without a request that could be shown.
    pub(crate) fn refuse_dry_run(&self, command: &str) -> Result<(), Failure> {
        self.global.refuse_dry_run(command)
    }
}
