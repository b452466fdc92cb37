//! `famulor whoami`

use std::io::Write;

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::run::Run;
use crate::visible::visible_line;

pub(crate) async fn run(run: &mut Run) -> Result<(), Failure> {
    let connection = Connection::open(run, Key::Required).await?;
    let call = connection.client.account();
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let account = call.send().await?;
    run.output.object(&account, |out: &mut dyn Write| {
        writeln!(
            out,
            "name     {}",
            visible_line(account.name().unwrap_or("-"))
        )?;
        writeln!(
            out,
            "e-mail   {}",
            visible_line(account.email().unwrap_or("-"))
        )?;
        match account.total_balance() {
            Some(balance) => writeln!(out, "balance  {balance:.2}"),
            None => writeln!(out, "balance  -"),
        }
    })
}
