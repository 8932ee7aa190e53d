//! What nodes have cached.

use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use tapline_core::Value;
use tapline_pipeline::Journal as _;

use crate::support::Place;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn what_is_cached_comes_back_until_its_time_is_over() {
    let place = Place::new();
    let journal = place.journal();
    let (past, future) = (SystemTime::now() - HOUR, SystemTime::now() + HOUR);
    assert_eq!(journal.cached([1; 32]).await.unwrap(), None);
    journal.cache([1; 32], "first".into(), future).await.unwrap();
    journal.cache([2; 32], Value::Null, future).await.unwrap();
    journal.cache([3; 32], "stale".into(), past).await.unwrap();
    let other = place.journal();
    assert_eq!(other.cached([1; 32]).await.unwrap(), Some("first".into()));
    assert_eq!(other.cached([2; 32]).await.unwrap(), Some(Value::Null));
    assert_eq!(other.cached([3; 32]).await.unwrap(), None);
    journal.cache([1; 32], "second".into(), future).await.unwrap();
    assert_eq!(other.cached([1; 32]).await.unwrap(), Some("second".into()));
    // One that is fresh gives way to one that is not.
    journal.cache([1; 32], "third".into(), past).await.unwrap();
    assert_eq!(other.cached([1; 32]).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_stale_makes_way() {
    let place = Place::new();
    let journal = place.journal();
    for number in 0..100 {
        journal.cache([number; 32], "stale".into(), SystemTime::UNIX_EPOCH).await.unwrap();
    }
    journal.cache([200; 32], "fresh".into(), SystemTime::now() + HOUR).await.unwrap();
    let database = Connection::open(place.folder.join("runs.db")).unwrap();
    let left: i64 = database.query_row("SELECT count(*) FROM cache", (), |row| row.get(0)).unwrap();
    assert_eq!(left, 1);
}
