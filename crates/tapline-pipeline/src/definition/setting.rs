use std::sync::Arc;

use indexmap::IndexMap;
use tapline_core::{Object, Value};
use tapline_template::{Scope, Template};

use super::text::{RenderError, Text};

/// A value of a pipeline file in which templates are rendered, and everything else is constant and shared.
#[derive(Debug, Clone)]
pub struct Setting(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Constant(Value),
    Template(Arc<(Template, Text)>),
    Array(Arc<[Setting]>),
    Object(Arc<IndexMap<Arc<str>, Setting>>),
}

impl Setting {
    pub(crate) const fn constant(value: Value) -> Self {
        Self(Kind::Constant(value))
    }

    pub(crate) fn template(template: Template, text: Text) -> Self {
        Self(Kind::Template(Arc::new((template, text))))
    }

    pub(crate) fn array(settings: Vec<Self>) -> Self {
        let constants =
            settings.iter().map(|setting| setting.as_constant().cloned()).collect::<Option<Value>>();
        constants.map_or_else(|| Self(Kind::Array(settings.into())), Self::constant)
    }

    pub(crate) fn object(settings: IndexMap<Arc<str>, Self>) -> Self {
        let constant =
            |(key, setting): (&Arc<str>, &Self)| Some((Arc::clone(key), setting.as_constant()?.clone()));
        let constants = settings.iter().map(constant).collect::<Option<Value>>();
        constants.map_or_else(|| Self(Kind::Object(Arc::new(settings))), Self::constant)
    }

    /// The value with these variables.
    ///
    /// A lone `{{ expression }}` keeps the type of its value and shares it.
    ///
    /// # Errors
    /// When a template cannot be rendered with them; the error knows its place in the file.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, RenderError> {
        match &self.0 {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Template(content) => {
                let (template, text) = &**content;
                template.render(scope).map_err(|error| text.render_error(error))
            }
            Kind::Array(settings) => settings.iter().map(|setting| setting.render(scope)).collect(),
            Kind::Object(settings) => {
                let mut object = Object::with_capacity(settings.len());
                for (key, setting) in settings.iter() {
                    object.insert(Arc::clone(key), setting.render(scope)?);
                }
                Ok(object.into())
            }
        }
    }

    /// The value, if nothing in it is a template.
    #[must_use]
    pub const fn as_constant(&self) -> Option<&Value> {
        if let Kind::Constant(value) = &self.0 { Some(value) } else { None }
    }
}
