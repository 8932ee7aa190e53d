//! Operations on 100,000 rows beside jq, gojq and polars: milliseconds, everything on one core, in one run.
//!
//! In memory, the rows are there before and the result is there after: as values here, as a data frame in polars. With
//! files, the rows are read from a file of JSON and the result is written to one, by every tool; jq and gojq are
//! processes of their own, whose start is counted, and have nothing in memory. The lowest of some turns counts.
//! `cargo xtask bench transform` brings polars, `cargo xtask setup --install` the others.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use tapline::Value;
use tapline_benches::{Peer, keep_to_one_core, peers};
use tapline_pdk::Object;
use tapline_plugin_transform::{OpError, filter, join, jq, map, reduce, sort};

const ROWS: u64 = 100_000;
const OTHERS: u64 = 10_000;
const TURNS: usize = 5;
/// So many turns of what takes seconds.
const LONG_TURNS: usize = 3;

type Run = fn(&Value) -> Result<Value, OpError>;

/// What is done, here and in the language of jq.
struct Work {
    name: &'static str,
    run: Run,
    program: &'static str,
    /// Whether the rows are joined with the others.
    joins: bool,
}

const WORKS: [Work; 3] = [
    Work {
        name: "filter, sort and map",
        run: filter_sort_map,
        program: "map(select(.amount > 500)) | sort_by(.amount, .id) | map({id, total: (.amount * .price)})",
        joins: false,
    },
    Work {
        name: "group and aggregate",
        run: group,
        program: "group_by(.kind) | map({kind: .[0].kind, count: length, total: (map(.price) | add),
            least: (map(.amount) | min), mean: ((map(.amount) | add) / length)})",
        joins: false,
    },
    Work {
        name: "join",
        run: joined,
        program: "(.right | INDEX(.key)) as $right | .left | map($right[.key | tostring] as $other
            | select($other) | . + {note: $other.note})",
        joins: true,
    },
];

fn main() {
    match keep_to_one_core() {
        Some(core) => println!("everything runs on core {core}"),
        None => println!("nothing keeps it to one core here"),
    }
    let folder = tempfile::tempdir().unwrap();
    let (left, right) = (rows(), others());
    let both: Value = [("left", left.clone()), ("right", right)].into_iter().collect();
    let files = [("rows.json", &left), ("both.json", &both)];
    files.iter().for_each(|(name, value)| fs::write(folder.path().join(name), value.to_json()).unwrap());
    let mut polars = polars(folder.path());
    println!(
        "{:<32}{:>10}{:>10}{:>10}{:>22}{:>22}",
        "ms", "ours", "polars", "jq node", "jq (ratio)", "gojq (ratio)"
    );
    for work in &WORKS {
        in_memory(work, if work.joins { &both } else { &left }, &mut polars);
        with_files(work, folder.path(), &mut polars);
    }
}

fn in_memory(work: &Work, input: &Value, polars: &mut Option<Peer>) {
    let ours = lowest(TURNS, || drop((work.run)(input).unwrap()));
    let config: Value = [("filter", work.program.into()), ("value", input.clone())].into_iter().collect();
    let scope = Object::new();
    let bounded =
        jq::run(&config, &scope).map(|_| lowest(LONG_TURNS, || drop(jq::run(&config, &scope).unwrap())));
    let program = bounded.inspect_err(|error| println!("the jq node cannot: {error}")).ok();
    let frame = asked(polars, work, "memory");
    println!("{:<32}{ours:>10.1}{}{}", format!("{}, in memory", work.name), column(frame), column(program));
}

fn with_files(work: &Work, folder: &Path, polars: &mut Option<Peer>) {
    let path = folder.join(if work.joins { "both.json" } else { "rows.json" });
    let output = folder.join("output.json");
    let ours = lowest(LONG_TURNS, || {
        let input = Value::from_json(&fs::read_to_string(&path).unwrap()).unwrap();
        let done = (work.run)(&input).unwrap();
        fs::write(&output, done.get("items").unwrap().to_json()).unwrap();
    });
    let frame = asked(polars, work, "files");
    let tools = ["jq", "gojq"].map(|tool| process(tool, work.program, &path, &output));
    let tools = tools.map(|took| match took {
        Some(took) => format!("{:>22}", format!("{took:.0} ({:.1}x)", took / ours)),
        None => format!("{:>22}", "–"),
    });
    println!("{:<32}{ours:>10.1}{}{:>10}{}", "  from file to file", column(frame), "", tools.concat());
}

fn column(figure: Option<f64>) -> String {
    figure.map_or_else(|| format!("{:>10}", "–"), |figure| format!("{figure:>10.1}"))
}

/// Milliseconds of the fastest of some turns.
fn lowest(turns: usize, mut work: impl FnMut()) -> f64 {
    let mut took = || {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64() * 1e3
    };
    (0..turns).map(|_| took()).fold(f64::INFINITY, f64::min)
}

/// Milliseconds of a process from its start to its end, if there is such a program.
fn process(tool: &str, program: &str, input: &Path, output: &Path) -> Option<f64> {
    let run = || {
        #[expect(clippy::disallowed_methods, reason = "it is what we are compared with")]
        let mut command = Command::new(tool);
        command.args(["--compact-output", program]).arg(input).stdin(Stdio::null());
        command.stdout(File::create(output).unwrap()).status().ok().map(|status| assert!(status.success()))
    };
    run()?;
    Some(lowest(LONG_TURNS, || run().unwrap_or_default()))
}

fn polars(folder: &Path) -> Option<Peer> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/on_polars.py");
    let python: PathBuf = peers().join("dataframes/bin/python");
    let mut peer = Peer::start(&python, Some(&script));
    match &mut peer {
        Some(peer) => drop(peer.measure(&format!("folder {}", folder.display()))),
        None => println!("skipped: polars is not there; `cargo xtask bench transform` brings it"),
    }
    peer
}

fn asked(polars: &mut Option<Peer>, work: &Work, how: &str) -> Option<f64> {
    let word = work.name.split([',', ' ']).next().unwrap_or_default();
    Some(polars.as_mut()?.measure(&format!("{word} {how}")).unwrap().value / 1e6)
}

fn rows() -> Value {
    let row = |id: u64| -> Value {
        let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        [
            ("id", id.into()),
            ("key", (mixed % (OTHERS * 2)).into()),
            ("kind", format!("kind {}", mixed % 50).into()),
            ("amount", (mixed % 1000).into()),
            ("price", (f64::from(u32::try_from(mixed % 400).unwrap()) / 4.0).into()),
            ("text", format!("the text of row {id}").into()),
        ]
        .into_iter()
        .collect()
    };
    (0..ROWS).map(row).collect()
}

fn others() -> Value {
    let row = |key: u64| -> Value {
        [("key", key.into()), ("note", format!("note {key}").into())].into_iter().collect()
    };
    (0..OTHERS).map(row).collect()
}

/// A configuration with these rows.
fn with(text: &str, field: &str, rows: &Value) -> Value {
    let mut config = Value::from_json(text).unwrap();
    config.set_at(field, rows.clone()).unwrap();
    config
}

fn filter_sort_map(rows: &Value) -> Result<Value, OpError> {
    let scope = Object::new();
    let kept = filter::run(&with(r#"{"where": "item.amount > 500"}"#, "items", rows), &scope)?;
    let by = r#"{"by": ["amount", "id"]}"#;
    let sorted = sort::run(&with(by, "items", kept.get("items").unwrap()), &scope)?;
    let expr = r#"{"expr": "{'id': item.id, 'total': item.amount * item.price}"}"#;
    map::run(&with(expr, "items", sorted.get("items").unwrap()), &scope)
}

fn group(rows: &Value) -> Result<Value, OpError> {
    let config = r#"{"group_by": "kind", "count": true, "aggregates": {"total": {"sum": "item.price"},
        "least": {"min": "item.amount"}, "mean": {"mean": "item.amount"}}}"#;
    reduce::run(&with(config, "items", rows), &Object::new())
}

fn joined(both: &Value) -> Result<Value, OpError> {
    let mut config = with(r#"{"on": "key"}"#, "left", both.get("left").unwrap());
    config.set_at("right", both.get("right").unwrap().clone()).unwrap();
    join::run(&config, &Object::new())
}
