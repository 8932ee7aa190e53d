//! The time and random numbers, and what is not linked where it is not granted.

use std::sync::Arc;
use std::time::Duration;

use tapline::Load;
use tapline::core::{Caller, ClockGrant, Folder, FolderGrant, FolderMode, Grants, PluginId};

use crate::support::{allowing, keepers, told, told_by};

#[tokio::test]
async fn a01_files_the_time_and_random_numbers_are_linked_where_they_are_granted_and_nowhere_else() {
    let [sandboxed, _] = keepers();
    let all = Grants {
        fs: vec![FolderGrant::new(Folder::Scratch, FolderMode::ReadWrite)],
        clock: Some(ClockGrant::Coarse),
        random: true,
        ..Grants::default()
    };
    let without = [
        ("files", Grants { fs: Vec::new(), ..all.clone() }),
        ("clock", Grants { clock: None, ..all.clone() }),
        ("random", Grants { random: false, ..all.clone() }),
    ];
    for (interface, narrowed) in without {
        let error = allowing().build().load(sandboxed.clone().narrow(narrowed)).await.unwrap_err();
        let import = format!("tapline:plugin/{interface}@1.0.0");
        assert_eq!(
            error.to_string(),
            format!("plugin `keeper` imports `{import}`, which it was not granted")
        );
    }
    allowing().build().load(sandboxed.narrow(all)).await.unwrap();
}

async fn times(load: Load) -> Vec<(u64, u64)> {
    let host = allowing().build();
    host.load(load).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..20 {
        let told = told(&host, "time", "null").await.unwrap();
        let (now, elapsed) = told.trim_matches(['[', ']']).split_once(',').unwrap();
        times.push((now.parse().unwrap(), elapsed.parse().unwrap()));
    }
    times
}

#[tokio::test]
async fn a_coarse_clock_tells_tens_of_milliseconds_and_never_goes_back() {
    for load in keepers() {
        let times = times(load).await;
        let coarse = Duration::from_millis(10).as_nanos();
        assert!(
            times.iter().all(|(now, elapsed)| {
                u128::from(*now) % coarse == 0 && u128::from(*elapsed) % coarse == 0
            })
        );
        assert!(times.is_sorted() && times.is_sorted_by_key(|(_, elapsed)| *elapsed), "{times:?}");
        assert!(times[0].0 > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_since_the_load_begins_with_the_load() {
    let [_, native] = keepers();
    let host = allowing().build();
    tokio::time::advance(Duration::from_secs(60)).await;
    host.load(native).await.unwrap();
    tokio::time::advance(Duration::from_millis(25)).await;
    let told = told(&host, "time", "null").await.unwrap();
    assert!(told.ends_with(",20000000]"), "{told}");
}

#[tokio::test]
async fn random_bytes_are_as_many_as_asked_for_and_never_too_many() {
    for load in keepers() {
        let host = allowing().build();
        host.load(load).await.unwrap();
        let one = told(&host, "random", "32").await.unwrap();
        assert_eq!(one.split(',').count(), 32);
        assert_ne!(one, told(&host, "random", "32").await.unwrap());
        assert_eq!(told(&host, "random", "0").await.unwrap(), "[]");
        told(&host, "random", "65536").await.unwrap();
        assert_eq!(told(&host, "random", "65537").await, Err("too-large".into()));
    }
}

#[tokio::test]
async fn a_native_plugin_without_the_grant_is_denied_the_time_and_random_numbers() {
    let [_, native] = keepers();
    let host = allowing().build();
    host.load(native.narrow(Grants::default())).await.unwrap();
    assert_eq!(told(&host, "time", "null").await, Err("denied".into()));
    assert_eq!(told(&host, "random", "1").await, Err("denied".into()));
}

#[tokio::test]
async fn the_time_and_random_numbers_are_the_plugins_own_whoever_calls() {
    for load in keepers() {
        let host = allowing().build();
        host.load(load).await.unwrap();
        let caller = Caller { plugin: PluginId::new("low").unwrap(), grants: Arc::default() };
        told_by(&host, "time", "null", Some(caller.clone())).await.unwrap();
        told_by(&host, "random", "1", Some(caller)).await.unwrap();
    }
}
