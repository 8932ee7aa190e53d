//! What stands in each kind of span.

use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Array, Context as TraceContext, KeyValue, StringValue, Value as Attribute};
use tapline_pdk::roles::{NodeInfo, RunInfo, StepInfo};

use crate::model::{Answered, Asked};
use crate::names::{conventions, own};
use crate::observed::End;

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

/// Ends a span; an error says what kind it is, and its message.
pub(crate) fn end(context: &TraceContext, end: End<'_>) {
    let span = context.span();
    if let Some(kind) = end.error_type() {
        span.set_attribute(KeyValue::new(conventions::ERROR_TYPE, kind.to_owned()));
        let message = if let End::Failed(_, message) = end { message } else { "" };
        span.set_status(Status::error(message.to_owned()));
    }
    span.end();
}

fn named(name: String, kind: SpanKind, attributes: Vec<KeyValue>) -> SpanBuilder {
    SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes)
}
