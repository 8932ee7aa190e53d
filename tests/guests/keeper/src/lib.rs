//! A plugin that the tests have use files, the time and random numbers.

use std::time::{Duration, SystemTime};

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug, Default)]
pub struct Keeper;

/// A file, and what to put there.
#[derive(Debug, Deserialize)]
struct File {
    path: String,
    #[serde(default)]
    text: String,
    /// How often the text is put there.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

#[plugin(
    id = "keeper",
    requires = {
        fs = [
            { path = "scratch:", mode = "rw", max = "64KiB", why = "keeps what it is told" },
            { path = "data:", mode = "r", why = "reads what it is told" },
        ],
        clock = "coarse",
        random = true,
    },
)]
impl Keeper {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[method]
    async fn read(&self, context: &Context, file: File) -> Result<String> {
        let bytes = context.read_file(&file.path).await?;
        String::from_utf8(bytes).map_err(|error| Failure::new("not-text", error.to_string()))
    }

    #[method]
    async fn write(&self, context: &Context, file: File) -> Result<()> {
        context.write_file(&file.path, file.text.repeat(file.times)).await
    }

    #[method]
    async fn append(&self, context: &Context, file: File) -> Result<()> {
        context.append_file(&file.path, file.text.repeat(file.times)).await
    }

    #[method]
    async fn list(&self, context: &Context, file: File) -> Result<Vec<(String, u64)>> {
        let entries = context.list_folder(&file.path).await?;
        Ok(entries.into_iter().map(|entry| (entry.name, entry.size)).collect())
    }

    #[method]
    async fn remove(&self, context: &Context, file: File) -> Result<()> {
        context.remove_file(&file.path).await
    }

    /// The time since 1970 and since the load, in nanoseconds.
    #[method]
    async fn time(&self, context: &Context, _request: Value) -> Result<(u64, u64)> {
        let now = context.now()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok((nanoseconds(now), nanoseconds(context.elapsed()?)))
    }

    #[method]
    async fn random(&self, context: &Context, count: usize) -> Result<Vec<u8>> {
        context.random(count)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
