//! One test per provider and kind of check. All of a provider's come from one run.
#![allow(clippy::print_stdout)] // what was skipped is said

use atom_conformance::{Check, Outcome, committed, losses, providers, run, table, write};
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

macro_rules! providers {
    ($($provider:ident),+ $(,)?) => {
        const LISTED: &[&str] = &[$(stringify!($provider)),+];

        $(mod $provider {
            use super::*;

            static OUTCOME: OnceCell<Outcome> = OnceCell::const_new();

            pub(super) async fn outcome() -> &'static Outcome {
                OUTCOME.get_or_init(|| async { run(name(stringify!($provider))).await.unwrap_or_else(|why| panic!("{why}")) }).await
            }

            async fn holds(check: Check) {
                let outcome = outcome().await;
                if let Some(faults) = outcome.faults.get(&check) {
                    panic!("\n{}\n", faults.join("\n"));
                }
                if let Some(why) = &outcome.skipped {
                    assert!(outcome.is_skippable(), "{why}");
                    println!("skipped: {why}");
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn the_vendor_describes_every_operation() { holds(Check::Exists).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn the_smallest_call_is_right_and_its_answer_is_read() { holds(Check::Minimal).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn the_call_with_all_inputs_is_right_and_its_answer_is_read() { holds(Check::Full).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_second_page_follows_the_first() { holds(Check::Pages).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_refusal_is_an_error_with_its_status() { holds(Check::Refusal).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_limit_says_how_long_to_wait() { holds(Check::RateLimit).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_fault_of_a_moment_is_got_over_only_where_that_is_safe() { holds(Check::Fault).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_token_that_died_early_is_refreshed_once() { holds(Check::Refresh).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn half_an_answer_is_an_error() { holds(Check::Truncated).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn the_double_refuses_every_wrong_request() { holds(Check::Bite).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn every_request_of_a_sign_in_is_one_that_the_vendor_documents() { holds(Check::SignIn).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn the_double_refuses_every_wrong_request_of_a_sign_in() { holds(Check::SignInBite).await; }
        })+

        async fn outcomes() -> BTreeMap<String, &'static Outcome> {
            BTreeMap::from([$((name(stringify!($provider)).to_owned(), $provider::outcome().await)),+])
        }
    };
}

/// `box` is a word of Rust.
fn name(module: &'static str) -> &'static str {
    module.trim_start_matches("r#")
}

providers!(
    asana, r#box, dropbox, github, google, hubspot, jira, linear, microsoft, notion, salesforce, shopify, slack, stripe, trello,
    zoho,
);

#[test]
fn every_provider_of_the_catalogue_is_listed_here() {
    let mut listed: Vec<String> = LISTED.iter().map(|&module| name(module).to_owned()).collect();
    listed.sort();
    assert_eq!(listed, providers().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_coverage_is_as_committed_and_has_not_shrunk() {
    let now = table(&outcomes().await).unwrap();
    if std::env::var_os("ATOM_CONFORMANCE_WRITE").is_some() {
        return write(&now).unwrap();
    }
    let lost = losses(&now).unwrap();
    assert!(lost.is_empty(), "\n{}\n", lost.join("\n"));
    assert!(now == committed().unwrap(), "COVERAGE.md is not current: `cargo xtask conformance --write` writes it");
}
