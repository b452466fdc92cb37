//! The command line: global flags and commands. Each command's own arguments are in its file.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::commands::{
    api, assistant, batch, chat, completions, conversation, demo, emulator, reply,
};
use crate::duration;
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

/// Conversations and AI replies of Famulor, from a shell
#[derive(Parser)]
#[command(
    name = "famulor",
    version,
    before_help = EXAMPLES,
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
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Print name, version and target
    #[command(before_help = "Examples:\n  famulor version\n  famulor version --json\n")]
    Version,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Use the settings and the key of this profile [env: FAMULOR_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) profile: Option<String>,

    // Not a documentation comment: rustdoc wants its URLs in brackets, a terminal does not.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        hide_short_help = true,
        help = "Send to this API [env: FAMULOR_BASE_URL] [default: https://app.famulor.de/api]"
    )]
    pub(crate) base_url: Option<String>,

    /// Send to an emulator inside this process, for this one command: no key, no network, no cost
    #[arg(long, global = true, conflicts_with = "base_url")]
    pub(crate) emulator: bool,

    /// Print answers as [env: FAMULOR_OUTPUT] [default: text]
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,

    /// The same as --output json; errors on standard error are JSON too
    #[arg(long, global = true, conflicts_with = "output")]
    pub(crate) json: bool,

    /// Say nothing on standard error but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Say what is done, on standard error: -v, -vv, -vvv [env: FAMULOR_LOG, such as debug]
    #[arg(short, long, global = true, action = ArgAction::Count, hide_short_help = true)]
    pub(crate) verbose: u8,

    /// When to use colour [env: NO_COLOR, CLICOLOR_FORCE] [default: auto]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        hide_short_help = true
    )]
    pub(crate) color: Option<Color>,

    /// Never ask anything [env: FAMULOR_NO_INPUT=1]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_input: bool,

    /// Longest time for one attempt [env: FAMULOR_TIMEOUT] [default: 60s]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse_positive,
        hide_short_help = true)]
    pub(crate) timeout: Option<Duration>,

    /// Longest time for one call: its queueing, attempts, waits and read-back together
    /// [env: FAMULOR_DEADLINE] [default: 120s]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse_positive,
        hide_short_help = true)]
    pub(crate) deadline: Option<Duration>,

    /// Longest wait for a free slot of the rate limit [env: FAMULOR_MAX_WAIT] [default: the deadline]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse,
        hide_short_help = true)]
    pub(crate) max_wait: Option<Duration>,

    /// Quiet time before a message that cannot be found is taken for lost
    /// [env: FAMULOR_DOUBT_WAIT] [default: 120s]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse,
        hide_short_help = true)]
    pub(crate) doubt_wait: Option<Duration>,

    /// How often to try again what was certainly not processed
    /// [env: FAMULOR_MAX_RETRIES] [default: 3]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub(crate) max_retries: Option<u32>,

    /// The account's limit of replies, such as 5/60s; off: no limit on this side at all
    /// [env: FAMULOR_RATE_LIMIT] [default: 5/60s]
    #[arg(long, global = true, value_name = "N/DUR|off", value_parser = RateLimit::parse,
        hide_short_help = true)]
    pub(crate) rate_limit: Option<RateLimit>,

    /// Where the use of the limits is kept, and so who shares them: memory (this command alone), a
    /// file (this machine), postgres://… or redis://… (many machines)
    /// [env: FAMULOR_QUOTA_STORE] [default: quota.sqlite in the state directory]
    #[arg(long, global = true, value_name = "STORE", hide_short_help = true)]
    pub(crate) quota_store: Option<String>,

    /// Trust the certificates in this file (PEM) too
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_cert: Option<PathBuf>,

    /// Allow http:// to other machines: the key can then be read on the way
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) allow_http: bool,

    /// Read the key from this file; -: from standard input [env: FAMULOR_API_KEY holds the key itself]
    #[arg(long, global = true, value_name = "FILE|-", hide_short_help = true)]
    pub(crate) api_key_file: Option<String>,

    /// Print the request with the key blacked out, and send nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
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
