use tapline::NativePlugin;
use tapline_pdk::native;

/// The plugins that the command brings.
pub(crate) fn all() -> Vec<NativePlugin> {
    vec![
        native::<tapline_plugin_io::Io>(),
        native::<tapline_plugin_transform::Transform>(),
        native::<tapline_plugin_chat::Chat>(),
        native::<tapline_plugin_echo::Echo>(),
        native::<tapline_plugin_schema::SchemaValidator>(),
        native::<tapline_plugin_timer::Timer>(),
    ]
}
