use crate::bounded::Bounded;
use crate::names::OTHER;
use crate::observed::{Execution, ModelRequest, WholeRun};
use crate::prometheus::Prometheus;
use crate::statsd::Statsd;

/// Whoever is told of what is measured.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) prometheus: Option<Prometheus>,
    pub(crate) statsd: Option<Statsd>,
    models: Bounded,
    pipelines: Bounded,
    errors: Bounded,
}

impl Metrics {
    pub(crate) fn new(prometheus: Option<Prometheus>, statsd: Option<Statsd>) -> Self {
        Self { prometheus, statsd, ..Self::default() }
    }

    pub(crate) fn run(&self, run: &WholeRun<'_>) {
        let run = WholeRun { pipeline: self.pipelines.or_other(run.pipeline, OTHER), ..*run };
        if let Some(prometheus) = &self.prometheus {
            prometheus.run(&run);
        }
        if let Some(statsd) = &self.statsd {
            statsd.run(&run);
        }
    }

    pub(crate) fn execution(&self, execution: &Execution<'_>) {
        if let Some(prometheus) = &self.prometheus {
            prometheus.execution(execution);
        }
        if let Some(statsd) = &self.statsd {
            statsd.execution(execution);
        }
    }

    pub(crate) fn request(&self, request: &ModelRequest<'_>) {
        let model = |model: Option<_>| model.map(|model| self.models.or_other(model, OTHER));
        let request = ModelRequest {
            request_model: model(request.request_model),
            response_model: model(request.response_model),
            ..*request
        };
        let error = request.end.error_type().map(|kind| self.errors.or_other(kind, OTHER));
        if let Some(prometheus) = &self.prometheus {
            prometheus.request(&request, error);
        }
        if let Some(statsd) = &self.statsd {
            statsd.request(&request);
        }
    }
}
