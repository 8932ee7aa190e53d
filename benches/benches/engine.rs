//! Runs of pipelines beside those of NeoGraph, LangGraph and Haystack: microseconds of processor time a run, all of them
//! on one core, and how many times as much a peer takes.
//!
//! A node reads the number before it and adds one, and a join adds up what all nodes before it have; every run is held to
//! the right answer. `cargo xtask bench engine` brings the peers; one that is not there is left out, and said to be.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::fmt::Write as _;
use std::path::Path;

use tapline::Value;
use tapline::pipeline::RunReport;
use tapline_benches::{
    Figure, Peer, Workload, catalog, checked, figure, keep_to_one_core, peers, processor_figure,
};
use tapline_pdk::prelude::*;

/// Each figure is measured in so many turns with those of the peers, and the lowest counts.
const TURNS: usize = 3;
/// Nanoseconds of a run from which on one turn has to do.
const LONG: f64 = 1e9;
/// A file may have 50,000 elements, and a node with a template has eight.
const CHECKED_NODES: usize = 10_000;

const KEPT_NODES: usize = 50;

/// What is run, and what we aim at.
#[derive(Clone, Copy)]
struct Row {
    work: Work,
    aim: &'static str,
}

#[derive(Clone, Copy)]
enum Work {
    /// So many nodes, each of which reads the one before it.
    Chain(usize),
    /// So many nodes beside each other, and one that reads all of them.
    Fan(usize),
    /// So many runs of a chain of three at once.
    Burst(usize),
}

const ROWS: [Row; 7] = [
    Row { work: Work::Chain(3), aim: "3 µs" },
    Row { work: Work::Chain(50), aim: "50 µs" },
    Row { work: Work::Chain(1000), aim: "linear" },
    Row { work: Work::Fan(5), aim: "" },
    Row { work: Work::Fan(100), aim: "150 µs" },
    Row { work: Work::Fan(1000), aim: "linear" },
    Row { work: Work::Burst(10_000), aim: "" },
];

/// Another engine, if it is there.
struct Other {
    name: &'static str,
    peer: Option<Peer>,
    /// What it was asked for and cannot do.
    lacks: Vec<String>,
}

/// The plugin whose nodes add numbers.
struct Numbers;

#[plugin(id = "numbers")]
impl Numbers {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "node", key = "increment")]
    async fn increment(&self, context: &Context) -> Result<Value> {
        let number = context.get("input.with.n")?.unwrap_or_default();
        Ok(Value::from_iter([("n", Value::from(integer(&number)? + 1))]))
    }

    #[provides(point = "node", key = "join")]
    async fn join(&self, context: &Context) -> Result<Value> {
        let all = context.get("input.with.all")?.unwrap_or_default();
        let sum = all.as_array().into_iter().flatten().map(integer).sum::<Result<i64>>()?;
        Ok(Value::from_iter([("n", Value::from(sum))]))
    }
}

fn integer(value: &Value) -> Result<i64> {
    value.as_i64().ok_or_else(|| Failure::new("no-number", format!("{value} is no integer")))
}

fn main() {
    match keep_to_one_core() {
        Some(core) => println!("everything runs on core {core}"),
        None => println!("nothing keeps it to one core here"),
    }
    let mut others = ["neograph", "langgraph", "haystack"].map(Other::start);
    print!("{:<24}{:>10}{:>8}", "µs of processor time", "ours", "spread");
    others.iter().for_each(|other| print!("{:>12}{:>9}", other.name, "ratio"));
    println!("  aim");
    ROWS.iter().for_each(|row| show(*row, &mut others));
    println!("\ncheck of a chain of {CHECKED_NODES} nodes: {:.0} ms", check().value / 1e6);
    show_journal();
}

/// Measures in turns, and prints the lowest of each.
fn show(row: Row, others: &mut [Other]) {
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); others.len()];
    for _ in 0..TURNS {
        ours.push(row.work.measure());
        for (other, figures) in others.iter_mut().zip(&mut theirs) {
            other.measure(row.work, figures);
        }
    }
    let ours = lowest(&ours).unwrap();
    print!("{:<24}{:>10.1}{:>8.1}", row.work.name(), ours.value / 1e3, ours.spread / 1e3);
    for theirs in &theirs {
        match lowest(theirs) {
            Some(theirs) => print!("{:>12.0}{:>8.1}x", theirs.value / 1e3, theirs.value / ours.value),
            None => print!("{:>12}{:>9}", "–", ""),
        }
    }
    println!("  {}", row.aim);
}

fn lowest(figures: &[Figure]) -> Option<Figure> {
    figures.iter().copied().min_by(|one, other| one.value.total_cmp(&other.value))
}

/// Reads and checks a pipeline, with all its templates.
fn check() -> Figure {
    let catalog = catalog(&tapline_pdk::native::<Numbers>());
    let pipeline = chain(CHECKED_NODES);
    figure(|| drop(checked(&catalog, &pipeline)))
}

/// What it costs a node that it is on the disk before the next begins.
fn show_journal() {
    let (pipeline, folder) = (chain(KEPT_NODES), tempfile::tempdir().unwrap());
    let plugin = tapline_pdk::native::<Numbers>;
    let (without, with) =
        (Workload::new(plugin(), &pipeline), Workload::kept(plugin(), &pipeline, folder.path()));
    let of_each = |figure: fn(&mut dyn FnMut()) -> Figure| {
        let [with, without] = [&with, &without].map(|workload| figure(&mut || drop(workload.run())).value);
        (with - without) / 1e3 / f64::from(u32::try_from(KEPT_NODES).unwrap())
    };
    let processor = of_each(|run| processor_figure(run));
    let elapsed = of_each(|run| figure(run));
    println!("the journal, for each of {KEPT_NODES} nodes in a row:");
    println!("{processor:.1} µs of processor time, {elapsed:.0} µs until it is on the disk");
}

impl Work {
    fn name(self) -> String {
        match self {
            Self::Chain(nodes) => format!("{nodes} in a row"),
            Self::Fan(nodes) => format!("{nodes} at once and a join"),
            Self::Burst(runs) => format!("one of {runs} runs of 3"),
        }
    }

    /// What a peer calls it.
    fn asked(self) -> String {
        match self {
            Self::Chain(nodes) => format!("chain {nodes}"),
            Self::Fan(nodes) => format!("fan {nodes}"),
            Self::Burst(runs) => format!("burst {runs}"),
        }
    }

    fn measure(self) -> Figure {
        let (pipeline, answer) = match self {
            Self::Chain(nodes) => (chain(nodes), nodes),
            Self::Fan(nodes) => (fan(nodes), nodes),
            Self::Burst(_) => (chain(3), 3),
        };
        let workload = Workload::new(tapline_pdk::native::<Numbers>(), &pipeline);
        let answer = Value::from(answer);
        let is_right = |report: &RunReport| report.outputs.as_ref().unwrap()["n"] == answer;
        match self {
            Self::Chain(_) | Self::Fan(_) => processor_figure(|| assert!(is_right(&workload.run()))),
            Self::Burst(runs) => {
                let all = processor_figure(|| assert!(workload.run_at_once(runs).iter().all(is_right)));
                let runs = f64::from(u32::try_from(runs).unwrap());
                Figure { value: all.value / runs, spread: all.spread / runs }
            }
        }
    }
}

fn chain(nodes: usize) -> String {
    let mut text = begun();
    for node in 1..nodes {
        increment(&mut text, node, &format!("n{}.n", node - 1));
    }
    ended(text, &format!("n{}", nodes - 1))
}

fn fan(nodes: usize) -> String {
    let mut text = begun();
    (1..nodes).for_each(|node| increment(&mut text, node, "inputs.n"));
    let all: Vec<_> = (0..nodes).map(|node| format!("'{{{{ n{node}.n }}}}'")).collect();
    let _ = writeln!(text, "  last: {{ type: join, with: {{ all: [{}] }} }}", all.join(", "));
    ended(text, "last")
}

/// A pipeline up to its first node.
fn begun() -> String {
    let mut text = "name: bench\ninputs: { n: { type: integer, default: 0 } }\nnodes:\n".to_owned();
    increment(&mut text, 0, "inputs.n");
    text
}

fn increment(text: &mut String, node: usize, before: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  n{node}: {{ type: increment, with: {{ n: '{{{{ {before} }}}}' }} }}");
}

fn ended(mut text: String, last: &str) -> String {
    let _ = writeln!(text, "outputs: {{ n: '{{{{ {last}.n }}}}' }}");
    text
}

impl Other {
    fn start(name: &'static str) -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/engines");
        let python = peers().join(name).join("bin/python");
        let peer = Peer::start(&python, Some(&scripts.join(format!("on_{name}.py"))));
        if peer.is_none() {
            println!("skipped: {name} is not there; `cargo xtask bench engine` brings it");
        }
        Self { name, peer, lacks: Vec::new() }
    }

    /// Adds a figure to those that there are, unless that takes too long, or cannot be done.
    fn measure(&mut self, work: Work, figures: &mut Vec<Figure>) {
        let Some(peer) = &mut self.peer else { return };
        let asked = work.asked();
        if self.lacks.contains(&asked) || figures.iter().any(|figure| figure.value > LONG) {
            return;
        }
        match peer.measure(&asked) {
            Ok(figure) => figures.push(figure),
            Err(why) => {
                println!("{} cannot do {}: {why}", self.name, work.name());
                self.lacks.push(asked);
            }
        }
    }
}
