use tapline_core::{Dependency, Manifest, PluginId, Target};

/// The plugins that cannot be loaded any more without one: those that need it, and for which no other will do.
#[must_use]
pub fn needed_by<'a>(one: &Manifest, others: impl Iterator<Item = &'a Manifest> + Clone) -> Vec<PluginId> {
    let others = others.filter(|other| !is_same(other, one));
    let is_lost = |needing: &Manifest, need: &Dependency| {
        !need.optional
            && meets(one, need)
            && !others.clone().any(|other| other.id() != needing.id() && meets(other, need))
    };
    let needing = others.clone().filter(|other| {
        other.id() != one.id() && other.plugin.depends_on.iter().any(|need| is_lost(other, need))
    });
    let mut ids: Vec<_> = needing.map(|needing| needing.id().clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn is_same(one: &Manifest, other: &Manifest) -> bool {
    one.id() == other.id() && one.plugin.version == other.plugin.version
}

fn meets(manifest: &Manifest, need: &Dependency) -> bool {
    let about = &manifest.plugin;
    match &need.on {
        Target::Plugin(id) => about.id == *id && need.version.matches(&about.version),
        Target::Capability(name) => about
            .capabilities
            .iter()
            .any(|offered| offered.name == *name && need.version.matches(offered.version_in(&about.version))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(id: &str, version: &str, rest: &str) -> Manifest {
        let head = format!("[plugin]\nid = '{id}'\nversion = '{version}'\nhost = '^1'\nruntime = 'wasm'\n");
        toml::from_str(&format!("{head}{rest}")).unwrap()
    }

    #[test]
    fn who_needs_a_plugin_is_told_unless_another_will_do() {
        let numbers = manifest("numbers", "1.4.0", "capabilities = ['counting']");
        let newer = manifest("numbers", "2.0.0", "");
        let sum = manifest("sum", "1.0.0", "depends_on = [{ id = 'numbers', version = '^1' }]");
        let mean = manifest("mean", "1.0.0", "depends_on = [{ id = 'numbers', version = '>=1' }]");
        let mode = manifest("mode", "1.0.0", "depends_on = [{ id = 'numbers', optional = true }]");
        let count = manifest("count", "1.0.0", "depends_on = [{ capability = 'counting' }]");
        let other = manifest("other", "1.0.0", "capabilities = ['counting']");
        let needing = |others: &[&Manifest]| {
            needed_by(&numbers, others.iter().copied()).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(needing(&[&numbers, &sum, &mean, &mode, &count]), ["count", "mean", "sum"]);
        assert_eq!(needing(&[&numbers, &newer, &sum, &mean, &mode, &count, &other]), ["sum"]);
        assert_eq!(needing(&[&numbers]), [""; 0]);
    }
}
