use std::sync::Arc;

use tapline_core::{
    BoxFuture, CallContext, CallError, Flow, InitFn, NativeInstance, NativePlugin, Operation,
};

use crate::Result;
use crate::context::Context;
use crate::define::Define;

/// The plugin for an application that links it in.
#[must_use]
pub fn native<T: Define>() -> NativePlugin {
    let init: InitFn = |context| {
        Box::pin(async move {
            let plugin = T::init(&Context::new(context)).await?;
            Ok(Arc::new(Running(plugin)) as Arc<dyn NativeInstance>)
        })
    };
    NativePlugin { manifest: T::MANIFEST.into(), init }
}

struct Running<T>(T);

impl<T: Define> NativeInstance for Running<T> {
    fn call(
        self: Arc<Self>,
        operation: Operation,
        context: Arc<CallContext>,
    ) -> BoxFuture<'static, Result<Flow, CallError>> {
        Box::pin(async move { Ok(self.0.call(&operation, &Context::new(context)).await?) })
    }
}
