//! The command line: global flags and commands. Each command's own arguments are in its file.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::commands::{
    api, assistant, auth, batch, chat, completions, config, conversation, demo, doctor, emulator,
    man, profile, reply, schema,
};
use crate::duration;
use crate::failure::Failure;
use crate::output::Format;
use crate::settings::RateLimit;

const EXAMPLES: &str = "\
Examples:
  famulor demo
      the whole story, without a key, without cost
  famulor reply --emulator --assistant-id 123 --customer +49155551234 \"Hi\"
      one reply, from an emulator inside this command
  export FAMULOR_API_KEY=…
  famulor reply --assistant-id 123 --customer +49155551234 \"Hi\"
      one reply, from your account
";

/// What is set without a flag. The variables that every program knows are named with what they do here.
const ENVIRONMENT: &str = "\
Environment (a flag is stronger, the profile in config.toml weaker):
  FAMULOR_API_KEY         the key; no flag takes it, where others could see it
  FAMULOR_BASE_URL        where the API is [default: https://app.famulor.de/api]
  FAMULOR_PROFILE         the profile [default: default] [example: work]
  FAMULOR_CONFIG_DIR      where config.toml and credentials.toml are
                          [default: $XDG_CONFIG_HOME/famulor] [example: ./conf]
  FAMULOR_STATE_DIR       where the use of the rate limit is kept
                          [default: $XDG_STATE_HOME/famulor] [example: /var/lib/x]
  FAMULOR_ASSISTANT_ID    --assistant-id of reply [example: 123]
  FAMULOR_ASSISTANT_UUID  --assistant-uuid of chat and conversation create
  FAMULOR_OUTPUT          --output [default: text] [example: json]
  FAMULOR_LOG             what is logged on standard error [example: debug]
  FAMULOR_NO_INPUT        1: never ask anything
  FAMULOR_TIMEOUT         --timeout [default: 60s]
  FAMULOR_DEADLINE        --deadline [default: 120s]
  FAMULOR_DOUBT_WAIT      --doubt-wait [default: 120s]
  FAMULOR_MAX_WAIT        --max-wait [default: the deadline]
  FAMULOR_MAX_RETRIES     --max-retries [default: 3]
  FAMULOR_RATE_LIMIT      --rate-limit [default: 5/60s]
  FAMULOR_QUOTA_STORE     --quota-store [default: a file in the state directory]
  FAMULOR_REPLY_PATH      where replies are below the base URL
                          [default: /ai/generate-reply]
                          [example: /user/ai/generate-reply]
  NO_COLOR, CLICOLOR_FORCE             colour never, colour always
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY    which proxy, and for whom none
  SSL_CERT_FILE                        the certificates to trust
  XDG_CONFIG_HOME, XDG_STATE_HOME      where the two directories are
  OTEL_EXPORTER_OTLP_ENDPOINT          a collector for spans and figures, which hold
                                       no key, customer or message; the other
                                       OTEL_* variables go with it

Exit codes:
  0 done  1 unexpected failure  2 wrong use or configuration  3 refused by the API
  4 key missing or refused  5 not found  6 balance  7 rate limit
  8 failed, and not processed  9 outcome unknown: do not blindly repeat
  10 a batch with failed rows  130 interrupted  143 terminated
";

/// Conversations and AI replies of Famulor, from a shell
#[derive(Parser)]
#[command(
    name = "famulor",
    version,
    before_help = EXAMPLES,
    after_long_help = ENVIRONMENT,
    help_template = TEMPLATE,
    max_term_width = 100,
    propagate_version = false,
    disable_help_subcommand = true,
    mut_subcommands = show_examples_first
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what this does, on an emulator: no key, no network, no cost
    Demo(demo::Args),
    /// Generate one AI reply to a customer's message (billed)
    Reply(reply::Args),
    /// Talk to an assistant, a message a line
    Chat(chat::Args),
    /// Create, read, continue and list conversations
    Conversation(conversation::Args),
    /// Your assistants
    Assistant(assistant::Args),
    /// Send many messages from a file, and lose none of them
    Batch(batch::Args),
    /// The account's name, e-mail address and balance
    #[command(before_help = "Examples:\n  famulor whoami\n  famulor whoami --json\n")]
    Whoami,
    /// Call any endpoint, with this tool's key, limits and error handling
    Api(api::Args),
    /// A local Famulor to develop and test against
    Emulator(emulator::Args),
    /// Store, forget and look at the key
    Auth(auth::Args),
    /// Settings: list them with where they came from, read and change them
    Config(config::Args),
    /// Sets of settings, each with a key of its own
    Profile(profile::Args),
    /// Check what a call needs: configuration, key, network, clock, quota; bills nothing
    #[command(before_help = doctor::EXAMPLES)]
    Doctor,
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Print the manual page, or write one for each command
    Man(man::Args),
    /// Print the JSON Schema of what this tool reads and writes
    Schema(schema::Args),
    /// Print name, version and target
    #[command(before_help = "Examples:\n  famulor version\n  famulor version --json\n")]
    Version,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Use the settings and the key of this profile [env: FAMULOR_PROFILE] [default: default]
    /// [example: --profile work]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) profile: Option<String>,

    // Not a documentation comment: rustdoc wants its URLs in brackets, a terminal does not.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        hide_short_help = true,
        help = "Send to this API [env: FAMULOR_BASE_URL] [default: https://app.famulor.de/api] \
            [example: --base-url http://127.0.0.1:8787/api]"
    )]
    pub(crate) base_url: Option<String>,

    /// Send to an emulator inside this process, for this one command: no key, no network, no cost
    /// [example: famulor whoami --emulator]
    #[arg(long, global = true, conflicts_with = "base_url")]
    pub(crate) emulator: bool,

    /// Print answers as [env: FAMULOR_OUTPUT] [default: text] [example: -o jsonl]
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,

    /// The same as --output json; errors on standard error are JSON too
    /// [example: famulor whoami --json]
    #[arg(long, global = true, conflicts_with = "output")]
    pub(crate) json: bool,

    /// Say nothing on standard error but errors [example: famulor demo -q]
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Say what is done, on standard error: -v, -vv, -vvv [env: FAMULOR_LOG, such as debug]
    /// [example: famulor whoami -vv]
    #[arg(short, long, global = true, action = ArgAction::Count, hide_short_help = true)]
    pub(crate) verbose: u8,

    /// When to use colour [env: NO_COLOR, CLICOLOR_FORCE] [default: auto] [example: --color never]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        hide_short_help = true
    )]
    pub(crate) color: Option<Color>,

    /// Never ask anything [env: FAMULOR_NO_INPUT=1] [example: famulor auth login --no-input < key]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_input: bool,

    /// Longest time for one attempt [env: FAMULOR_TIMEOUT] [default: 60s]
    /// [example: --timeout 30s]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse_positive,
        hide_short_help = true)]
    pub(crate) timeout: Option<Duration>,

    /// Longest time for one call: its queueing, attempts, waits and read-back together
    /// [env: FAMULOR_DEADLINE] [default: 120s] [example: --deadline 5m]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse_positive,
        hide_short_help = true)]
    pub(crate) deadline: Option<Duration>,

    /// Longest wait for a free slot of the rate limit [env: FAMULOR_MAX_WAIT] [default: the deadline]
    /// [example: --max-wait 0s]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse,
        hide_short_help = true)]
    pub(crate) max_wait: Option<Duration>,

    /// Quiet time before a message that cannot be found is taken for lost
    /// [env: FAMULOR_DOUBT_WAIT] [default: 120s] [example: --doubt-wait 60s]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse,
        hide_short_help = true)]
    pub(crate) doubt_wait: Option<Duration>,

    /// How often to try again what was certainly not processed
    /// [env: FAMULOR_MAX_RETRIES] [default: 3] [example: --max-retries 0]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub(crate) max_retries: Option<u32>,

    /// The account's limit of replies, such as 5/60s; off: no limit on this side at all
    /// [env: FAMULOR_RATE_LIMIT] [default: 5/60s] [example: --rate-limit 20/60s]
    #[arg(long, global = true, value_name = "N/DUR|off", value_parser = RateLimit::parse,
        hide_short_help = true)]
    pub(crate) rate_limit: Option<RateLimit>,

    /// Where the use of the limits is kept, and so who shares them: memory (this command alone), a
    /// file (this machine), postgres://… or redis://… (many machines)
    /// [env: FAMULOR_QUOTA_STORE] [default: quota.sqlite in the state directory]
    /// [example: --quota-store redis://cache/0]
    #[arg(long, global = true, value_name = "STORE", hide_short_help = true)]
    pub(crate) quota_store: Option<String>,

    /// Trust the certificates in this file (PEM) too [env: SSL_CERT_FILE in their place]
    /// [default: the system's alone] [example: --ca-cert company.pem]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_cert: Option<PathBuf>,

    /// Allow http:// to other machines: the key can then be read on the way
    /// [example: --allow-http --base-url http://emulator.lan:8787/api]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) allow_http: bool,

    /// Read the key from this file; -: from standard input [env: FAMULOR_API_KEY holds the key itself]
    /// [default: the one of famulor auth login] [example: --api-key-file /run/secrets/famulor]
    #[arg(long, global = true, value_name = "FILE|-", hide_short_help = true)]
    pub(crate) api_key_file: Option<String>,

    /// Print the request with the key blacked out, and send nothing
    /// [example: famulor reply --dry-run --assistant-id 123 --customer crm-42 Hi]
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
}

impl Global {
    /// `--dry-run` promises to send nothing and to show the request; a command
    /// without one request cannot keep that promise, so it refuses.
    pub(crate) fn refuse_dry_run(&self, command: &str) -> Result<(), Failure> {
        if self.dry_run {
            return Err(Failure::usage(format!(
                "{command} has no request that --dry-run could show"
            )));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// The whole command line, as completions and help see it.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Examples first: most people read no further.
const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

fn show_examples_first(command: clap::Command) -> clap::Command {
    command
        .help_template(TEMPLATE)
        .mut_subcommands(show_examples_first)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }

    #[test]
    fn examples_fit_a_terminal_of_80_columns() {
        fn check(command: &clap::Command) {
            let examples = command
                .get_before_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            for line in examples.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&super::command());
    }

    /// Every flag of its own, of this command and those below it; the global ones are the first command's.
    fn flags(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Arg)>) {
        let flags = command.get_arguments().filter(|arg| {
            arg.get_long().is_some() && !matches!(arg.get_id().as_str(), "help" | "version")
        });
        found.extend(flags.map(|flag| (path.to_owned(), flag.clone())));
        for below in command.get_subcommands() {
            flags_of(below, path, found);
        }
    }

    fn flags_of(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Arg)>) {
        flags(command, &format!("{path} {}", command.get_name()), found);
    }

    #[test]
    fn every_flag_has_an_example_and_says_its_default() {
        let command = super::command();
        let mut found = Vec::new();
        flags(&command, "famulor", &mut found);
        assert!(found.len() > 40, "{}", found.len());
        for (path, flag) in found {
            let long = format!("--{}", flag.get_long().unwrap_or_default());
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            // Its own help has one, or one of the examples that come first.
            let mut at = &command;
            for name in path.split(' ').skip(1) {
                at = at.find_subcommand(name).unwrap_or(at);
            }
            let examples = at.get_before_help().map(ToString::to_string);
            let examples = examples.unwrap_or_default();
            let short = flag.get_short().map(|short| format!(" -{short} "));
            let short = short.is_some_and(|short| examples.contains(&short));
            assert!(
                help.contains("[example: ") || examples.contains(&long) || short,
                "{path} {long} has no example: {help}"
            );
            let takes_value = flag.get_action().takes_values();
            let has_default = help.contains("[default: ")
                || help.contains("[env: ")
                || !flag.get_default_values().is_empty();
            let repeatable = matches!(flag.get_action(), clap::ArgAction::Append);
            assert!(
                !takes_value
                    || has_default
                    || flag.is_required_set()
                    || repeatable
                    || WITHOUT_DEFAULT.contains(&&*long),
                "{path} {long} says no default: {help}"
            );
        }
    }

    /// Left out, they do nothing: there is nothing that could be said.
    const WITHOUT_DEFAULT: [&str; 6] = [
        "--data",
        "--resume",
        "--ready-file",
        "--script",
        "--type",
        "--vars-file",
    ];

    #[test]
    fn every_variable_of_the_environment_is_in_the_help() {
        for variable in [
            "FAMULOR_API_KEY",
            "FAMULOR_BASE_URL",
            "FAMULOR_PROFILE",
            "FAMULOR_CONFIG_DIR",
            "FAMULOR_STATE_DIR",
            "FAMULOR_ASSISTANT_ID",
            "FAMULOR_ASSISTANT_UUID",
            "FAMULOR_OUTPUT",
            "FAMULOR_LOG",
            "FAMULOR_NO_INPUT",
            "FAMULOR_TIMEOUT",
            "FAMULOR_DEADLINE",
            "FAMULOR_DOUBT_WAIT",
            "FAMULOR_MAX_WAIT",
            "FAMULOR_MAX_RETRIES",
            "FAMULOR_RATE_LIMIT",
            "FAMULOR_QUOTA_STORE",
            "FAMULOR_REPLY_PATH",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "HTTPS_PROXY",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ] {
            assert!(super::ENVIRONMENT.contains(variable), "{variable}");
        }
    }

    #[test]
    fn every_command_starts_its_help_with_examples() {
        fn check(command: &clap::Command) {
            let examples = command
                .get_before_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                examples.starts_with("Examples:\n"),
                "{}",
                command.get_name()
            );
            command.get_subcommands().for_each(check);
        }
        check(&super::command());
    }
}
