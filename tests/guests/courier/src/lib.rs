//! A plugin that makes the requests over http that the tests tell it to.

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct Courier;

/// A request, and what is to be done with its answer.
#[derive(Debug, Deserialize)]
struct Errand {
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: Option<Value>,
    /// Reads so many pieces and no more; the whole answer without it.
    #[serde(default)]
    pieces: Option<usize>,
    /// Opens the answer so many times.
    #[serde(default)]
    open: usize,
    #[serde(default)]
    limit: Option<u64>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Delivery {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

#[plugin(
    id = "courier",
    requires = {
        http = [
            { hosts = ["${config:base_url}"], methods = ["GET", "POST"], paths = ["/*"], private = true, why = "what the tests ask" },
            { hosts = ["${config:other_url}"], methods = ["GET"], paths = ["/*"], private = true, why = "the other server" },
        ],
        secrets = [{ name = "key", header = "Authorization", hosts = ["${config:base_url}"], why = "to be known there" }],
    },
)]
impl Courier {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "errand", key = "run")]
    async fn run(&self, context: &Context, errand: Errand) -> Result<Value> {
        let mut held = Vec::new();
        for _ in 0..errand.open {
            held.push(context.http_stream(request(&errand)?).await?);
        }
        let delivery = match errand.pieces {
            Some(pieces) => in_pieces(context, request(&errand)?, pieces).await?,
            None => {
                let answer = context.http(request(&errand)?).await?;
                let body = answer.text().into_owned();
                Delivery { status: answer.status, headers: answer.headers, body }
            }
        };
        context.log(Level::Info, &format!("{delivery:?}"));
        Value::from_serialize(&delivery).map_err(|error| Failure::from_error("wrong-type", error))
    }
}

fn request(errand: &Errand) -> Result<HttpRequest> {
    let mut request = match &errand.body {
        Some(body) => HttpRequest::post(&errand.url).json(body)?,
        None => HttpRequest::get(&errand.url),
    };
    request.limit = errand.limit;
    Ok(errand.headers.iter().fold(request, |request, (name, value)| request.header(name, value)))
}

async fn in_pieces(context: &Context, request: HttpRequest, pieces: usize) -> Result<Delivery> {
    let mut stream = context.http_stream(request).await?;
    let mut body = Vec::new();
    for _ in 0..pieces {
        let Some(piece) = stream.chunk().await? else { break };
        body.extend(piece);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Delivery { status: stream.status, headers: stream.headers.clone(), body })
}
