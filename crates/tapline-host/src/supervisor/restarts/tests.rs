use proptest::prelude::*;

use super::*;

fn restarts(rule: Restart, allowed: usize) -> Restarts {
    let within = Duration::from_secs(60);
    let supervision = Supervision { restarts: allowed, within, ..Supervision::default() };
    Restarts::new(&PluginId::new("x").unwrap(), rule, &supervision)
}

#[track_caller]
fn check(rule: Restart, restarted: &[Ending]) {
    for ending in [Ending::Normal, Ending::Error, Ending::Fault] {
        let verdict = restarts(rule, 5).after(ending, Instant::now());
        let expected =
            if restarted.contains(&ending) { Verdict::Again(Duration::ZERO) } else { Verdict::Over(ending) };
        assert_eq!(verdict, expected);
    }
}

#[test]
fn s01_what_is_started_again_follows_the_rule() {
    check(Restart::Permanent, &[Ending::Normal, Ending::Error, Ending::Fault]);
    check(Restart::Transient, &[Ending::Error, Ending::Fault]);
    check(Restart::Temporary, &[]);
}

#[test]
fn s07_the_third_restart_within_any_window_is_one_too_many() {
    let begun = Instant::now();
    let verdicts = |seconds: &[u64]| {
        let mut restarts = restarts(Restart::Permanent, 2);
        let mut after = |second: &u64| restarts.after(Ending::Fault, begun + Duration::from_secs(*second));
        seconds.iter().map(|second| after(second) == Verdict::TooMany).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&[0, 1, 2]), [false, false, true]);
    assert_eq!(verdicts(&[0, 1, 60]), [false, false, true]);
    assert_eq!(verdicts(&[0, 1, 61, 62, 122]), [false; 5]);
    assert_eq!(verdicts(&[0, 59, 61, 62]), [false, false, false, true]);
}

#[test]
fn as_many_restarts_as_can_be_written_are_allowed() {
    let mut restarts = restarts(Restart::Permanent, usize::MAX);
    assert_eq!(restarts.after(Ending::Fault, Instant::now()), Verdict::Again(Duration::ZERO));
    assert!(matches!(restarts.after(Ending::Fault, Instant::now()), Verdict::Again(wait) if !wait.is_zero()));
}

#[test]
fn the_waiting_time_doubles_and_has_an_end() {
    let (now, mut restarts) = (Instant::now(), restarts(Restart::Permanent, 20));
    let waits: Vec<_> = (0..12)
        .map(|_| match restarts.after(Ending::Fault, now) {
            Verdict::Again(wait) => wait.as_secs_f64(),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0];
    for (wait, expected) in waits.iter().zip(expected) {
        assert!((expected..=expected * 1.25).contains(wait), "{waits:?}");
    }
}

#[test]
fn the_jitter_of_a_plugin_is_always_the_same_and_that_of_another_is_not() {
    let waits = |id: &str| {
        let mut restarts =
            Restarts::new(&PluginId::new(id).unwrap(), Restart::Permanent, &Supervision::default());
        (0..4).map(|_| restarts.after(Ending::Fault, Instant::now())).collect::<Vec<_>>()
    };
    assert_eq!(waits("a"), waits("a"));
    assert_ne!(waits("a"), waits("b"));
}

/// OTP's own rule, as its manual gives it: more than `allowed` restarts within the last so many seconds, this one
/// included, and the supervisor gives up.
fn reference(rule: Restart, allowed: usize, within: u64, history: &[(Ending, u64)]) -> &'static str {
    let (mut restarts, mut told) = (Vec::new(), "none");
    for (ending, at) in history {
        let wanted = match (rule, ending) {
            (Restart::Permanent, _) | (Restart::Transient, Ending::Error | Ending::Fault) => true,
            (Restart::Transient, Ending::Normal) | (Restart::Temporary, _) => false,
        };
        if !wanted {
            told = "over";
            continue;
        }
        restarts.push(*at);
        let recent = restarts.iter().filter(|restart| at - **restart <= within).count();
        told = if recent > allowed { "too many" } else { "again" };
    }
    told
}

proptest! {
    #[test]
    fn restarts_follow_the_rules_of_otp(
        rule in prop::sample::select(vec![Restart::Permanent, Restart::Transient, Restart::Temporary]),
        allowed in 0_usize..6,
        within in 1_u64..90,
        steps in prop::collection::vec(
            (prop::sample::select(vec![Ending::Normal, Ending::Error, Ending::Fault]), 0_u64..40),
            1..40,
        ),
    ) {
        let supervision =
            Supervision { restarts: allowed, within: Duration::from_secs(within), ..Supervision::default() };
        let mut restarts = Restarts::new(&PluginId::new("x").unwrap(), rule, &supervision);
        let (begun, mut at, mut history) = (Instant::now(), 0, Vec::new());
        for (ending, gap) in steps {
            at += gap;
            history.push((ending, at));
            let told = match restarts.after(ending, begun + Duration::from_secs(at)) {
                Verdict::Again(_) => "again",
                Verdict::Over(_) => "over",
                Verdict::TooMany => "too many",
            };
            prop_assert_eq!(told, reference(rule, allowed, within, &history), "{:?}", history);
        }
    }
}
