//! Are the requests of our integration clients what the vendors describe, and are their answers read?
//!
//! Every operation of every manifest in `atom-core/providers` is carried out against a double of its vendor on loopback, which is made of the
//! vendor's own description of its API. The double refuses a request that the description does not allow: another path, an unknown query name, a
//! field of the wrong type, a GraphQL document that does not fit the schema. It answers with the vendor's example, or with one that is made of the
//! description. Then the vendor has its bad days: refusals, limits, outages, answers that end half way.
//!
//! ```text
//! sources.toml     where each description comes from: a package by version and hash, or descriptions/
//! descriptions/    trimmed copies of those that are in no package, with their licences
//! overlays/        the known faults of descriptions, each with its reason; one that changes nothing any more is an error
//! inputs.toml      what is put into the operations
//! sign_in.toml     what the vendors say about their sign-in
//! COVERAGE.md      what is checked of each operation; it may not shrink
//! src/description/ OpenAPI and Google discovery; schemas; answers made of them
//! src/graphql.rs   GraphQL schemas
//! src/double/      the server: its judgement of operations (judge.rs) and sign-ins (oauth.rs), its answers
//! twins/           what the vendors' own clients send for the same calls, and where we differ for a reason
//! src/twins.rs     the comparison with them, of GraphQL by what is asked for (src/asked.rs)
//! src/checks/      what is checked of each operation, and that the double bites
//! ```
//!
//! `cargo xtask conformance` gets the packages and runs the suite; `--write` writes the coverage anew. A provider whose package is not there is
//! skipped, and says so. To add a provider: its manifest, a `[[source]]`, what its inputs must look like, and a line in `tests/providers.rs`.

mod asked;
mod checks;
mod coverage;
mod description;
mod double;
mod graphql;
mod inputs;
mod journeys;
mod manifest;
mod overlay;
mod place;
mod sign_in;
mod sources;
mod trim;
mod twins;
mod typed;

pub use checks::{Check, Outcome, providers, run};
pub use coverage::{committed, losses, table, write};
pub use trim::trim;
pub use twins::misfits;
