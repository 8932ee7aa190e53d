//! A journal is opened, or what is in its place is refused.

use std::fs;
use std::thread;

use rusqlite::Connection;
use tapline_journal::{History, SqliteJournal};
use tapline_pipeline::JournalError;

use crate::support::{Place, begun, record};

#[track_caller]
fn check_refused(place: &Place, expected: &str) {
    let refusals = [SqliteJournal::open(&place.folder).err(), History::open(&place.folder).err()];
    for error in refusals {
        let Some(JournalError::Unusable { file, message }) = error else { panic!("{error:?}") };
        assert!(file.ends_with("runs.db"), "{file}");
        assert_eq!(&*message, expected);
    }
}

#[test]
fn a_newer_journal_is_refused() {
    let place = Place::new();
    drop(place.journal());
    let database = || Connection::open(place.folder.join("runs.db")).unwrap();
    database().pragma_update(None, "user_version", 2).unwrap();
    check_refused(&place, "it was made by a newer version (its tables have version 2, and 1 is known here)");
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let place = Place::new();
    fs::create_dir_all(&place.folder).unwrap();
    let file = place.folder.join("runs.db");
    let letter = "a letter ".repeat(1000);
    fs::write(&file, &letter).unwrap();
    check_refused(&place, "file is not a database");
    assert_eq!(fs::read_to_string(&file).unwrap(), letter);
    for sql in ["CREATE TABLE letters (text TEXT)", "PRAGMA application_id = 5"] {
        fs::remove_file(&file).unwrap();
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&file).unwrap();
        check_refused(&place, "it is a database of something else");
        assert_eq!(fs::read(&file).unwrap(), before);
    }
}

#[test]
fn a_place_where_no_folder_can_be_is_told() {
    let place = Place::new();
    fs::create_dir_all(place.folder.parent().unwrap()).unwrap();
    fs::write(&place.folder, "a letter").unwrap();
    assert!(matches!(SqliteJournal::open(&place.folder), Err(JournalError::Unusable { .. })));
}

#[test]
fn many_open_a_new_folder_at_the_same_time() {
    let place = Place::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let begin = || runtime().block_on(async { begun(&place.journal()).await.id().to_owned() });
    let ids = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let history = History::open(&place.folder).unwrap();
    for id in ids {
        assert_eq!(history.show(&id).unwrap().inputs, record().inputs);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let journal = place.journal();
    let _run = begun(&journal).await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut seen = Vec::new();
    for folder in [place.folder.clone(), place.folder.join("runs")] {
        assert_eq!(mode(&folder), 0o700);
        let files =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        seen.extend(files);
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert!(seen.iter().all(|file| mode(file) == 0o600), "{seen:?}");
}
