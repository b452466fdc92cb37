//! `famulor man`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use crate::args;
use crate::failure::Failure;
use crate::local::Local;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  famulor man | man -l -
  famulor man --dir ~/.local/share/man/man1
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write a page for each command into this directory [default: one page, on standard output]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: Args, local: &Local) -> Result<(), Failure> {
    local.refuse_dry_run("man")?;
    let mut command = args::command();
    // The global options come into each command only now.
    command.build();
    let command = shown_in_full(command);
    let Some(directory) = args.dir else {
        return output::raw(&page(command, "famulor")?);
    };
    std::fs::create_dir_all(&directory).map_err(|error| unwritable(&directory, &error))?;
    let pages = write(command, "famulor".to_owned(), &directory)?;
    local
        .notes
        .say(&format!("{pages} pages in {}", directory.display()));
    Ok(())
}

/// A page is long help: what the short one leaves out is in it.
fn shown_in_full(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| arg.hide_short_help(false))
        .mut_subcommands(shown_in_full)
}

/// Writes the page of a command and of those below it; says how many that were.
fn write(command: clap::Command, name: String, directory: &Path) -> Result<usize, Failure> {
    let mut pages = 1;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        let name = format!("{name}-{}", below.get_name());
        pages += write(below.clone(), name, directory)?;
    }
    let path = directory.join(format!("{name}.1"));
    std::fs::write(&path, page(command, &name)?).map_err(|error| unwritable(&path, &error))?;
    Ok(pages)
}

fn page(command: clap::Command, name: &str) -> Result<Vec<u8>, Failure> {
    // A page's name has hyphens, the command itself has blanks.
    let command = command
        .bin_name(name.replace('-', " "))
        .display_name(name.to_owned())
        .disable_help_subcommand(true);
    let mut page = Vec::new();
    render(command, name, &mut page)
        .map_err(|error| Failure::unexpected(format!("cannot write the page: {error}")))?;
    Ok(page)
}

/// The examples come where they come in the help: before everything long.
fn render(command: clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let examples = command.get_before_help().map(ToString::to_string);
    let has_commands = command.has_subcommands();
    let has_extra = command.get_after_long_help().is_some();
    let man = Man::new(command)
        .title(name.to_uppercase())
        .source(concat!("famulor ", env!("CARGO_PKG_VERSION")));
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    writeln!(page, ".SH EXAMPLES\n.nf")?;
    for line in examples.unwrap_or_default().lines().skip(1) {
        // A point or a quote at its start would make a line a command of the formatter.
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        writeln!(page, "\\&{line}")?;
    }
    writeln!(page, ".fi")?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if has_commands {
        man.render_subcommands_section(page)?;
    }
    if has_extra {
        man.render_extra_section(page)?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::config(format!("cannot write {}: {error}", path.display()))
}
