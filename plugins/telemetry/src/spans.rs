//! What stands in each kind of span.

use std::time::SystemTime;

use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Array, Context as TraceContext, KeyValue, StringValue, Value as Attribute};
use tapline_pdk::prelude::Value;
use tapline_pdk::roles::{NodeInfo, RunInfo, StepInfo};

use crate::model::{self, Answered, Asked, Content};
use crate::names::{CHAT, EMBEDDINGS, EXECUTE_TOOL, INVOKE_WORKFLOW, RETRIEVAL, conventions, own};
use crate::observed::End;
use crate::told::Told;

/// So much of a name that a plugin tells is kept, in bytes.
const LONGEST_NAME: usize = 256;
/// So many attributes of a span that a plugin tells are kept.
const MOST_ATTRIBUTES: usize = 32;
/// So much of each of them, in bytes.
const LONGEST_ATTRIBUTE: usize = 1 << 10;

/// The span of a whole run.
pub(crate) fn run(run: &RunInfo) -> SpanBuilder {
    let mut attributes = vec![KeyValue::new(own::PIPELINE, run.pipeline.clone())];
    attributes.extend(run.run.clone().map(|id| KeyValue::new(own::RUN, id)));
    named(format!("run {}", run.pipeline), SpanKind::Internal, attributes)
}

/// The span of one execution of a node.
pub(crate) fn node(node: &NodeInfo, step: Option<&StepInfo>) -> SpanBuilder {
    let mut attributes = vec![
        KeyValue::new(own::NODE, node.id.clone()),
        KeyValue::new(own::NODE_TYPE, node.node_type.clone()),
    ];
    if let Some(step) = step {
        attributes.push(KeyValue::new(own::PLUGIN, step.plugin.clone()));
        attributes.push(KeyValue::new(own::PATH, step.path.clone()));
        attributes.push(KeyValue::new(own::ATTEMPT, i64::try_from(step.attempt).unwrap_or(i64::MAX)));
    }
    named(format!("node {}", node.id), SpanKind::Internal, attributes)
}

/// The span of one request to a model.
pub(crate) fn request(asked: &Asked) -> SpanBuilder {
    let mut attributes = vec![
        KeyValue::new(conventions::OPERATION_NAME, asked.operation.clone()),
        KeyValue::new(conventions::PROVIDER_NAME, asked.provider.clone()),
    ];
    attributes.extend(asked.model.clone().map(|model| KeyValue::new(conventions::REQUEST_MODEL, model)));
    attributes.extend(
        asked.input_messages.clone().map(|messages| KeyValue::new(conventions::INPUT_MESSAGES, messages)),
    );
    attributes
        .extend(asked.instructions.clone().map(|text| KeyValue::new(conventions::SYSTEM_INSTRUCTIONS, text)));
    let name = match &asked.model {
        Some(model) => format!("{} {model}", asked.operation),
        None => asked.operation.clone(),
    };
    named(name, SpanKind::Client, attributes)
}

/// The span of what a plugin has done, which stands there under the plugin's own name.
pub(crate) fn told(told: &Told, plugin: &str, content: Content) -> SpanBuilder {
    let operation = told.operation.as_deref().map(|operation| model::cut(operation, LONGEST_NAME));
    let subject = model::cut(told.model.as_ref().unwrap_or(&told.name), LONGEST_NAME);
    let (name, kind) = match &*operation.clone().unwrap_or_default() {
        "" => (model::cut(&told.name, LONGEST_NAME), SpanKind::Internal),
        operation @ (CHAT | EMBEDDINGS) => (format!("{operation} {subject}"), SpanKind::Client),
        operation => (format!("{operation} {subject}"), SpanKind::Internal),
    };
    let text = |name: &'static str, value: Option<&String>| {
        value.map(|value| KeyValue::new(name, model::cut(value, LONGEST_NAME)))
    };
    let mut attributes = vec![KeyValue::new(own::TOLD_BY, plugin.to_owned())];
    attributes.extend(text(conventions::PROVIDER_NAME, told.provider.as_ref()));
    attributes.extend(text(conventions::REQUEST_MODEL, told.model.as_ref()));
    attributes.extend(text(conventions::OPERATION_NAME, operation.as_ref()));
    attributes.extend(match operation.as_deref() {
        Some(EXECUTE_TOOL) => text(conventions::TOOL_NAME, Some(&told.name)),
        Some(INVOKE_WORKFLOW) => text(conventions::WORKFLOW_NAME, Some(&told.name)),
        _ => None,
    });
    attributes.extend(told.attributes.iter().take(MOST_ATTRIBUTES).map(|(key, value)| {
        let key = format!("{plugin}.{}", model::cut(key, LONGEST_NAME));
        KeyValue::new(key, attribute(value))
    }));
    if content == Content::Captured {
        attributes.extend(told.input.as_ref().map(|input| given(operation.as_deref(), plugin, input)));
        attributes.extend(told.output.as_ref().map(|output| answer(operation.as_deref(), plugin, output)));
    }
    named(name, kind, attributes)
}

/// What was given to something, under the name that it has there.
fn given(operation: Option<&str>, plugin: &str, input: &Value) -> KeyValue {
    match operation {
        Some(CHAT) => KeyValue::new(conventions::INPUT_MESSAGES, model::said("user", input)),
        Some(EXECUTE_TOOL) => KeyValue::new(conventions::TOOL_ARGUMENTS, model::content(input)),
        Some(RETRIEVAL) => KeyValue::new(conventions::RETRIEVAL_QUERY, model::content(input)),
        _ => KeyValue::new(format!("{plugin}.input"), model::content(input)),
    }
}

/// What has come of something, under the name that it has there.
fn answer(operation: Option<&str>, plugin: &str, output: &Value) -> KeyValue {
    match operation {
        Some(CHAT) => KeyValue::new(conventions::OUTPUT_MESSAGES, model::said("assistant", output)),
        Some(EXECUTE_TOOL) => KeyValue::new(conventions::TOOL_RESULT, model::content(output)),
        _ => KeyValue::new(format!("{plugin}.output"), model::content(output)),
    }
}

fn attribute(value: &Value) -> Attribute {
    if let Some(value) = value.as_bool() {
        return value.into();
    }
    if let Some(number) = value.as_i64() {
        return number.into();
    }
    if let Some(number) = value.as_f64() {
        return number.into();
    }
    model::cut(&model::text_of(value), LONGEST_ATTRIBUTE).into()
}

/// Puts what a model has answered into the span of the request.
pub(crate) fn answered(context: &TraceContext, answered: &Answered) {
    let span = context.span();
    let text = |name, value: &Option<String>| {
        if let Some(value) = value {
            span.set_attribute(KeyValue::new(name, value.clone()));
        }
    };
    text(conventions::RESPONSE_MODEL, &answered.model);
    text(conventions::OUTPUT_MESSAGES, &answered.output_messages);
    if let Some(reason) = &answered.finish_reason {
        let reasons = Array::String(vec![StringValue::from(reason.clone())]);
        span.set_attribute(KeyValue::new(conventions::FINISH_REASONS, Attribute::Array(reasons)));
    }
    if let Some(usage) = &answered.usage {
        let count = |tokens| i64::try_from(tokens).unwrap_or(i64::MAX);
        span.set_attribute(KeyValue::new(conventions::INPUT_TOKENS, count(usage.input_tokens)));
        span.set_attribute(KeyValue::new(conventions::OUTPUT_TOKENS, count(usage.output_tokens)));
        if let Some(cost) = usage.cost {
            span.set_attribute(KeyValue::new(own::COST, cost));
        }
    }
}

/// Ends a span.
pub(crate) fn end(context: &TraceContext, end: End<'_>) {
    come_to(context, end);
    context.span().end();
}

/// Ends the span of what a plugin has done, at the time that it says.
pub(crate) fn end_told(context: &TraceContext, told: &Told, content: Content, ended: SystemTime) {
    let (model, finish_reason) = (told.response_model.clone(), told.finish_reason.clone());
    answered(context, &Answered { model, usage: told.usage, finish_reason, output_messages: None });
    let end = told.error.as_ref().map_or(End::Done, |error| {
        let message = if content == Content::Captured { &*error.message } else { "" };
        End::Failed(&error.code, message)
    });
    come_to(context, end);
    context.span().end_with_timestamp(ended);
}

/// What something has come to; an error says what kind it is, and its message.
fn come_to(context: &TraceContext, end: End<'_>) {
    let span = context.span();
    if let Some(kind) = end.error_type() {
        span.set_attribute(KeyValue::new(conventions::ERROR_TYPE, kind.to_owned()));
        let message = if let End::Failed(_, message) = end { message } else { "" };
        span.set_status(Status::error(message.to_owned()));
    }
}

fn named(name: String, kind: SpanKind, attributes: Vec<KeyValue>) -> SpanBuilder {
    SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes)
}
