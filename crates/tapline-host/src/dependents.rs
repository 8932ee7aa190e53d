use std::collections::BTreeSet;

use tapline_core::{Manifest, PluginId};

/// Those of `plugins` that cannot stay when the ones `leaving` are gone: something that they need, nobody who stays
/// offers.
pub(crate) fn stranded(plugins: &[&Manifest], leaving: &BTreeSet<PluginId>) -> Vec<PluginId> {
    let staying: Vec<_> = plugins.iter().filter(|plugin| !leaving.contains(plugin.id())).collect();
    let is_stranded = |plugin: &Manifest| {
        let mut needs = plugin.plugin.depends_on.iter().filter(|need| !need.optional);
        needs.any(|need| {
            let mut others = staying.iter().filter(|other| other.id() != plugin.id());
            !others.any(|other| other.is(&need.on, &need.version))
        })
    };
    staying.iter().filter(|plugin| is_stranded(plugin)).map(|plugin| plugin.id().clone()).collect()
}

/// A plugin, and those that cannot stay without it, and those that cannot stay without them.
pub(crate) fn with_dependents(plugins: &[&Manifest], plugin: &PluginId) -> BTreeSet<PluginId> {
    let mut leaving = BTreeSet::from([plugin.clone()]);
    loop {
        let more = stranded(plugins, &leaving);
        if more.is_empty() {
            return leaving;
        }
        leaving.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(id: &str, rest: &str) -> Manifest {
        let head = format!("[plugin]\nid = '{id}'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n");
        toml::from_str(&format!("{head}{rest}")).unwrap()
    }

    #[track_caller]
    fn check(plugins: &[Manifest], leaving: &str, expected: &[&str]) {
        let plugins: Vec<_> = plugins.iter().collect();
        let leaving = with_dependents(&plugins, &PluginId::new(leaving).unwrap());
        assert_eq!(leaving.iter().map(PluginId::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn who_needs_a_plugin_leaves_with_it() {
        let a = manifest("a", "");
        let b = manifest("b", "depends_on = [{ id = 'a' }]");
        let c = manifest("c", "depends_on = [{ id = 'b' }, { id = 'd', optional = true }]");
        let d = manifest("d", "depends_on = [{ id = 'a', optional = true }]");
        let plugins = [a, b, c, d];
        check(&plugins, "a", &["a", "b", "c"]);
        check(&plugins, "d", &["d"]);
    }

    #[test]
    fn who_needs_a_capability_stays_as_long_as_anyone_offers_it() {
        let one = manifest("one", "capabilities = ['chat']");
        let other = manifest("other", "capabilities = [{ name = 'chat', version = '2.0.0' }]");
        let any = manifest("any", "depends_on = [{ capability = 'chat' }]");
        let picky = manifest("picky", "depends_on = [{ capability = 'chat', version = '^1' }]");
        // What it offers itself is not what it needs.
        let cache = manifest("cache", "capabilities = ['chat']\ndepends_on = [{ capability = 'chat' }]");
        let plugins = [one.clone(), other, any, picky];
        check(&plugins, "one", &["one", "picky"]);
        check(&plugins, "other", &["other"]);
        check(&[one, cache], "one", &["cache", "one"]);
    }
}
