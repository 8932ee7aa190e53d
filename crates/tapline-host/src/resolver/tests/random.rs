use expect_test::expect;

use super::Standing::{Available, Locked, Required, Running, Wanted};
use super::*;

struct Random(usize);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Two versions each of a dozen plugins that need, offer and refuse each other at random.
fn dozen(random: &mut Random) -> Vec<(Standing, String, String)> {
    let mut plugins = Vec::new();
    for id in 0..12 {
        for version in ["1.0", "2.0"] {
            let standing = [Required, Wanted, Available, Available, Locked][random.below(5)];
            let mut list = Vec::new();
            for _ in 0..random.below(3) {
                let (other, mark) = ((id + 1 + random.below(11)) % 12, ["", "?"][random.below(2)]);
                list.push(format!("p{other:02}{mark} {}", ["*", "^1", "^2", "*"][random.below(4)]));
            }
            if random.below(4) == 0 {
                list.push("#c *".to_owned());
            }
            let list: Vec<_> = list.iter().map(String::as_str).collect();
            let conflicts = match random.below(8) {
                0 => format!("conflicts = [{{ id = 'p{:02}' }}]\n", random.below(12)),
                1 => format!("conflicts = [{{ capability = 'c' }}, {{ id = 'p{:02}' }}]\n", random.below(12)),
                _ => String::new(),
            };
            let capabilities = if random.below(3) == 0 { "capabilities = ['c']\n" } else { "" };
            let rest = format!("{}{conflicts}{capabilities}", needs(&list));
            plugins.push((standing, format!("p{id:02} {version}"), rest));
        }
    }
    plugins
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}

#[test]
fn d02_a_thousand_shuffles_give_one_choice_one_order_and_the_same_reasons() {
    let mut random = Random(2);
    let plugins = dozen(&mut random);
    let named = plugins.iter().map(|(standing, name, rest)| (*standing, name.as_str(), rest.clone()));
    let mut named: Vec<_> = named.collect();
    let first = told(&named);
    for _ in 0..1000 {
        shuffle(&mut named, &mut random);
        assert_eq!(told(&named), first);
    }
    expect![[r#"
        p03 1.0
        p04 2.0
        p10 2.0
        p00 1.0 <- p10 2.0
        p05 1.0 <- p10 2.0
        without p01 2.0:
          plugin `p01` is left out, because `p08` is: p01 needs p08
        without p06 2.0:
          plugin `p06` is left out, because `p08` is: p06 needs p07 needs p01 needs p08
        without p08 2.0:
          there are two plugins `p08`: 1.0.0 and 2.0.0
            load one `p08`, or unload the one that is there first
        without p08 1.0:
          there are two plugins `p08`: 1.0.0 and 2.0.0
            load one `p08`, or unload the one that is there first
        without p11 2.0:
          there are two plugins `p11`: 1.0.0 and 2.0.0
            load one `p11`, or unload the one that is there first
        without p11 1.0:
          there are two plugins `p11`: 1.0.0 and 2.0.0
            load one `p11`, or unload the one that is there first
    "#]]
    .assert_eq(&first);
}

/// What every choice has to be, whatever it was chosen from.
fn assert_sound(candidates: &[Candidate<'_>], resolution: &Resolution) {
    let running = (0..candidates.len()).filter(|place| candidates[*place].standing == Running);
    let chosen: Vec<_> = running.chain(resolution.order.iter().copied()).collect();
    let plugins = || chosen.iter().map(|place| candidates[*place].manifest);
    for (at, place) in chosen.iter().enumerate() {
        let plugin = candidates[*place].manifest;
        assert_eq!(plugins().filter(|other| other.id() == plugin.id()).count(), 1);
        let mut others = plugins().filter(|other| other.id() != plugin.id());
        assert!(
            !others.any(|other| plugin.plugin.conflicts.iter().any(|one| other.is(&one.with, &one.version)))
        );
        for need in &plugin.plugin.depends_on {
            let is_met = |other: &usize| candidates[*other].manifest.is(&need.on, &need.version);
            assert!(need.optional || resolution.needs[*place].iter().any(is_met));
        }
        assert!(resolution.needs[*place].iter().all(|needed| chosen[..at].contains(needed)));
    }
    let asked =
        (0..candidates.len()).filter(|place| matches!(candidates[*place].standing, Required | Wanted));
    for place in asked {
        let reasons = resolution.left_out.iter().find(|one| one.place == place).map(|one| &one.reasons);
        assert!(chosen.contains(&place) != reasons.is_some_and(|reasons| !reasons.is_empty()));
    }
}

#[test]
fn every_choice_is_sound_and_does_not_hang_on_the_order_of_the_candidates() {
    let mut random = Random(3);
    for _ in 0..100 {
        let plugins = dozen(&mut random);
        let named = plugins.iter().map(|(standing, name, rest)| (*standing, name.as_str(), rest.clone()));
        let mut named: Vec<_> = named.collect();
        with_resolution(&named, assert_sound);
        let first = told(&named);
        shuffle(&mut named, &mut random);
        assert_eq!(told(&named), first);
    }
}
