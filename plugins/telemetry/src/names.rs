//! All names under which the plugin tells something to others.
//!
//! Those of models are the ones of OpenTelemetry's conventions, in the version of [`SCHEMA_URL`].

/// The version of the semantic conventions that the names are of: the last one that holds those of models.
pub(crate) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.41.0";

/// Who makes the spans.
pub(crate) const SCOPE: &str = "tapline";

/// Attributes of the conventions.
pub(crate) mod conventions {
    pub(crate) const ERROR_TYPE: &str = "error.type";
    /// What the request is for: [`CHAT`](super::CHAT), …
    pub(crate) const OPERATION_NAME: &str = "gen_ai.operation.name";
    pub(crate) const PROVIDER_NAME: &str = "gen_ai.provider.name";
    pub(crate) const REQUEST_MODEL: &str = "gen_ai.request.model";
    pub(crate) const RESPONSE_MODEL: &str = "gen_ai.response.model";
    pub(crate) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
    pub(crate) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
    pub(crate) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
    pub(crate) const TOKEN_TYPE: &str = "gen_ai.token.type";
    /// The tool that is executed.
    pub(crate) const TOOL_NAME: &str = "gen_ai.tool.name";
    /// What a framework runs as a whole.
    pub(crate) const WORKFLOW_NAME: &str = "gen_ai.workflow.name";
    /// Content: only when it is asked for.
    pub(crate) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
    /// Content: only when it is asked for.
    pub(crate) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
    /// Content: only when it is asked for.
    pub(crate) const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
    /// Content: only when it is asked for.
    pub(crate) const TOOL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
    /// Content: only when it is asked for.
    pub(crate) const TOOL_RESULT: &str = "gen_ai.tool.call.result";
    /// Content: only when it is asked for.
    pub(crate) const RETRIEVAL_QUERY: &str = "gen_ai.retrieval.query.text";

    /// The metric of tokens.
    pub(crate) const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
    /// The metric of how long requests take, in seconds.
    pub(crate) const OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
}

/// The operation of the method `complete`.
pub(crate) const CHAT: &str = "chat";
/// The operation of the method `embed`.
pub(crate) const EMBEDDINGS: &str = "embeddings";
/// Operations that plugins tell of.
pub(crate) const EXECUTE_TOOL: &str = "execute_tool";
pub(crate) const RETRIEVAL: &str = "retrieval";
pub(crate) const INVOKE_WORKFLOW: &str = "invoke_workflow";
/// Values of the token type.
pub(crate) const INPUT: &str = "input";
pub(crate) const OUTPUT: &str = "output";
/// Who tells a span that no plugin tells.
pub(crate) const APPLICATION: &str = "application";
/// What stands for an error that has no code, and for values beyond those that are told apart.
pub(crate) const OTHER: &str = "_OTHER";

/// Attributes of our own.
pub(crate) mod own {
    pub(crate) const PIPELINE: &str = "tapline.pipeline";
    pub(crate) const RUN: &str = "tapline.run.id";
    /// Whether the run had begun before the plugin was loaded.
    pub(crate) const JOINED: &str = "tapline.run.joined";
    /// Whether the run went on when the plugin was unloaded.
    pub(crate) const LEFT: &str = "tapline.run.left";
    pub(crate) const NODE: &str = "tapline.node.id";
    pub(crate) const NODE_TYPE: &str = "tapline.node.type";
    pub(crate) const PLUGIN: &str = "tapline.node.plugin";
    /// The step of a node, as in `answer[3]`.
    pub(crate) const PATH: &str = "tapline.node.path";
    /// From 1.
    pub(crate) const ATTEMPT: &str = "tapline.node.attempt";
    pub(crate) const COST: &str = "tapline.usage.cost";
    /// The plugin that has told a span of its own work.
    pub(crate) const TOLD_BY: &str = "tapline.told_by";
}

/// Where buckets of tokens end, as the conventions recommend.
pub(crate) const TOKEN_BUCKETS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// Where buckets of seconds of requests to models end, as the conventions recommend.
pub(crate) const MODEL_BUCKETS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// Where buckets of seconds of nodes and runs end: from those that filter a few rows to those that take an hour.
pub(crate) const WORK_BUCKETS: [f64; 13] =
    [0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

#[cfg(test)]
mod tests {
    #![expect(deprecated, reason = "the conventions of models have moved to a place of their own since")]
    use opentelemetry_semantic_conventions::{attribute, metric};

    use super::conventions as ours;

    #[test]
    fn the_names_are_those_of_the_conventions() {
        let pairs = [
            (ours::ERROR_TYPE, attribute::ERROR_TYPE),
            (ours::OPERATION_NAME, attribute::GEN_AI_OPERATION_NAME),
            (ours::PROVIDER_NAME, attribute::GEN_AI_PROVIDER_NAME),
            (ours::REQUEST_MODEL, attribute::GEN_AI_REQUEST_MODEL),
            (ours::RESPONSE_MODEL, attribute::GEN_AI_RESPONSE_MODEL),
            (ours::FINISH_REASONS, attribute::GEN_AI_RESPONSE_FINISH_REASONS),
            (ours::INPUT_TOKENS, attribute::GEN_AI_USAGE_INPUT_TOKENS),
            (ours::OUTPUT_TOKENS, attribute::GEN_AI_USAGE_OUTPUT_TOKENS),
            (ours::TOKEN_TYPE, attribute::GEN_AI_TOKEN_TYPE),
            (ours::TOOL_NAME, attribute::GEN_AI_TOOL_NAME),
            (ours::WORKFLOW_NAME, attribute::GEN_AI_WORKFLOW_NAME),
            (ours::TOOL_ARGUMENTS, attribute::GEN_AI_TOOL_CALL_ARGUMENTS),
            (ours::TOOL_RESULT, attribute::GEN_AI_TOOL_CALL_RESULT),
            (ours::RETRIEVAL_QUERY, attribute::GEN_AI_RETRIEVAL_QUERY_TEXT),
            (ours::INPUT_MESSAGES, attribute::GEN_AI_INPUT_MESSAGES),
            (ours::OUTPUT_MESSAGES, attribute::GEN_AI_OUTPUT_MESSAGES),
            (ours::SYSTEM_INSTRUCTIONS, attribute::GEN_AI_SYSTEM_INSTRUCTIONS),
            (ours::TOKEN_USAGE, metric::GEN_AI_CLIENT_TOKEN_USAGE),
            (ours::OPERATION_DURATION, metric::GEN_AI_CLIENT_OPERATION_DURATION),
        ];
        for (our, theirs) in pairs {
            assert_eq!(our, theirs);
        }
    }
}
