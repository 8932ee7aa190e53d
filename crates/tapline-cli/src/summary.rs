use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;
use tapline::core::{Object, Request};
use tapline::host::PluginInfo;
use tapline::pipeline::{Definition, RunError, RunReport};
use tapline::{Host, PluginId, Value};

use crate::cost::cost;
use crate::output::{Output, redacted_json};

/// What a run leaves behind for whoever started it: outputs on standard output, all else on standard error.
pub(crate) struct Summary<'a> {
    name: &'a str,
    report: &'a RunReport,
    plugins: Vec<(PluginInfo, serde_json::Value)>,
    /// What plugins report of the run, by their keys.
    reports: Vec<(Arc<str>, Value)>,
}

/// The extension point of plugins that have something to say after a run.
const REPORT: &str = "report";
/// A table on the terminal is for looking at; longer outputs are shortened.
const ROWS: usize = 50;

impl<'a> Summary<'a> {
    pub(crate) async fn new(definition: &'a Definition, report: &'a RunReport, host: &Host) -> Self {
        let mut reports = Vec::new();
        for contribution in host.registry().contributions(REPORT) {
            let request = Request::new(REPORT, &contribution.key, "handle", Value::Null);
            match host.request(request).await {
                Ok(value) => reports.push((Arc::clone(&contribution.key), value)),
                Err(error) => tracing::warn!(plugin = %contribution.plugin, %error, "no report"),
            }
        }
        let plugins =
            host.plugins().into_iter().map(|plugin| (plugin.clone(), cost(host, &plugin))).collect();
        Self { name: &definition.name, report, plugins, reports }
    }

    /// What each plugin has cost.
    pub(crate) fn costs(&self) -> impl Iterator<Item = (&PluginId, &serde_json::Value)> {
        self.plugins.iter().map(|(plugin, cost)| (plugin.manifest.id(), cost))
    }

    /// For people.
    pub(crate) fn show(&self) {
        self.show_nodes();
        self.show_plugins();
        for (key, report) in &self.reports {
            show_report(key, report);
        }
        for (name, value) in self.report.outputs.iter().flatten() {
            show_output(name, value);
        }
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Result<String> {
        let nodes = self.report.nodes.iter().map(|node| {
            json!({
                "id": &*node.id, "type": &*node.kind, "plugin": &*node.plugin, "state": node.state.to_string(),
                "items": node.items, "milliseconds": milliseconds(node.took),
            })
        });
        let plugins = self.plugins.iter().map(|(plugin, cost)| {
            let about = &plugin.manifest.plugin;
            json!({
                "id": about.id, "version": about.version, "runtime": about.runtime, "calls": plugin.stats.calls(),
                "errors": plugin.stats.errors(), "milliseconds": milliseconds(plugin.stats.own_time()),
                "cost": cost,
            })
        });
        let reports: Object = self.reports.iter().cloned().collect();
        Ok(serde_json::to_string(&redacted_json(json!({
            "pipeline": self.name,
            "run": self.report.id,
            "outputs": self.report.outputs.as_ref().ok(),
            "error": self.report.outputs.as_ref().err().map(RunError::with_causes),
            "milliseconds": milliseconds(self.report.took),
            "nodes": nodes.collect::<Vec<_>>(),
            "plugins": plugins.collect::<Vec<_>>(),
            "reports": reports,
        })))?)
    }

    fn show_nodes(&self) {
        let mut table = table(["node", "type", "state", "items", "time"]);
        for node in &self.report.nodes {
            let items = node.items.map(|items| items.to_string()).unwrap_or_default();
            table.add_row([&*node.id, &*node.kind, &node.state.to_string(), &items, &time(node.took)]);
        }
        align_right(&mut table, &[3, 4]);
        let headline = format!("{}: {} in {}", self.name, self.outcome(), time(self.report.took));
        Output::Error.line(format_args!("\n{headline}\n{table}"));
    }

    fn show_plugins(&self) {
        let mut table = table(["plugin", "version", "runtime", "calls", "errors", "time"]);
        for (plugin, _) in &self.plugins {
            let (about, stats) = (&plugin.manifest.plugin, &plugin.stats);
            let (calls, errors) = (stats.calls().to_string(), stats.errors().to_string());
            let (version, runtime) = (about.version.to_string(), about.runtime.to_string());
            table.add_row([about.id.as_str(), &version, &runtime, &calls, &errors, &time(stats.own_time())]);
        }
        align_right(&mut table, &[3, 4, 5]);
        Output::Error.line(&table);
    }

    const fn outcome(&self) -> &'static str {
        if self.report.outputs.is_ok() { "done" } else { "failed" }
    }
}

/// A report that maps names to rows of numbers becomes a table.
fn show_report(key: &str, report: &Value) {
    let rows = report.as_object().into_iter().flatten().filter_map(|(name, row)| {
        let mut columns = Object::from_iter([(key.into(), Value::from(&**name))]);
        columns.extend(row.as_object()?.clone());
        Some(Value::from(columns))
    });
    let rows: Vec<_> = rows.collect();
    if let Some(table) = rows_table(&rows) {
        Output::Error.line(&table);
    }
}

/// A list of rows becomes a table, anything else is written as JSON.
fn show_output(name: &str, value: &Value) {
    let rows = value.get("items").unwrap_or(value).as_array();
    match rows.and_then(rows_table) {
        Some(table) => Output::Standard.line(format_args!("{name}\n{table}")),
        None => match value.as_str() {
            Some(text) => Output::Standard.line(format_args!("{name}: {text}")),
            None => Output::Standard.line(format_args!("{name}: {value}")),
        },
    }
}

fn rows_table(rows: &[Value]) -> Option<Table> {
    let columns: Vec<_> = rows.first()?.as_object()?.keys().cloned().collect();
    let mut table = table(columns.iter().map(|column| &**column));
    for row in rows.iter().take(ROWS) {
        let row = row.as_object()?;
        table.add_row(columns.iter().map(|column| row.get(column).map(cell).unwrap_or_default()));
    }
    if rows.len() > ROWS {
        table.add_row([format!("… and {} more", rows.len() - ROWS)]);
    }
    let numbers = columns.iter().enumerate().filter(|(_, column)| {
        rows.iter().all(|row| row.get(column).is_some_and(|value| value.as_number().is_some()))
    });
    let numbers: Vec<_> = numbers.map(|(place, _)| place).collect();
    align_right(&mut table, &numbers);
    Some(table)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.to_string(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        other => other.to_json(),
    }
}

pub(crate) fn table<'a>(columns: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.into_iter().collect::<Vec<_>>());
    table
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A time as people compare it.
pub(crate) fn time(time: Duration) -> String {
    match time.as_micros() {
        0..1_000 => format!("{} µs", time.as_micros()),
        1_000..10_000_000 => format!("{:.1} ms", milliseconds(time)),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
