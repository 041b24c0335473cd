//! Providers as data: the manifest grammar and the catalogue.
//!
//! A manifest says how to connect to a provider and how each operation is carried out there. It is a total language: paths, templates,
//! conditions, field tables and named transforms. What it cannot say has a name in Rust.
//!
//! [`manifest`] is a whole provider and [`check`] what must fit together in it; [`auth`], [`methods`] and [`hosts`] are about connecting,
//! [`operation`], [`body`], [`pages`], [`session`], [`limits`] and [`errors`] about calls, [`fields`], [`enums`], [`currency`] and [`transform`] about records, and
//! [`path`], [`template`] and [`condition`] are the words that all of these are made of.

mod auth;
mod body;
mod catalogue;
mod check;
mod condition;
mod currency;
mod enums;
mod errors;
mod fields;
mod hosts;
mod limits;
mod manifest;
mod methods;
mod operation;
mod overrides;
mod pages;
mod path;
mod session;
mod template;
mod transform;

pub(crate) use auth::{CallbackSignature, Identity, InputSpec, OAuth2, Revoke, TokenBody, TokenSetSource};
pub(crate) use body::{Body, BodyPart};
pub use catalogue::{Capability, CatalogueEntry, OperationInfo};
pub(crate) use catalogue::{built_in, built_in_with, capabilities, catalogue, names};
pub(crate) use condition::Condition;
pub(crate) use errors::RuleKind;
pub(crate) use fields::{Field, Reading, Record};
pub(crate) use hosts::{Facts, Host, UrlTemplate};
pub(crate) use limits::Bucket;
pub(crate) use manifest::{Manifest, OAUTH2};
pub(crate) use methods::{
    Algorithm, ApiKey, AppInstallation, Assertion, Basic, ClientCredentials, ConnectMethod, Device, FieldSpec, How, Link, OAuth1,
    Placement, Signature, SignedJwt,
};
pub(crate) use operation::{Answer, BEFORE, Effect, HeaderTemplate, Operation, PAGING, Service};
pub use overrides::ManifestChange;
pub(crate) use pages::{Pages, Step};
pub(crate) use path::Path;
pub(crate) use session::{Listing, Pieces, Session};
pub(crate) use template::{Template, Vars};
