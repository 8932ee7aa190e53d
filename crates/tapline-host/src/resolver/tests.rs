use expect_test::Expect;

use super::*;

mod choice;
mod refusal;
mod random;

/// A manifest of `id version` and more lines of its table `[plugin]`.
pub(super) fn plugin(name: &str, rest: &str) -> Manifest {
    let (id, version) = name.split_once(' ').unwrap();
    let head = format!("[plugin]\nid = '{id}'\nversion = '{version}.0'\nhost = '^1'\nruntime = 'wasm'\n");
    toml::from_str(&format!("{head}{rest}")).unwrap()
}

/// The dependencies `id range` or `#capability range`; those with a `?` are optional.
pub(super) fn needs(needs: &[&str]) -> String {
    let needs = needs.iter().map(|need| {
        let (target, version) = need.split_once(' ').unwrap_or((need, "*"));
        let optional = target.ends_with('?');
        let target = target.trim_end_matches('?');
        let (key, name) = target.strip_prefix('#').map_or(("id", target), |name| ("capability", name));
        format!("{{ {key} = '{name}', version = '{version}', optional = {optional} }}")
    });
    format!("depends_on = [{}]\n", needs.collect::<Vec<_>>().join(", "))
}

pub(super) type Named<'a> = (Standing, &'a str, String);

pub(super) fn with_resolution<T>(
    plugins: &[Named<'_>],
    look: impl FnOnce(&[Candidate<'_>], &Resolution) -> T,
) -> T {
    let manifests: Vec<_> = plugins.iter().map(|(_, name, rest)| plugin(name, rest)).collect();
    let candidates = plugins
        .iter()
        .zip(&manifests)
        .map(|((standing, ..), manifest)| Candidate { manifest, standing: *standing });
    let candidates: Vec<_> = candidates.collect();
    look(&candidates, &resolve(&candidates))
}

/// What becomes of plugins, in words that do not tell in which order they were given.
fn told(plugins: &[Named<'_>]) -> String {
    with_resolution(plugins, |candidates, resolution| {
        let name = |place: &usize| {
            let about = &candidates[*place].manifest.plugin;
            format!("{} {}.{}", about.id, about.version.major, about.version.minor)
        };
        let mut text = String::new();
        for place in &resolution.order {
            let mut needs: Vec<_> = resolution.needs[*place].iter().map(name).collect();
            needs.sort();
            text += &format!("{} <- {}", name(place), needs.join(", "));
            text.truncate(text.trim_end_matches(" <- ").len());
            text.push('\n');
        }
        for left_out in &resolution.left_out {
            text += &format!("without {}:\n", name(&left_out.place));
            for reason in &left_out.reasons {
                text += &format!("  {reason}\n");
                text += &reason.hint().map(|hint| format!("    {hint}\n")).unwrap_or_default();
            }
        }
        for dropped in &resolution.dropped {
            text += &format!("{} does without {}\n", name(&dropped.who), name(&dropped.whom));
        }
        text
    })
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "as it is made")]
fn check(plugins: &[Named<'_>], expected: Expect) {
    let mut plugins = plugins.to_vec();
    let first = told(&plugins);
    expected.assert_eq(&first);
    for _ in 0..plugins.len() {
        plugins.rotate_left(1);
        assert_eq!(told(&plugins), first);
    }
    plugins.reverse();
    assert_eq!(told(&plugins), first);
}

/// Offers a capability with a rank.
fn offer(capability: &str, rank: i32, rest: &str) -> String {
    format!("capabilities = [{{ name = '{capability}', rank = {rank} }}]\n{rest}")
}
