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

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres() -> Option<Self> {
        Some(Self::at(
            famulor_test_stores::PostgresServer::shared()?.place(),
        ))
    }

    #[cfg(feature = "redis")]
    pub(crate) fn redis() -> Option<Self> {
        Some(Self::at(
            famulor_test_stores::RedisServer::shared()?.place(),
        ))
    }

    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) fn at(url: String) -> Self {
        Self {
            url,
            #[cfg(feature = "sqlite")]
            _folder: None,
        }
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
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(place) = crate::place::Place::postgres() {
                    super::$test(&place).await;
                }
            })*
        }
        #[cfg(feature = "redis")]
        mod redis {
            $(#[tokio::test]
            async fn $test() {
                if let Some(place) = crate::place::Place::redis() {
                    super::$test(&place).await;
                }
            })*
        }
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
