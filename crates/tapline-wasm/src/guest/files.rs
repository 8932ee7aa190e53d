use std::future::Future;
use std::sync::Arc;

use tapline_core::{CallError, EntryKind, FileChange, FolderEntry};
use wasmtime::Result;

use super::bindings::tapline::plugin::{files, types};
use super::{Guest, wire_failure};

impl Guest {
    /// Waits for the host, which costs the guest no time of its own.
    async fn waited<T>(
        &mut self,
        answer: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, types::Failure> {
        self.clock.pause();
        let answer = answer.await;
        self.clock.resume();
        answer.map_err(|error| wire_failure(&error.to_failure()))
    }

    async fn change(&mut self, path: &str, change: FileChange) -> Result<Result<(), types::Failure>> {
        let call = Arc::clone(self.call()?);
        Ok(self.waited(call.change_file(path, change)).await)
    }
}

impl files::Host for Guest {
    async fn read(&mut self, path: String) -> Result<Result<Vec<u8>, types::Failure>> {
        let call = Arc::clone(self.call()?);
        Ok(self.waited(call.read_file(&path)).await)
    }

    async fn write(&mut self, path: String, bytes: Vec<u8>) -> Result<Result<(), types::Failure>> {
        self.change(&path, FileChange::Write(bytes)).await
    }

    async fn append(&mut self, path: String, bytes: Vec<u8>) -> Result<Result<(), types::Failure>> {
        self.change(&path, FileChange::Append(bytes)).await
    }

    async fn list_folder(&mut self, path: String) -> Result<Result<Vec<files::Entry>, types::Failure>> {
        let call = Arc::clone(self.call()?);
        let listed = self.waited(call.list_folder(&path)).await;
        Ok(listed.map(|entries| entries.into_iter().map(entry).collect()))
    }

    async fn remove(&mut self, path: String) -> Result<Result<(), types::Failure>> {
        self.change(&path, FileChange::Remove).await
    }
}

fn entry(entry: FolderEntry) -> files::Entry {
    let kind = match entry.kind {
        EntryKind::File => files::Kind::File,
        EntryKind::Folder => files::Kind::Folder,
    };
    files::Entry { name: entry.name, kind, size: entry.size }
}
