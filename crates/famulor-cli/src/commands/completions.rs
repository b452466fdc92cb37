//! `famulor completions`

use clap_complete::Shell;

use crate::args;
use crate::failure::Failure;
use crate::local::Local;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  famulor completions bash > ~/.local/share/bash-completion/completions/famulor
  famulor completions zsh  > ~/.zfunc/_famulor
  famulor completions fish > ~/.config/fish/completions/famulor.fish
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: Args, local: &Local) -> Result<(), Failure> {
    local.refuse_dry_run("completions")?;
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "famulor", &mut script);
    output::raw(&script)
}
