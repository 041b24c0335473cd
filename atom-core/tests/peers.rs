//! Tests against what others wrote: a strict OpenID provider, servers that keep what is written as Google, GitHub, Slack, Linear, Stripe and
//! Microsoft do, a verifier of signed documents, a server of OAuth 1, a mail server, the libraries of Standard Webhooks. They run where
//! `ATOM_TEST_PEERS` names the folder `peers` after `npm ci` in it, and `ATOM_TEST_PYTHON` a Python that has `aiosmtpd`, `localstripe`, `oauthlib`
//! and `standardwebhooks`; `cargo xtask test peers` sees to both.

#![allow(clippy::print_stdout)] // for whoever reads a failed or skipped test

pub(crate) mod browser;
mod journeys;
mod jwt;
mod oauth1;
mod oidc;
mod oidc_introspection;
mod oidc_methods;
mod oidc_sign_in;
mod race;
mod server;
mod sign_in;
mod smtp;
mod webhooks;

pub(crate) fn skipped() {
    println!("skipped: ATOM_TEST_PEERS is not set");
}
