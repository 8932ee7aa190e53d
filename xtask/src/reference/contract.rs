use anyhow::{Context, Result, bail};
use cargo_metadata::camino::Utf8Path;
use wit_component::WitPrinter;
use wit_parser::{Docs, Function, Interface, PackageId, Resolve, Type, TypeDef, TypeDefKind, WorldItem};

use super::Page;
use super::schema::cell;

/// Where the contract stands in this repository.
pub(super) const SOURCE: &str = "wit/v1/plugin.wit";
/// The world that names everything.
const WORLD: &str = "plugin";

pub(super) fn page(file: &Utf8Path) -> Result<Page> {
    let contract = Contract::read(file)?;
    let source = format!("[`{SOURCE}`](../../{SOURCE})");
    Ok(Page::new("contract.md", "The contract between host and plugin", &source, &contract.text()?))
}

/// The contract, read.
#[derive(Debug)]
struct Contract {
    resolve: Resolve,
    package: PackageId,
}

impl Contract {
    fn read(file: &Utf8Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let package = resolve.push_file(file)?;
        Ok(Self { resolve, package })
    }

    fn text(&self) -> Result<String> {
        let package = &self.resolve.packages[self.package];
        let world = &self.resolve.worlds[self.resolve.select_world(&[self.package], Some(WORLD))?];
        let (imports, exports) =
            (self.interfaces(world.imports.values())?, self.interfaces(world.exports.values())?);
        let mut text = format!("{}\nIts name is `{}`.\n\n", docs(&package.docs), package.name);
        text += "## What a plugin may import\n\n";
        text += &overview(&imports)?;
        text += "\n## What a plugin may export\n\n";
        text += &overview(&exports)?;
        for interface in imports.iter().chain(&exports) {
            text += &self.interface(interface)?;
        }
        Ok(text)
    }

    fn interfaces<'c>(&'c self, items: impl Iterator<Item = &'c WorldItem>) -> Result<Vec<&'c Interface>> {
        let interfaces = items.map(|item| match item {
            WorldItem::Interface { id, .. } => Ok(&self.resolve.interfaces[*id]),
            _ => bail!("the world `{WORLD}` has something that is no interface"),
        });
        interfaces.collect()
    }

    fn interface(&self, interface: &Interface) -> Result<String> {
        let mut text = format!("\n## `{}`\n\n{}", name(interface)?, docs(&interface.docs));
        for (name, id) in &interface.types {
            text += &self.definition(name, &self.resolve.types[*id])?;
        }
        for function in interface.functions.values() {
            text += &self.function(function)?;
        }
        Ok(text)
    }

    fn definition(&self, name: &str, definition: &TypeDef) -> Result<String> {
        let is = match &definition.kind {
            TypeDefKind::Type(Type::Id(id)) if self.resolve.types[*id].owner != definition.owner => {
                // A name that another interface defines, and this one uses.
                return Ok(String::new());
            }
            TypeDefKind::Type(other) => format!("type {name} = {};", self.type_name(other)?),
            kind => format!("{} {name}", kind.as_str()),
        };
        let mut text = format!("\n### `{is}`\n\n{}\n", docs(&definition.docs));
        match &definition.kind {
            TypeDefKind::Type(_) => {}
            TypeDefKind::Record(record) => {
                text += "| field | is | says |\n|---|---|---|\n";
                for field in &record.fields {
                    let says = field.docs.contents.as_deref().map(cell).unwrap_or_default();
                    text += &format!("| `{}` | `{}` | {says} |\n", field.name, self.type_name(&field.ty)?);
                }
            }
            TypeDefKind::Enum(cases) => {
                for case in &cases.cases {
                    let says = case.docs.contents.as_deref().map(|says| format!(": {}", cell(says)));
                    text += &format!("- `{}`{}\n", case.name, says.unwrap_or_default());
                }
            }
            other => bail!("`{name}` is a {}, and the reference has no words for it", other.as_str()),
        }
        Ok(text)
    }

    fn function(&self, function: &Function) -> Result<String> {
        let parameters = function.params.iter().map(|parameter| {
            let is = self.type_name(&parameter.ty)?;
            Ok(format!("{}: {is}", parameter.name))
        });
        let parameters = parameters.collect::<Result<Vec<_>>>()?.join(", ");
        let result = function.result.as_ref().map(|result| self.type_name(result)).transpose()?;
        let result = result.map(|result| format!(" -> {result}")).unwrap_or_default();
        let name = &function.name;
        let signature = format!("```wit\n{name}: func({parameters}){result}\n```\n");
        Ok(format!("\n### `{name}`\n\n{signature}\n{}", docs(&function.docs)))
    }

    /// A type as the contract writes it.
    fn type_name(&self, name: &Type) -> Result<String> {
        let mut printer = WitPrinter::default();
        printer.print_type_name(&self.resolve, name)?;
        Ok(printer.output.to_string())
    }
}

/// A table of interfaces and the first paragraph of each.
fn overview(interfaces: &[&Interface]) -> Result<String> {
    let mut table = "| interface | is |\n|---|---|\n".to_owned();
    for interface in interfaces {
        let name = name(interface)?;
        let first = interface.docs.contents.as_deref().and_then(|docs| docs.split("\n\n").next());
        table += &format!("| [`{name}`](#{name}) | {} |\n", cell(first.unwrap_or_default()));
    }
    Ok(table)
}

fn name(interface: &Interface) -> Result<&str> {
    interface.name.as_deref().with_context(|| format!("the world `{WORLD}` has an interface without a name"))
}

fn docs(docs: &Docs) -> String {
    docs.contents.as_deref().map(|text| format!("{}\n", text.trim())).unwrap_or_default()
}
