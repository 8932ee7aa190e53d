//! The `tapline` command.

mod arguments;
mod author;
mod builtin;
mod candidates;
mod configured;
mod cost;
mod project;
mod check;
mod plan;
mod graph;
mod schema;
mod lock;
mod explain;
mod run;
mod events;
mod history;
mod serve;
mod remote;
mod test;
mod sandbox;
mod walls;
mod init;
mod plugin;
mod why;
mod grants;
mod reference;
mod pack;
mod install;
mod mcp;
mod remove;
mod verify;
mod audit;
mod results;
mod progress;
mod summary;
mod output;
mod diagnostics;
mod doctor;
mod error;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, McpVerb, PluginVerb, Verb};
use diagnostics::Colour;
use output::Output;

/// How a command ended, as its exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what was asked.
    Done,
    /// It failed after it began.
    Failed,
    /// The input was wrong, and nothing began.
    Refused,
    /// It was interrupted.
    Interrupted,
}

fn main() -> ExitCode {
    if let Some(ending) = walls::confined() {
        return ending;
    }
    let arguments = Arguments::parse();
    log(arguments.verbose);
    let ending = match arguments.verb {
        Verb::Run(arguments) => run::run(arguments),
        Verb::Resume(arguments) => run::resume(arguments),
        Verb::Runs(verb) => history::runs(&verb),
        Verb::Serve(arguments) => serve::serve(&arguments),
        Verb::Check(arguments) => check::check(&arguments),
        Verb::Test(arguments) => test::test(&arguments),
        Verb::Plan(arguments) => plan::plan(&arguments),
        Verb::Graph(arguments) => graph::graph(&arguments),
        Verb::Schema(arguments) => schema::schema(&arguments),
        Verb::Lock(arguments) => lock::lock(&arguments),
        Verb::Explain(arguments) => explain::explain(&arguments),
        Verb::Init(arguments) => init::init(&arguments),
        Verb::Compile => return tapline::wasm::compile_in_jail(),
        Verb::Reference => reference::reference(),
        Verb::Mcp(McpVerb::Add(arguments)) => mcp::add(&arguments),
        Verb::Mcp(McpVerb::Update(arguments)) => mcp::update(&arguments),
        Verb::Plugin(PluginVerb::List(arguments)) => plugin::list(&arguments),
        Verb::Plugin(PluginVerb::Info(arguments)) => plugin::info(&arguments),
        Verb::Plugin(PluginVerb::Grants(arguments)) => grants::grants(&arguments),
        Verb::Plugin(PluginVerb::Why(arguments)) => why::why(&arguments),
        Verb::Plugin(PluginVerb::New(arguments)) => author::new(&arguments),
        Verb::Plugin(PluginVerb::Build(arguments)) => author::build(&arguments),
        Verb::Plugin(PluginVerb::Test(arguments)) => author::test(&arguments),
        Verb::Plugin(PluginVerb::Dev(arguments)) => author::dev(&arguments),
        Verb::Plugin(PluginVerb::Pack(arguments)) => pack::pack(&arguments),
        Verb::Plugin(PluginVerb::Install(arguments)) => install::install(&arguments),
        Verb::Plugin(PluginVerb::Remove(arguments)) => remove::remove(&arguments),
        Verb::Plugin(PluginVerb::Verify(arguments)) => verify::verify(&arguments),
        Verb::Plugin(PluginVerb::Load(arguments)) => remote::load(&arguments),
        Verb::Plugin(PluginVerb::Unload(arguments)) => remote::unload(&arguments),
        Verb::Plugin(PluginVerb::Reload(arguments)) => remote::reload(&arguments),
        Verb::Plugin(PluginVerb::Swap(arguments)) => remote::swap(&arguments),
        Verb::Plugin(PluginVerb::Doctor(arguments)) => doctor::doctor(&arguments),
    };
    let ending = ending.unwrap_or_else(|error| {
        error::show(&error);
        Ending::Refused
    });
    ending.into()
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Done => 0,
            Ending::Failed => 1,
            Ending::Refused => 2,
            Ending::Interrupted => 130,
        })
    }
}

/// Colour, where a person looks on.
pub(crate) fn colour() -> Colour {
    #[expect(clippy::disallowed_methods, reason = "this is the command")]
    let refused = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !refused { Colour::On } else { Colour::Off }
}

/// Sends the log, plugins' lines included, to the terminal.
fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "warn,tapline=info",
        _ => "warn,tapline=debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(Output::Error)
        .with_ansi(colour() == Colour::On)
        .without_time()
        .init();
}
