use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use tapline_core::{Dependency, Manifest, PluginId, Target, linearize};

/// Why some plugins cannot be loaded together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Two plugins have the same id.
    #[error("there are two plugins `{id}`: {first} and {second}")]
    Duplicate {
        /// The id.
        id: PluginId,
        /// One version.
        first: Version,
        /// The other.
        second: Version,
    },
    /// A plugin that another one needs is not there.
    #[error("plugin `{plugin}` needs `{needed} {wanted}`, and there is no such plugin")]
    Missing {
        /// Who needs it.
        plugin: PluginId,
        /// What it needs.
        needed: PluginId,
        /// The versions that would do.
        wanted: semver::VersionReq,
    },
    /// A plugin that another one needs is there in the wrong version.
    #[error("plugin `{plugin}` needs `{needed} {wanted}`, and there is {found}")]
    WrongVersion {
        /// Who needs it.
        plugin: PluginId,
        /// What it needs.
        needed: PluginId,
        /// The versions that would do.
        wanted: semver::VersionReq,
        /// The version that is there.
        found: Version,
    },
    /// Plugins need each other.
    #[error("plugins need each other: {}", cycles.join("; "))]
    Cycle {
        /// Each cycle, as `a needs b needs a`.
        cycles: Vec<String>,
        /// The plugins of the cycles.
        members: Vec<PluginId>,
    },
}

impl ResolveError {
    /// The plugins that cannot be loaded for it.
    pub(crate) fn plugins(&self) -> Vec<PluginId> {
        match self {
            Self::Duplicate { id, .. } => vec![id.clone()],
            Self::Missing { plugin, .. } | Self::WrongVersion { plugin, .. } => vec![plugin.clone()],
            Self::Cycle { members, .. } => members.clone(),
        }
    }
}

/// The places of `manifests` in the order in which they are to be started: what a plugin needs comes before it, and
/// otherwise the id decides. `running` are plugins that are there already.
///
/// # Errors
/// What stands in the way: all duplicates and unmet needs together, or else all cycles.
pub fn resolve(
    manifests: &[&Manifest],
    running: &[(&PluginId, &Version)],
) -> Result<Vec<usize>, Vec<ResolveError>> {
    let mut errors = Vec::new();
    let mut versions: BTreeMap<&PluginId, &Version> = running.iter().copied().collect();
    let mut places = BTreeMap::new();
    for (place, manifest) in manifests.iter().enumerate() {
        let about = &manifest.plugin;
        places.insert(&about.id, place);
        if let Some(first) = versions.insert(&about.id, &about.version) {
            let (first, second) = (first.clone(), about.version.clone());
            errors.push(ResolveError::Duplicate { id: about.id.clone(), first, second });
        }
    }
    let needs = manifests
        .iter()
        .flat_map(|manifest| manifest.plugin.depends_on.iter().map(move |need| (manifest, need)));
    errors.extend(needs.clone().filter_map(|(manifest, need)| unmet(manifest.id(), need, &versions)));
    if !errors.is_empty() {
        return Err(errors);
    }
    let edges: BTreeSet<_> = needs
        .filter_map(|(manifest, need)| {
            let Target::Plugin(needed) = &need.on else { return None };
            Some((*places.get(needed)?, *places.get(manifest.id())?))
        })
        .collect();
    let ids: Vec<_> = manifests.iter().map(|manifest| manifest.id()).collect();
    linearize(&ids, &edges).map_err(|cycles| {
        let members = cycles.iter().flatten().map(|place| ids[*place].clone()).collect();
        let cycles = cycles.iter().map(|cycle| {
            // Edges lead from what is needed to who needs it, and people read it the other way round.
            let names = cycle.iter().rev().chain(cycle.last()).map(|place| ids[*place].as_str());
            names.collect::<Vec<_>>().join(" needs ")
        });
        vec![ResolveError::Cycle { cycles: cycles.collect(), members }]
    })
}

fn unmet(
    plugin: &PluginId,
    need: &Dependency,
    versions: &BTreeMap<&PluginId, &Version>,
) -> Option<ResolveError> {
    let Target::Plugin(needed) = &need.on else { return None };
    let (plugin, needed, wanted) = (plugin.clone(), needed.clone(), need.version.clone());
    match versions.get(&needed) {
        Some(found) if need.version.matches(found) => None,
        Some(found) => Some(ResolveError::WrongVersion { plugin, needed, wanted, found: (*found).clone() }),
        None if need.optional => None,
        None => Some(ResolveError::Missing { plugin, needed, wanted }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(id: &str, version: &str, needs: &[&str]) -> Manifest {
        let needs = needs.iter().map(|need| match need.split_once(' ') {
            Some((id, version)) => format!("{{ id = '{id}', version = '{version}' }}"),
            None => format!("{{ id = '{need}' }}"),
        });
        let needs = needs.collect::<Vec<_>>().join(", ");
        toml::from_str(&format!(
            "[plugin]\nid = '{id}'\nversion = '{version}'\nhost = '^1'\nruntime = 'wasm'\ndepends_on = [{needs}]"
        ))
        .unwrap()
    }

    #[track_caller]
    fn check(manifests: &[Manifest], expected: Result<&[&str], &[&str]>) {
        let manifests: Vec<_> = manifests.iter().collect();
        let order = resolve(&manifests, &[]).map(|order| {
            order.into_iter().map(|place| manifests[place].id().to_string()).collect::<Vec<_>>()
        });
        let order = order.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            order,
            expected
                .map(|o| o.iter().map(ToString::to_string).collect())
                .map_err(|e| e.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn what_a_plugin_needs_comes_before_it() {
        let (a, b, c) =
            (manifest("a", "1.0.0", &["c"]), manifest("b", "1.0.0", &[]), manifest("c", "1.2.0", &[]));
        check(&[a.clone(), b.clone(), c.clone()], Ok(&["b", "c", "a"]));
        check(&[c, a, b], Ok(&["b", "c", "a"]));
    }

    #[test]
    fn d02_a_thousand_shuffles_give_one_order() {
        let needs =
            |id: usize| (id % 7..id).step_by(5).map(|other| format!("p{other:02}")).collect::<Vec<_>>();
        let mut manifests: Vec<_> = (0..40)
            .map(|id| {
                let needs = needs(id);
                let needs: Vec<_> = needs.iter().map(String::as_str).collect();
                manifest(&format!("p{id:02}"), "1.0.0", &needs)
            })
            .collect();
        let order = |manifests: &[Manifest]| {
            let manifests: Vec<_> = manifests.iter().collect();
            let order = resolve(&manifests, &[]).unwrap();
            order.into_iter().map(|place| manifests[place].id().clone()).collect::<Vec<_>>()
        };
        let expected = order(&manifests);
        let mut random = 1_usize;
        for _ in 0..1000 {
            for last in (1..manifests.len()).rev() {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                manifests.swap(last, (random >> 33) % (last + 1));
            }
            assert_eq!(order(&manifests), expected);
        }
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        check(
            &[manifest("a", "1.0.0", &["b", "c ^2"]), manifest("c", "1.0.0", &[])],
            Err(&[
                "plugin `a` needs `b *`, and there is no such plugin",
                "plugin `a` needs `c ^2`, and there is 1.0.0",
            ]),
        );
    }

    #[test]
    fn a_cycle_is_printed_with_who_needs_whom() {
        check(
            &[manifest("a", "1.0.0", &["b"]), manifest("b", "1.0.0", &["a"])],
            Err(&["plugins need each other: b needs a needs b"]),
        );
    }
}
