use std::sync::Arc;

use tapline_core::{
    Authority, Boundary, BoxFuture, CallContext, CallError, Fault, Flow, Gate, Handler, Object, Operation,
    Origin, Provides, Value,
};

use super::Supervisor;

/// One hook of a supervised plugin.
pub(crate) struct SupervisedHook {
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) operation: Operation,
}

impl Boundary for SupervisedHook {
    fn context(&self, root: Object) -> Arc<CallContext> {
        Arc::new(self.supervisor.context(root))
    }

    fn enter<'a>(&'a self, context: &'a Arc<CallContext>) -> BoxFuture<'a, Result<Flow, CallError>> {
        Box::pin(self.supervisor.run(&self.operation, context))
    }
}

/// One contribution of a supervised plugin.
pub(crate) struct SupervisedHandler {
    supervisor: Arc<Supervisor>,
    gate: Arc<Gate>,
    point: Arc<str>,
    key: Arc<str>,
    contribution: Arc<str>,
    methods: Vec<Arc<str>>,
    authority: Authority,
}

impl SupervisedHandler {
    pub(crate) fn new(supervisor: &Arc<Supervisor>, gate: &Arc<Gate>, provides: &Provides) -> Self {
        Self {
            supervisor: Arc::clone(supervisor),
            gate: Arc::clone(gate),
            point: Arc::clone(&provides.point),
            key: Arc::clone(&provides.key),
            contribution: format!("{}/{}", provides.point, provides.key).into(),
            methods: provides.methods.clone(),
            authority: provides.authority,
        }
    }

    /// Has the version answer that is in place now, if it is another one.
    async fn answer_elsewhere(
        &self,
        refusal: CallError,
        method: &Arc<str>,
        request: Value,
        origin: Origin,
    ) -> Result<Value, CallError> {
        match self.supervisor.contribution_in_place(&self.point, &self.key) {
            Some(contribution) => contribution.handler.handle(method, request, origin).await,
            None => Err(refusal),
        }
    }

    async fn answer(&self, method: &Arc<str>, request: Value, origin: Origin) -> Result<Value, CallError> {
        if self.supervisor.is_aside() {
            return self.answer_elsewhere(self.supervisor.not_active(), method, request, origin).await;
        }
        let pass = self.gate.enter_owned().ok_or_else(|| self.supervisor.not_active())?;
        if !self.methods.is_empty() && !self.methods.contains(method) {
            return Err(CallError::NoSuchMethod {
                target: self.contribution.to_string(),
                method: method.to_string(),
                methods: self.methods.clone(),
            });
        }
        let context = self.supervisor.context_for(request.clone(), self.authority, origin.clone());
        let operation =
            Operation::Handle { contribution: Arc::clone(&self.contribution), method: Arc::clone(method) };
        let context = Arc::new(context);
        match self.supervisor.answer(operation, &context, pass).await {
            Ok(answered) => _ = answered?,
            Err(refusal) => return self.answer_elsewhere(refusal, method, request, origin).await,
        }
        context.output().ok_or_else(|| {
            Fault::Contract { message: format!("`{method}` of `{}` set no output", self.contribution) }.into()
        })
    }
}

impl Handler for SupervisedHandler {
    fn handle<'a>(
        &'a self,
        method: &'a Arc<str>,
        request: Value,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Value, CallError>> {
        let plugin = &self.supervisor.plugin;
        Box::pin(tapline_core::within_plugin(plugin, self.answer(method, request, origin)))
    }
}
