//! Where the stores under test are.

use famulor_quota::QuotaStore;

/// A store that this test alone uses, and that goes away with it.
pub(crate) struct Place {
    pub(crate) url: String,
    #[cfg(feature = "sqlite")]
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("quota.db").to_str().unwrap().to_owned();
        Some(Self {
            url,
            _folder: Some(folder),
        })
    }

    pub(crate) async fn open(&self) -> Box<dyn QuotaStore> {
        open(&self.url).await
    }
}

pub(crate) async fn open(url: &str) -> Box<dyn QuotaStore> {
    famulor_quota::open_store(url).await.unwrap()
}

/// One test for each store, named after it.
macro_rules! on_each_store {
    ($($test:ident),* $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                if let Some(place) = crate::place::Place::sqlite() {
                    super::$test(&place).await;
                }
            })*
        }
    };
}
pub(crate) use on_each_store;
