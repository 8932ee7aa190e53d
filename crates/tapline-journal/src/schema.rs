use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tapline_pipeline::JournalError;

use crate::claim::Turn;
use crate::folder::Folder;

/// Says of a file that it is a journal: `tapl`.
const APPLICATION: i32 = 0x7461_706c;
/// The version of the tables; a change of them is a new version.
const VERSION: i32 = 1;
const TABLES: &str = include_str!("schema.sql");
/// So long a transaction waits for those of other processes.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Opens the database of a folder that was [made](Folder::make).
pub(crate) fn open(folder: &Folder) -> Result<Connection, JournalError> {
    // Two processes may find it empty.
    let _turn = Turn::wait(folder)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sqlite = |error| folder.sqlite(&error);
    let mut connection = Connection::open_with_flags(folder.database(), flags).map_err(sqlite)?;
    connection.busy_timeout(LONGEST_WAIT).map_err(sqlite)?;
    let is_empty = match found(&connection).map_err(sqlite)? {
        Found::Journal => false,
        Found::Nothing => true,
        Found::Newer(version) => {
            return Err(folder.unusable(format_args!(
                "it was made by a newer version (its tables have version {version}, and {VERSION} is known here)"
            )));
        }
        Found::Else => return Err(folder.unusable("it is a database of something else")),
    };
    set_up(&mut connection, is_empty).map_err(sqlite)?;
    Ok(connection)
}

/// A journal of which nothing is kept.
pub(crate) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

enum Found {
    Journal,
    Nothing,
    Newer(i32),
    Else,
}

fn found(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| connection.query_row(sql, (), |row| row.get::<_, i32>(0));
    let version = number("PRAGMA user_version")?;
    let is_empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    Ok(match number("PRAGMA application_id")? {
        APPLICATION if version == VERSION => Found::Journal,
        APPLICATION if version > VERSION => Found::Newer(version),
        0 if version == 0 && is_empty => Found::Nothing,
        _ => Found::Else,
    })
}

fn set_up(connection: &mut Connection, is_empty: bool) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;")?;
    if is_empty {
        // Only an empty database can be told; what is pruned is given back to the disk.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // On macOS the disk has something only when it is asked in another way.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
    )?;
    if is_empty {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    Ok(())
}
