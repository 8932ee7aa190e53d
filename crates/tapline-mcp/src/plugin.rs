use std::fmt;
use std::sync::Arc;

use tapline_core::{BoxFuture, CallContext, CallError, Failure, Flow, Instance, Operation, Plugin, Value};
use tokio::sync::Mutex;

use crate::resources;
use crate::runtime::Launch;
use crate::server::Server;
use crate::tools::AcceptedTool;

/// A server that can be reached.
pub(crate) struct McpPlugin(Arc<Shared>);

/// The one connection that all calls share, while it is there.
struct Shared {
    launch: Arc<Launch>,
    running: Mutex<Option<Arc<Server>>>,
}

/// A handle to the connection.
struct McpInstance {
    shared: Arc<Shared>,
    /// The one of the plugin, and of no call.
    context: Arc<CallContext>,
}

impl McpPlugin {
    pub(crate) fn new(launch: Launch) -> Self {
        Self(Arc::new(Shared { launch: Arc::new(launch), running: Mutex::default() }))
    }
}

impl Plugin for McpPlugin {
    fn start<'a>(
        &'a self,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Box<dyn Instance>, CallError>> {
        Box::pin(async move {
            if !self.0.launch.declared.lazy {
                self.0.running(context).await?;
            }
            let (shared, context) = (Arc::clone(&self.0), Arc::clone(context));
            Ok(Box::new(McpInstance { shared, context }) as Box<dyn Instance>)
        })
    }
}

impl Shared {
    /// The server, which is started where it is not running.
    async fn running(&self, context: &Arc<CallContext>) -> Result<Arc<Server>, CallError> {
        let mut running = self.running.lock().await;
        if let Some(server) = running.as_ref().filter(|server| !server.ending.has_ended()) {
            return Ok(Arc::clone(server));
        }
        let server = Box::pin(Server::start(&self.launch, context)).await?;
        *running = Some(Arc::clone(&server));
        Ok(server)
    }

    async fn stop(&self) {
        if let Some(server) = self.running.lock().await.take() {
            server.ending.end("its plugin was stopped");
        }
    }
}

impl McpInstance {
    async fn handle(
        &self,
        contribution: &str,
        method: &str,
        context: &Arc<CallContext>,
    ) -> Result<Value, CallError> {
        let (point, key) = contribution.split_once('/').unwrap_or_default();
        let input = context.get("input")?.unwrap_or_default();
        let launch = &self.shared.launch;
        let is_resources = key == resources::key(&launch.plugin);
        match (point, method, launch.accepted.get(key)) {
            ("plugin", _, _) => self.own(method, &input).await,
            ("tool", "describe", Some(tool)) => Ok(outline(key, tool)),
            ("tool", "call", Some(tool)) => self.server().await?.call(&tool.name, &input, context).await,
            ("node", _, Some(tool)) => {
                let with = input.get("with").unwrap_or(&Value::Null);
                self.server().await?.call(&tool.name, with, context).await
            }
            ("node", _, None) if is_resources => {
                self.server().await?.resources(input.get("with").unwrap_or(&Value::Null)).await
            }
            _ => Err(no_method(contribution, method)),
        }
    }

    /// What the plugin answers under its own id.
    async fn own(&self, method: &str, input: &Value) -> Result<Value, CallError> {
        let server = self.server().await?;
        match method {
            "tools" => Value::from_serialize(&server.offer().await?)
                .map_err(|error| Failure::from_error("wrong-type", error).into()),
            "resources" => server.resources(&Value::Null).await,
            "read" if input.get("uri").is_some() => server.resources(input).await,
            "read" => Err(Failure::new("invalid-config", "`uri` is missing").into()),
            _ => Err(no_method(&self.shared.launch.plugin, method)),
        }
    }

    async fn server(&self) -> Result<Arc<Server>, CallError> {
        self.shared.running(&self.context).await
    }
}

/// What models are told of a tool: what was accepted, whatever the server says by now.
fn outline(key: &str, tool: &AcceptedTool) -> Value {
    Value::from_iter([
        ("name", Value::from(key)),
        ("description", tool.description.as_str().into()),
        ("parameters", tool.schema.clone().into()),
    ])
}

fn no_method(target: &str, method: &str) -> CallError {
    CallError::NoSuchMethod { target: target.to_owned(), method: method.to_owned(), methods: Vec::new() }
}

impl Instance for McpInstance {
    fn share(&self) -> Option<Box<dyn Instance>> {
        let (shared, context) = (Arc::clone(&self.shared), Arc::clone(&self.context));
        Some(Box::new(Self { shared, context }))
    }

    fn call<'a>(
        &'a mut self,
        operation: &'a Operation,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Flow, CallError>> {
        Box::pin(async move {
            match operation {
                Operation::Handle { contribution, method } => {
                    let output = self.handle(contribution, method, context).await?;
                    context.set("output", output)?;
                }
                Operation::Stop => self.shared.stop().await,
                // Nothing else can be asked of a server.
                _ => {}
            }
            Ok(Flow::Proceed)
        })
    }
}

impl fmt::Debug for McpPlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("McpPlugin").field(&self.0.launch.plugin).finish()
    }
}
