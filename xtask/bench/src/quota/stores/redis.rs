//! Redis or Valkey, a server of its own.

use famulor_quota::RedisStore;
use famulor_test_stores::{Durability, RedisServer};
use redis::Client;
use redis::aio::MultiplexedConnection;

use super::{Pairs, ROW, StoreCost, TURN, Worker, cases, compare};

/// Two values set.
struct Bare {
    redis: MultiplexedConnection,
    key: String,
    count: u8,
}

impl Worker for Bare {
    async fn once(&mut self) -> Result<(), String> {
        self.count = self.count.wrapping_add(1);
        for _ in 0..2 {
            let mut set = redis::cmd("SET");
            set.arg(&self.key).arg(&[self.count; ROW][..]);
            let done: Result<(), _> = set.query_async(&mut self.redis).await;
            done.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

pub(super) async fn measure(turns: usize) -> Result<Vec<StoreCost>, String> {
    let mut costs = Vec::new();
    for (store, durability) in [
        ("Redis, `appendfsync always`", Durability::Disk),
        ("Redis, nothing on disk", Durability::Fast),
    ] {
        let Some(server) = RedisServer::start(durability) else {
            return Ok(costs);
        };
        let url = server.place();
        let client = Client::open(url.as_str()).map_err(|error| error.to_string())?;
        for (connections, shared) in cases() {
            let (mut ours, mut bare) = (Vec::new(), Vec::new());
            for task in 0..connections {
                let opened = RedisStore::connect(&url).await;
                let opened = opened.map_err(|error| error.to_string())?;
                ours.push(Pairs::new(opened, task, shared));
                let row = if shared { 0 } else { task };
                let redis = client.get_multiplexed_async_connection().await;
                bare.push(Bare {
                    redis: redis.map_err(|error| error.to_string())?,
                    key: format!("bare {row}"),
                    count: 0,
                });
            }
            costs.push(StoreCost {
                store,
                connections,
                shared,
                judged: !shared && durability == Durability::Disk,
                time: compare(ours, bare, TURN, turns).await?,
            });
        }
    }
    Ok(costs)
}
