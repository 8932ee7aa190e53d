#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tapline_core::{Bytes, EntryKind, FolderGrant, FolderMode};

use super::*;

/// A plugin with both folders, and where they lie.
struct Bench {
    files: PluginFiles,
    scratch: TempDir,
    data: TempDir,
    outside: TempDir,
}

impl Bench {
    fn new(max: u64) -> Self {
        let [scratch, data, outside] = std::array::from_fn(|_| TempDir::new().unwrap());
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let places = Places { scratch: Some(scratch.path().into()), data: Some(data.path().into()) };
        let fs =
            [Folder::Scratch, Folder::Data].map(|folder| FolderGrant::new(folder, FolderMode::ReadWrite));
        let grants = Grants { fs: fs.map(|grant| grant.max(Bytes(max))).into(), ..Grants::default() };
        Self { files: PluginFiles::new(PluginId::new("p").unwrap(), places, &grants), scratch, data, outside }
    }

    /// Where the plugin's own folder lies.
    fn own(&self) -> PathBuf {
        let own = self.scratch.path().join("p");
        fs::create_dir_all(&own).unwrap();
        own
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files.read(path.parse().unwrap()).await.map_err(code)
    }

    async fn write(&self, path: &str, length: usize) -> Result<(), String> {
        self.change(path, FileChange::Write(vec![1; length])).await
    }

    async fn append(&self, path: &str, length: usize) -> Result<(), String> {
        self.change(path, FileChange::Append(vec![2; length])).await
    }

    async fn remove(&self, path: &str) -> Result<(), String> {
        self.change(path, FileChange::Remove).await
    }

    async fn change(&self, path: &str, change: FileChange) -> Result<(), String> {
        self.files.change(path.parse().unwrap(), change).await.map_err(code)
    }

    async fn list(&self, path: &str) -> Result<Vec<(String, EntryKind, u64)>, String> {
        let listed = self.files.list(path.parse().unwrap()).await.map_err(code)?;
        Ok(listed.into_iter().map(|entry| (entry.name, entry.kind, entry.size)).collect())
    }
}

fn code(error: FileError) -> String {
    match error {
        FileError::Outside => "outside".into(),
        FileError::Failed(failure) => failure.code().into(),
    }
}

fn refused<T>(code: &str) -> Result<T, String> {
    Err(code.into())
}

fn entry(name: &str, kind: EntryKind, size: u64) -> (String, EntryKind, u64) {
    (name.into(), kind, size)
}

#[tokio::test]
async fn what_is_written_is_read_listed_and_removed() {
    let bench = Bench::new(1 << 20);
    for folder in ["scratch:", "data:"] {
        let path = |rest: &str| format!("{folder}/{rest}");
        bench.write(&path("a/b.txt"), 3).await.unwrap();
        bench.append(&path("a/b.txt"), 1).await.unwrap();
        bench.append(&path("c/d.txt"), 2).await.unwrap();
        assert_eq!(bench.read(&path("a/b.txt")).await.unwrap(), [1, 1, 1, 2]);
        assert_eq!(bench.list(&path("a")).await.unwrap(), [entry("b.txt", EntryKind::File, 4)]);
        let folders = [entry("a", EntryKind::Folder, 0), entry("c", EntryKind::Folder, 0)];
        assert_eq!(bench.list(folder).await.unwrap(), folders);
        assert_eq!(bench.remove(&path("a")).await, refused("not-empty"));
        bench.remove(&path("a/b.txt")).await.unwrap();
        bench.remove(&path("a")).await.unwrap();
        assert_eq!(bench.read(&path("a/b.txt")).await, refused("no-such-file"));
    }
    assert!(bench.data.path().join("c/d.txt").exists() && bench.own().join("c/d.txt").exists());
}

#[tokio::test]
async fn a28_a_link_out_of_the_folder_is_never_followed_whenever_it_is_put_there() {
    let bench = Bench::new(1 << 20);
    bench.write("scratch:/a.txt", 1).await.unwrap();
    let (own, outside) = (bench.own(), bench.outside.path());
    symlink("/etc", own.join("link")).unwrap();
    symlink(outside.join("secret"), own.join("file")).unwrap();
    symlink(Path::new("../../").join(outside.file_name().unwrap()), own.join("relative")).unwrap();
    for path in ["link/passwd", "file", "relative/secret"] {
        let path = format!("scratch:/{path}");
        assert_eq!(bench.read(&path).await, refused("outside"), "{path}");
        assert_eq!(bench.append(&path, 1).await, refused("outside"), "{path}");
    }
    for path in ["scratch:/link/new", "scratch:/relative/new", "scratch:/relative/deep/new"] {
        assert_eq!(bench.write(path, 1).await, refused("outside"), "{path}");
        assert_eq!(bench.remove(path).await, refused("outside"), "{path}");
    }
    assert_eq!(bench.list("scratch:/link").await, refused("outside"));
    // A link itself is replaced or removed, and what it names stays as it is.
    bench.write("scratch:/file", 1).await.unwrap();
    bench.remove("scratch:/link").await.unwrap();
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
}

#[tokio::test]
async fn a28_a_link_in_the_place_of_the_folder_itself_is_not_followed() {
    let bench = Bench::new(1 << 20);
    symlink(bench.outside.path(), bench.scratch.path().join("p")).unwrap();
    assert_eq!(bench.read("scratch:/secret").await, refused("no-such-folder"));
    assert_eq!(bench.write("scratch:/new", 1).await, refused("no-such-folder"));
}

#[tokio::test]
async fn a_link_within_the_folder_is_followed() {
    let bench = Bench::new(1 << 20);
    bench.write("scratch:/a.txt", 2).await.unwrap();
    symlink("a.txt", bench.own().join("b.txt")).unwrap();
    assert_eq!(bench.read("scratch:/b.txt").await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_regular_file_is_refused_and_nobody_waits_for_its_other_end() {
    let bench = Bench::new(1 << 20);
    fs::create_dir(bench.own().join("folder")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, bench.own().join("fifo"), fifo, 0o600.into(), 0).unwrap();
    for path in ["scratch:/fifo", "scratch:/folder", "scratch:"] {
        assert_eq!(bench.read(path).await, refused("not-a-file"), "{path}");
        assert_eq!(bench.write(path, 1).await, refused("not-a-file"), "{path}");
        assert_eq!(bench.append(path, 1).await, refused("not-a-file"), "{path}");
    }
    assert_eq!(bench.remove("scratch:/fifo").await, refused("not-a-file"));
    assert_eq!(bench.list("scratch:").await.unwrap(), [entry("folder", EntryKind::Folder, 0)]);
}

#[tokio::test]
async fn a_plugin_holds_no_more_than_its_max_in_all_however_it_writes() {
    let bench = Bench::new(4 * 4096);
    bench.write("scratch:/a", 3 * 4096).await.unwrap();
    assert_eq!(bench.write("scratch:/b", 4097).await, refused("no-space"));
    assert_eq!(bench.append("scratch:/b", 4097).await, refused("no-space"));
    // A file in a folder takes the place of two.
    assert_eq!(bench.write("scratch:/f/b", 1).await, refused("no-space"));
    assert!(!bench.own().join("f").exists());
    bench.write("scratch:/b", 4096).await.unwrap();
    assert_eq!(bench.append("scratch:/b", 1).await, refused("no-space"));
    assert_eq!(bench.write("scratch:/empty", 0).await, refused("no-space"));
    // What is replaced makes room, and so does what is removed.
    bench.write("scratch:/a", 4096).await.unwrap();
    bench.write("scratch:/c", 2 * 4096).await.unwrap();
    bench.remove("scratch:/b").await.unwrap();
    bench.append("scratch:/a", 4096).await.unwrap();
    assert_eq!(bench.read("scratch:/a").await.unwrap().len(), 2 * 4096);
    // The pipeline's folder is not the plugin's.
    bench.write("data:/large", 5 * 4096).await.unwrap();
}

#[tokio::test]
async fn what_lay_in_the_folder_before_is_counted() {
    let bench = Bench::new(2 * 4096);
    fs::create_dir(bench.own().join("deep")).unwrap();
    fs::write(bench.own().join("deep/old"), "old").unwrap();
    assert_eq!(bench.write("scratch:/new", 1).await, refused("no-space"));
    bench.remove("scratch:/deep/old").await.unwrap();
    bench.write("scratch:/new", 1).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_and_a_folder_with_too_many_entries_is_not_listed() {
    let bench = Bench::new(1 << 30);
    let large = fs::File::create(bench.data.path().join("large")).unwrap();
    large.set_len((16 << 20) + 1).unwrap();
    assert_eq!(bench.read("data:/large").await, refused("too-large"));
    assert_eq!(bench.write("data:/larger", (16 << 20) + 1).await, refused("too-large"));
    large.set_len(16 << 20).unwrap();
    assert_eq!(bench.read("data:/large").await.unwrap().len(), 16 << 20);
    let many = bench.data.path().join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..=10_000 {
        fs::File::create(many.join(number.to_string())).unwrap();
    }
    assert_eq!(bench.list("data:/many").await, refused("too-large"));
}

#[tokio::test]
async fn a_temporary_folder_goes_with_its_plugin_and_a_folder_that_nobody_named_is_not_there() {
    let grants =
        Grants { fs: vec![FolderGrant::new(Folder::Scratch, FolderMode::ReadWrite)], ..Grants::default() };
    let files = PluginFiles::new(PluginId::new("p").unwrap(), Places::default(), &grants);
    files.change("scratch:/a".parse().unwrap(), FileChange::Write(b"x".to_vec())).await.unwrap();
    let place = files.0.lock().await.temporary.as_ref().unwrap().path().to_owned();
    assert!(place.join("a").exists());
    drop(files);
    assert!(!place.exists());
    let files = PluginFiles::new(PluginId::new("p").unwrap(), Places::default(), &grants);
    let error = files.read("data:/a".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no folder `data:` here");
}
