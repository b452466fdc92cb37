//! Where the use of the limits is kept, so that separate commands share their slots.

use std::path::Path;

use famulor_quota::{Quota, open_store};

use crate::connection::causes;
use crate::failure::Failure;
use crate::settings::Settings;

/// The store that the settings name, else a file in the state directory, else this command's memory: on a machine
/// without a home there is no directory to share.
pub(crate) async fn open(settings: &Settings) -> Result<Quota, Failure> {
    let default = settings.places.quota_sqlite();
    let (name, origin) = match (&settings.quota_store, default) {
        (Some(store), _) => (store.value.clone(), format!(" given by {}", store.origin)),
        (None, Some(path)) => {
            path.parent().map_or(Ok(()), |folder| {
                create_private(folder, "use --quota-store memory")
            })?;
            (path.display().to_string(), String::new())
        }
        (None, None) => ("memory".to_owned(), String::new()),
    };
    match open_store(&name).await {
        Ok(store) => Ok(Quota::with_store(store)),
        Err(error) => Err(Failure::config(format!(
            "the quota store{origin} cannot be opened: {}; with --quota-store memory this command shares no limit with others",
            causes(&error)
        ))),
    }
}

/// Makes a directory that only its owner can look into. `otherwise`: how to do without.
pub(crate) fn create_private(directory: &Path, otherwise: &str) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| {
        Failure::config(format!(
            "cannot make the state directory {}: {error}; name another with FAMULOR_STATE_DIR, or {otherwise}",
            directory.display()
        ))
    })
}
