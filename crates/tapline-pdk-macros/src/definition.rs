use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned as _;
use syn::{FnArg, Ident, ImplItem, ImplItemFn, ItemImpl};
use tapline_core::{
    About, HookDeclaration, HookKind, Instances, LimitsAsked, METHODS, Manifest, Provides, Requires,
    SubscriptionDeclaration,
};

use crate::table::Table;

/// What an author wrote, read and checked.
pub(crate) struct Definition {
    pub(crate) manifest: Manifest,
    /// The block without our attributes.
    pub(crate) block: ItemImpl,
    pub(crate) init: Option<Method>,
    pub(crate) start: Option<Method>,
    pub(crate) stop: Option<Method>,
    pub(crate) health: Option<Method>,
    pub(crate) export_state: Option<Method>,
    pub(crate) import_state: Option<Method>,
    pub(crate) hooks: Vec<(HookDeclaration, Method)>,
    pub(crate) listeners: Vec<(SubscriptionDeclaration, Method)>,
    pub(crate) handlers: Vec<Handler>,
    /// Files that the manifest was made of.
    pub(crate) files: Vec<PathBuf>,
}

/// A method of the block that the host calls.
pub(crate) struct Method {
    pub(crate) name: Ident,
    pub(crate) is_async: bool,
    /// The parameters besides `self`.
    pub(crate) parameters: usize,
}

/// A method that answers requests.
pub(crate) struct Handler {
    pub(crate) contribution: String,
    pub(crate) request: String,
    pub(crate) method: Method,
}

impl Definition {
    pub(crate) fn read(attributes: TokenStream, mut block: ItemImpl) -> syn::Result<Self> {
        if !block.generics.params.is_empty() {
            return Err(syn::Error::new(block.generics.span(), "a plugin is one type, without parameters"));
        }
        let mut definition = Self {
            manifest: manifest(attributes)?,
            block: block.clone(),
            init: None,
            start: None,
            stop: None,
            health: None,
            export_state: None,
            import_state: None,
            hooks: Vec::new(),
            listeners: Vec::new(),
            handlers: Vec::new(),
            files: Vec::new(),
        };
        for item in &mut block.items {
            if let ImplItem::Fn(function) = item {
                definition.read_method(function)?;
            }
        }
        definition.block = block;
        if definition.init.is_none() {
            let message = "a plugin needs an `#[init]` function that makes it: `fn init() -> Result<Self>`";
            return Err(syn::Error::new(definition.block.self_ty.span(), message));
        }
        definition.declare_state()?;
        Ok(definition)
    }

    /// Says in the manifest what the methods for health and state say.
    fn declare_state(&mut self) -> syn::Result<()> {
        let about = &mut self.manifest.plugin;
        if about.health || about.state {
            let message =
                "`health` and `state` are said by `#[health]`, `#[export_state]` and `#[import_state]`";
            return Err(syn::Error::new(Span::call_site(), message));
        }
        about.health = self.health.is_some();
        let message = match (&self.export_state, &self.import_state) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) if about.instances == Instances::One => {
                about.state = true;
                return Ok(());
            }
            (Some(_), Some(_)) => "a plugin that hands over its state says `instances = \"one\"`",
            _ => "`#[export_state]` and `#[import_state]` stand together: what one writes the other reads",
        };
        let method = self.export_state.as_ref().or(self.import_state.as_ref());
        Err(syn::Error::new(method.map_or_else(Span::call_site, |method| method.name.span()), message))
    }

    fn read_method(&mut self, function: &mut ImplItemFn) -> syn::Result<()> {
        let (ours, others) = std::mem::take(&mut function.attrs).into_iter().partition::<Vec<_>, _>(is_ours);
        function.attrs = others;
        for attribute in ours {
            let span = attribute.span();
            let table = match &attribute.meta {
                syn::Meta::List(list) => Table::parse(list.tokens.clone())?,
                _ => Table::default(),
            };
            let Some(name) = attribute.path().get_ident().map(Ident::to_string) else { continue };
            match name.as_str() {
                "hook" => self.read_hook(table, function, span)?,
                "on" => self.read_listener(table, function, span)?,
                "provides" => self.read_contribution(table, function, span)?,
                "method" => self.read_own_method(table, function, span)?,
                name => {
                    table.read::<NoKeys>(span)?;
                    self.read_lifecycle(name, function, span)?;
                }
            }
        }
        Ok(())
    }

    fn read_lifecycle(&mut self, name: &str, function: &mut ImplItemFn, span: Span) -> syn::Result<()> {
        let (slot, parameters) = match name {
            "init" => (&mut self.init, 0..=1),
            "start" => (&mut self.start, 0..=0),
            "health" => (&mut self.health, 0..=0),
            "export_state" => (&mut self.export_state, 0..=0),
            "import_state" => (&mut self.import_state, 2..=2),
            _ => (&mut self.stop, 0..=0),
        };
        if slot.is_some() {
            return Err(syn::Error::new(span, format!("there is another `#[{name}]` above")));
        }
        if name == "import_state" && function.sig.inputs.len() != 3 {
            let message = "it takes `&self`, the state, and `from: Version`";
            return Err(syn::Error::new(function.sig.inputs.span(), message));
        }
        *slot = Some(Method::read(function, name != "init", parameters)?);
        // The configuration, or the state, is the plugin's to keep, whether or not it does.
        function.attrs.push(syn::parse_quote!(#[allow(clippy::needless_pass_by_value)]));
        Ok(())
    }

    fn read_hook(&mut self, mut table: Table, function: &ImplItemFn, span: Span) -> syn::Result<()> {
        if !table.contains("name") {
            table.insert("name", function.sig.ident.to_string());
        }
        let declaration: HookDeclaration = table.read(span)?;
        if let Some(mistake) = declaration.mistake() {
            return Err(syn::Error::new(span, mistake));
        }
        if self.hooks.iter().any(|(other, _)| other.name == declaration.name) {
            return Err(syn::Error::new(span, format!("there is another hook `{}` above", declaration.name)));
        }
        self.manifest.hooks.push(declaration.clone());
        self.hooks.push((declaration, Method::read(function, true, 1..=1)?));
        Ok(())
    }

    fn read_listener(&mut self, mut table: Table, function: &ImplItemFn, span: Span) -> syn::Result<()> {
        if !table.contains("name") {
            table.insert("name", function.sig.ident.to_string());
        }
        let declaration: SubscriptionDeclaration = table.read(span)?;
        if self.listeners.iter().any(|(other, _)| other.name == declaration.name) {
            let message = format!("there is another subscription `{}` above", declaration.name);
            return Err(syn::Error::new(span, message));
        }
        // To subscribe is to ask for it.
        self.manifest.requires.events.subscribe.insert(declaration.topic.clone());
        self.manifest.subscriptions.push(declaration.clone());
        self.listeners.push((declaration, Method::read(function, true, 2..=2)?));
        Ok(())
    }

    /// A method under the plugin's own id is one of its contribution to the point of all such methods.
    fn read_own_method(&mut self, mut table: Table, function: &ImplItemFn, span: Span) -> syn::Result<()> {
        if let Some(key) = ["point", "key", "method", "schema"].into_iter().find(|key| table.contains(key)) {
            let message = format!("`{key}` is for `#[provides]`; a method has a `name`");
            return Err(syn::Error::new(span, message));
        }
        let name =
            table.remove_text("name")?.map_or_else(|| function.sig.ident.to_string(), |(name, _)| name);
        table.insert("point", METHODS);
        table.insert("key", self.manifest.id().as_str());
        table.insert("method", name);
        self.read_contribution(table, function, span)
    }

    fn read_contribution(&mut self, mut table: Table, function: &ImplItemFn, span: Span) -> syn::Result<()> {
        let request = table.remove_text("method")?.map_or_else(|| "handle".to_owned(), |(method, _)| method);
        if let Some((file, span)) = table.remove_text("schema")? {
            table.insert("schema", self.read_schema(&file, span)?);
        }
        let mut provides: Provides = table.read(span)?;
        let contribution = format!("{}/{}", provides.point, provides.key);
        if self.handlers.iter().any(|other| other.contribution == contribution && other.request == request) {
            let message =
                format!("there is another method that answers `{request}` for `{contribution}` above");
            return Err(syn::Error::new(span, message));
        }
        let name = request.as_str().into();
        let is_same = |other: &&mut Provides| format!("{}/{}", other.point, other.key) == contribution;
        match self.manifest.provides.iter_mut().find(is_same) {
            None => {
                provides.methods.push(name);
                self.manifest.provides.push(provides);
            }
            Some(_) if provides.schema.is_some() => {
                let message = "the schema of a contribution is given with the first of its methods";
                return Err(syn::Error::new(span, message));
            }
            Some(first) if first.authority != provides.authority => {
                let message = "all methods of a contribution answer with the same `authority`";
                return Err(syn::Error::new(span, message));
            }
            Some(first) => first.methods.push(name),
        }
        self.handlers.push(Handler { contribution, request, method: Method::read(function, true, 1..=2)? });
        Ok(())
    }

    fn read_schema(&mut self, file: &str, span: Span) -> syn::Result<String> {
        let path = package_folder().join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| syn::Error::new(span, format!("schema file `{file}`: {error}")))?;
        let schema = tapline_core::Value::from_json(&text)
            .map_err(|error| syn::Error::new(span, format!("schema file `{file}`: {error}")))?;
        self.files.push(path);
        Ok(schema.to_json())
    }
}

/// The block without our attributes, for when something in them is wrong: the rest of it is right all the same.
pub(crate) fn without_attributes(mut block: ItemImpl) -> ItemImpl {
    for item in &mut block.items {
        if let ImplItem::Fn(function) = item {
            function.attrs.retain(|attribute| !is_ours(attribute));
        }
    }
    block
}

fn is_ours(attribute: &syn::Attribute) -> bool {
    const OURS: [&str; 10] = [
        "init",
        "start",
        "stop",
        "health",
        "export_state",
        "import_state",
        "hook",
        "on",
        "provides",
        "method",
    ];
    OURS.iter().any(|name| attribute.path().is_ident(name))
}

impl Method {
    fn read(
        function: &ImplItemFn,
        takes_self: bool,
        parameters: std::ops::RangeInclusive<usize>,
    ) -> syn::Result<Self> {
        let signature = &function.sig;
        let by_reference = matches!(signature.inputs.first(), Some(FnArg::Receiver(receiver))
            if receiver.reference.is_some() && receiver.mutability.is_none());
        let has_self = signature.receiver().is_some();
        if takes_self && !by_reference {
            return Err(syn::Error::new(
                signature.span(),
                "it has to take `&self`: several calls may run at once",
            ));
        }
        if !takes_self && has_self {
            return Err(syn::Error::new(
                signature.span(),
                "`init` makes the plugin, so it cannot take `self`",
            ));
        }
        let count = signature.inputs.len() - usize::from(has_self);
        if !parameters.contains(&count) {
            let allowed = match (parameters.start(), parameters.end()) {
                (0, 0) => "no parameter besides `&self`",
                (0, _) => "at most one parameter: the configuration",
                (_, 1) => "one parameter besides `&self`: `context: &Context`",
                _ => "`context: &Context`, and the request if it has one, besides `&self`",
            };
            return Err(syn::Error::new(signature.inputs.span(), format!("it takes {allowed}")));
        }
        Ok(Self { name: signature.ident.clone(), is_async: signature.asyncness.is_some(), parameters: count })
    }
}

/// The manifest without hooks and contributions; what Cargo knows already need not be said again.
fn manifest(attributes: TokenStream) -> syn::Result<Manifest> {
    let whole = Span::call_site();
    let mut about = Table::parse(attributes)?;
    let (requires, limits) = (about.split_off("requires"), about.split_off("limits"));
    let defaults = [("version", "CARGO_PKG_VERSION"), ("description", "CARGO_PKG_DESCRIPTION")];
    for (key, variable) in defaults.into_iter().filter(|(key, _)| !about.contains(key)).collect::<Vec<_>>() {
        about.insert(key, cargo(variable));
    }
    if !about.contains("authors") {
        let authors: Vec<_> =
            cargo("CARGO_PKG_AUTHORS").split(':').filter(|a| !a.is_empty()).map(Into::into).collect();
        about.insert("authors", toml::Value::Array(authors));
    }
    about.insert("host", format!("^{}", tapline_core::CONTRACT));
    about.insert("runtime", "native");
    #[derive(serde::Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Rest {
        requires: Requires,
        limits: LimitsAsked,
    }
    let Rest { requires, .. } = requires.read(whole)?;
    let Rest { limits, .. } = limits.read(whole)?;
    Ok(Manifest {
        plugin: about.read::<About>(whole)?,
        provides: Vec::new(),
        hooks: Vec::new(),
        subscriptions: Vec::new(),
        process: None,
        mcp: None,
        requires,
        limits,
    })
}

#[expect(clippy::disallowed_methods, reason = "Cargo speaks to macros through the environment")]
fn cargo(variable: &str) -> String {
    std::env::var(variable).unwrap_or_default()
}

fn package_folder() -> PathBuf {
    cargo("CARGO_MANIFEST_DIR").into()
}

/// An attribute that takes none.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NoKeys {}

/// Whether a hook of this kind says how its call goes on.
pub(crate) const fn decides_flow(kind: HookKind) -> bool {
    matches!(kind, HookKind::Before)
}
