//! The promises that every kind of plugin keeps, one function each; [`conformance!`](crate::conformance!) makes tests of
//! them. `h` cases are about hooks, `r` cases about registration, `b` cases about events, `d` and
//! `l` cases about dependencies and starts, `w` cases about swaps, `s` cases about supervision, `c` cases about calls, and `a` cases about attacks.

pub mod hooks;
pub mod registration;
pub mod events;
pub mod dependencies;
pub mod changes;
pub mod swap;
pub mod supervision;
pub mod calls;
pub mod streams;
pub mod limits;
pub mod native;

/// Makes one test of each promise, for plugins of a kind: `conformance!(Native)`.
#[macro_export]
macro_rules! conformance {
    ($subject:expr) => {
        $crate::conformance_cases! {
            $subject;
            streams: pieces_of_an_answer_come_in_order_and_then_the_whole
                who_makes_pieces_waits_for_who_reads_them
                a_plugin_whose_answer_nobody_reads_along_is_told
                who_is_called_for_an_answer_adds_no_pieces_to_it
                who_passes_an_answer_on_passes_on_its_pieces;
            limits: no_more_calls_are_inside_a_plugin_than_its_limit
                a44_a_plugin_that_hangs_is_interrupted_at_the_deadline_of_its_caller
                a50_a_flood_of_events_is_cut_off_and_counted;
            hooks: h01_hooks_of_one_priority_stand_in_the_order_of_their_plugins_dependencies
                h02_priorities_order_hooks
                h03_constraints_hold_and_the_rest_keeps_its_order
                h04_a_constraint_that_matches_nothing_is_explained
                h05_a_cycle_of_constraints_is_refused_and_changes_nothing
                h06_a_hook_cannot_stand_before_itself
                h08_before_around_after_nest_by_position
                h09_two_plugins_nest_two_deep_and_leave_in_the_mirror_of_their_entry
                h10_a_finished_call_goes_outward_through_the_outer_layers
                h11_an_around_hook_may_do_without_next_and_the_trace_names_it
                h12_next_is_called_once_unless_the_point_repeats
                h13_an_around_hook_changes_the_inner_result
                h14_four_arounds_are_entered_in_order_and_left_in_reverse
                h15_an_error_skips_after_success_and_tells_after_error_and_after_always
                h16_an_outer_around_recovers_from_an_inner_failure
                h17_a_failure_on_entry_unwinds_the_entered_layers_alone
                h18_the_first_error_is_kept_and_the_second_stands_beside_it
                h19_a_break_is_an_error_of_its_layer_and_the_host_lives
                h21_an_error_names_point_plugin_hook_and_kind_once
                h22_the_first_answer_wins_and_names_its_plugin
                h23_without_an_answer_there_is_none
                h25_collect_keeps_order_and_names_plugins
                h26_a_filter_keeps_a_value_or_replaces_it_by_null_too
                h28_a_failing_observer_is_told_and_disturbs_nobody
                h36_an_unload_waits_for_the_call_inside_and_lets_no_later_one_in
                h36_an_unload_that_is_forced_ends_the_call_and_still_stops_the_plugin
                h38_a_dropped_call_tells_the_layers_that_it_entered
                h41_a_second_replacement_is_refused_unless_it_overrides
                h42_layers_run_around_a_replacement
                h47_a_removed_observer_is_not_told
                h51_the_fifth_break_within_a_minute_quarantines_the_hook;
            registration: r01_the_same_id_twice_leaves_the_first_working
                r02_one_bad_hook_among_five_registers_nothing
                r03_an_unknown_point_is_pending_and_listed_with_suggestions
                r04_a_hook_that_came_first_is_live_when_its_point_appears
                r06_a_blocked_plugin_is_disabled_and_no_error
                r10_a_capability_is_looked_up_by_rank_then_version_then_load_order
                what_a_plugin_reaches_is_held_against_the_schema_of_its_points
                nothing_is_left_behind_by_a_load_that_was_refused_at_any_step
                nothing_is_left_behind_by_a_load_that_was_dropped_at_any_moment;
            events: b01_a_plugin_hears_the_topics_that_it_subscribed_to_and_no_others
                b04_a_full_queue_tells_a_plugin_what_it_lost
                b06_no_event_reaches_a_plugin_that_was_unloaded
                a48_a_topic_that_was_not_granted_is_not_published
                a49_a_subscription_that_was_not_granted_refuses_the_plugin
                a_listener_that_fails_or_breaks_hears_the_next_event;
            dependencies: d01_what_a_plugin_needs_starts_before_it
                d02_the_order_is_the_same_however_plugins_are_listed
                d03_what_is_missing_is_named_and_the_others_load
                d04_a_wrong_version_names_what_is_needed_what_is_there_and_who_asks
                d05_a_cycle_is_printed_with_who_needs_whom
                d08_an_optional_dependency_orders_and_does_not_bind
                d10_the_other_provider_is_taken_when_the_higher_ranked_one_conflicts
                d14_ranges_that_no_version_satisfies_name_both_who_ask
                d16_a_failure_blocks_its_dependents_and_is_named_as_their_root
                d17_an_unload_is_refused_or_takes_the_dependents_along
                l02_an_optional_plugin_fails_alone_and_a_required_one_ends_the_start_up
                l02_a_start_up_that_is_given_up_comes_to_its_end_all_the_same
                l05_a_plugin_that_is_unloaded_twice_at_once_is_stopped_once
                l06_a_plugin_that_breaks_while_it_stops_is_gone_all_the_same
                l09_a_plugin_that_failed_is_reached_by_nobody;
            changes: l08_a_plugin_that_is_unloaded_while_it_starts_turns_back
                l08_a_plugin_that_is_loaded_while_it_stops_starts_after_it
                a_reload_puts_another_version_in_its_place_and_takes_its_dependents_along
                a_reload_that_is_refused_touches_nothing
                a_reload_that_fails_brings_back_the_version_before_and_its_dependents;
            swap: w01_a_swap_puts_another_version_in_place_and_leaves_its_dependents_alone
                w02_grants_that_grow_are_refused_until_somebody_agrees
                w03_a_version_that_refuses_at_any_step_changes_nothing
                w04_a_version_that_does_not_fit_changes_nothing
                w05_a_hook_is_not_skipped_by_a_call_that_began_before_a_swap
                w06_state_is_handed_over_and_no_change_of_it_is_lost
                w07_calls_that_wait_for_their_turn_are_answered_by_the_version_that_has_the_state
                w08_the_version_before_is_stopped_when_the_trial_is_over
                w09_a_version_that_breaks_too_often_on_trial_is_taken_back_with_what_it_knows
                w10_a_version_that_ends_on_trial_is_taken_back_with_the_state_of_the_hand_over
                w11_after_the_trial_a_version_stays_however_it_does
                w12_an_unload_ends_the_version_before_too
                w13_no_event_is_lost_or_taken_twice
                w14_calls_that_do_not_end_within_the_time_to_drain_are_ended
                w14_a_version_that_does_not_come_to_hand_over_its_state_stays
                w14_a_version_that_cannot_come_back_leaves_the_new_one_in_place
                w15_quarantine_is_not_inherited;
            supervision: s01_a_plugin_is_started_again_as_its_rule_says
                s01_a_plugin_that_ends_itself_while_it_begins_has_ended
                s06_a_dependent_is_started_when_all_that_it_needs_have_been
                s06_a_restart_takes_dependents_along_and_nobody_else
                s07_one_restart_too_many_within_the_window_is_the_last
                s08_a_start_that_fails_counts_and_is_tried_again_until_it_is_too_many
                s13_a_plugin_that_waits_to_be_started_again_can_be_unloaded
                s13_a_plugin_that_is_unloaded_while_it_is_being_blocked_stays_gone
                s15_a_late_break_of_an_earlier_incarnation_leaves_the_later_one_alone
                s15_what_an_earlier_incarnation_says_is_ignored
                s19_calls_inside_a_plugin_that_dies_fail_at_once
                a61_a_plugin_that_breaks_at_every_call_is_quarantined_and_its_guard_fails_closed
                calls_wait_until_the_plugin_has_been_started_again
                what_becomes_of_a_plugin_is_published
                hooks_are_told_what_becomes_of_another_plugin
                a_plugin_whose_need_fails_while_it_is_being_loaded_is_blocked
                what_start_asks_for_may_come_back_to_the_plugin_when_it_starts_again_too
                what_the_host_says_of_plugins_nobody_else_can_say;
            calls: c02_a_call_that_nobody_answers_to_fails_at_once_and_says_why
                c03_a_call_ends_at_its_deadline_and_at_that_of_the_calls_around_it
                c04_a_call_into_a_plugin_that_dies_fails_at_once
                c06_a_call_that_is_given_up_leaves_the_queue_or_comes_to_its_end
                c06_a_call_that_is_given_up_comes_to_its_end_before_its_plugin_stops
                c06_an_unload_that_is_forced_begins_no_call_that_waits_for_its_turn
                c08_whoever_has_given_a_call_up_does_not_wait_for_it
                calls_of_one_instance_wait_until_it_has_begun
                c08_two_plugins_that_would_wait_for_each_other_do_not
                a41_a_plugin_gets_no_more_done_through_another_than_alone
                a43_a_plugin_that_is_called_again_from_its_own_call_is_told_the_path
                plugins_call_each_other_by_id_and_by_capability
                one_instance_answers_one_call_after_the_other_and_keeps_its_state
                a_cast_waits_for_nothing_and_fails_alone
                a_plugin_waits_as_long_as_it_says_and_no_longer_than_its_caller;
        }
    };
}

/// Makes the tests that [`conformance!`](crate::conformance!) lists.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($subject:expr; $($module:ident: $($case:ident)+;)+) => {
        $($(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                if $crate::Subject::is_there($subject) {
                    $crate::conformance::$module::$case($subject).await;
                } else {
                    eprintln!("skipped: {} is not built; `cargo xtask test` does it", stringify!($subject));
                }
            }
        )+)+
    };
}

/// Makes one test of each promise that only native code can be tried for.
#[macro_export]
macro_rules! native_conformance {
    () => {
        $crate::native_cases! {
            h30_the_first_in_order_wins_though_a_later_one_is_done_before_it
            h31_what_a_hook_registers_within_a_call_belongs_to_the_next_one
            h32_a_hook_that_removes_itself_keeps_nobody_from_running
            h33_a_hook_that_is_removed_by_an_earlier_one_is_not_run_in_this_call
            h38_a_dropped_call_tells_native_layers_from_the_inside_out
            a_call_ends_at_its_deadline_and_calls_inside_it_inherit_it
            a_hook_cannot_wait_for_its_own_removal
            calls_of_the_same_point_are_nested_sixteen_deep_and_no_deeper
            the_operator_disables_orders_and_picks
            a_refused_load_leaves_the_hooks_of_another_with_its_name_alone
            replacements_come_back_when_the_one_that_overrode_them_leaves
            a_panic_of_the_operation_is_no_fault_of_the_hooks_around_it
            a_quarantined_hook_fails_only_the_calls_that_it_is_for
            a_hook_that_rests_in_next_is_ended_by_a_forced_unload
            a_before_hook_that_is_skipped_has_changed_nothing
            a_plugin_that_began_is_stopped_when_a_later_one_does_not_begin
            an_input_that_does_not_fit_is_the_fault_of_the_hook_that_set_it
            an_extension_point_is_wrapped_once
            l07_a_plugin_that_hangs_while_it_stops_is_ended_at_its_wall_time
            a_plugin_that_breaks_while_it_is_being_loaded_is_not_loaded
            a_state_that_panics_when_it_is_dropped_keeps_nobody_from_going_on
            a_plugin_that_begins_or_ends_cannot_have_others_loaded_or_unloaded
            as_much_time_as_can_be_written_is_as_good_as_no_limit
            c02_a_call_of_what_nobody_contributes_fails_at_once
            an_unload_that_is_forced_stops_the_state_that_was_there
            c03_a_call_that_hangs_ends_at_its_deadline_and_ends_what_was_called
        }
    };
}

/// Makes the tests that [`native_conformance!`](crate::native_conformance!) lists.
#[doc(hidden)]
#[macro_export]
macro_rules! native_cases {
    ($($case:ident)+) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                $crate::conformance::native::$case().await;
            }
        )+
    };
}
