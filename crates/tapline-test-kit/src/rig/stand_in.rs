use std::sync::Arc;

use semver::{Comparator, Op, Version, VersionReq};
use tapline::core::{
    BoxFuture, CONTRACT, CallContext, Dependency, Flow, Manifest, NativeInstance, Operation, Target,
};
use tapline::{CallError, Failure, Load, NativePlugin};

/// What stands in for the plugins that a plugin cannot do without: it is there, and does nothing. What the plugin calls
/// of them, the test answers.
pub(super) fn for_needs_of(manifest: &Manifest) -> Vec<Load> {
    let needed = manifest.plugin.depends_on.iter().filter(|dependency| !dependency.optional);
    needed.enumerate().map(|(number, dependency)| stand_in(number, dependency)).collect()
}

fn stand_in(number: usize, dependency: &Dependency) -> Load {
    let version = lowest(&dependency.version);
    let (id, capabilities) = match &dependency.on {
        Target::Plugin(id) => (id.to_string(), String::new()),
        Target::Capability(name) => {
            (format!("stand-in{number}"), format!("{{ name = {name:?}, version = \"{version}\" }}"))
        }
    };
    let manifest = format!(
        "[plugin]\nid = {id:?}\nversion = \"{version}\"\ndescription = \"Stands in.\"\nhost = \"^{CONTRACT}\"\n\
         runtime = \"native\"\ncapabilities = [{capabilities}]\n"
    );
    Load::native(NativePlugin { manifest: manifest.into(), init })
}

/// The lowest version that every part of a range allows, as far as it names one.
fn lowest(range: &VersionReq) -> Version {
    let named = |part: &Comparator| {
        let next = u64::from(part.op == Op::Greater);
        let mut version = match (part.minor, part.patch) {
            (None, _) => Version::new(part.major + next, 0, 0),
            (Some(minor), None) => Version::new(part.major, minor + next, 0),
            (Some(minor), Some(patch)) => Version::new(part.major, minor, patch + next),
        };
        version.pre = part.pre.clone();
        version
    };
    let lower = |part: &&Comparator| !matches!(part.op, Op::Less | Op::LessEq);
    let usual = Version::new(1, 0, 0);
    match range.comparators.iter().filter(lower).map(named).max() {
        Some(lowest) => lowest,
        None if range.matches(&usual) => usual,
        None => Version::new(0, 0, 0),
    }
}

struct Nothing;

fn init(_: Arc<CallContext>) -> BoxFuture<'static, Result<Arc<dyn NativeInstance>, Failure>> {
    Box::pin(std::future::ready(Ok(Arc::new(Nothing) as Arc<dyn NativeInstance>)))
}

impl NativeInstance for Nothing {
    fn call(
        self: Arc<Self>,
        _: Operation,
        _: Arc<CallContext>,
    ) -> BoxFuture<'static, Result<Flow, CallError>> {
        Box::pin(std::future::ready(Ok(Flow::Proceed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_has_a_version_that_is_asked_for() {
        for range in
            ["*", "^1.2", "1", ">1", ">1.2", ">1.2.3", "<1", "<0.5", "<=0.3", ">=2, <3", "~1.4", "=0.1.2"]
        {
            let range: VersionReq = range.parse().unwrap();
            assert!(range.matches(&lowest(&range)), "{range}: {}", lowest(&range));
        }
    }
}
