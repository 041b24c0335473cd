//! A handle with no purpose but to be called: every type and every error, through every border.

use super::factors::totp_code;
use super::passkey::Device;
use super::trial::{self, Ticks, Trial, TrialOutcome};
use crate::crypto::{Key, Place, record};
use crate::{Bytes, ConnectionId, Error, ErrorKind, Handler, Json, Result, Secret, WorkspaceId};
use atom_macros::{api, handle, model};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// How heavy a sample is.
#[model]
pub enum Weight {
    /// Nearly nothing.
    Light,
    /// More than a hand can lift.
    VeryHeavy,
}

/// What a sample looks like.
#[model]
pub enum Shape {
    /// Round, with a radius in metres.
    Circle {
        /// In metres.
        radius: f64,
    },
    /// Flat, with an optional name.
    Plane {
        /// What people call it.
        label: Option<String>,
    },
}

/// One value of every type that crosses a border.
#[model]
pub struct Sample {
    /// Text, any Unicode.
    pub text: String,
    /// A 64-bit signed integer.
    pub count: i64,
    /// A float.
    pub ratio: f64,
    /// A truth value.
    pub flag: bool,
    /// A moment, in UTC.
    pub at: DateTime<Utc>,
    /// A typed id.
    pub connection: ConnectionId,
    /// A string enum.
    pub weight: Weight,
    /// A tagged enum.
    pub shape: Shape,
    /// A list.
    pub tags: Vec<String>,
    /// A map.
    pub labels: HashMap<String, String>,
    /// Any JSON.
    pub raw: Json,
    /// Any bytes.
    pub content: Bytes,
    /// Something that may be absent.
    pub note: Option<String>,
}

/// A sealed record and where it stands, to be opened with a known data key.
#[model]
pub struct SealedSample {
    /// The data key, 32 bytes.
    pub data_key: Bytes,
    /// The workspace it belongs to.
    pub workspace: WorkspaceId,
    /// The table it is stored in.
    pub table: String,
    /// The rest of its primary key.
    pub row: Bytes,
    /// The column.
    pub field: String,
    /// How often the column has been written.
    pub version: i64,
    /// The record.
    pub record: Bytes,
}

impl SealedSample {
    fn key(&self) -> Result<Key> {
        Key::copy(&self.data_key.0).ok_or_else(|| Error::invalid("malformed_key", "a data key has 32 bytes"))
    }

    fn place(&self) -> Place<'_> {
        Place { workspace: self.workspace, table: &self.table, row: &self.row.0, field: &self.field, version: self.version }
    }
}

/// Calls that only cross the border: what the binding tests and the benches of the borders use.
#[handle]
pub struct Probe {
    started: std::time::Instant,
    device: Device,
}

#[api]
impl Probe {
    /// Makes a probe.
    pub async fn start() -> Result<Self> {
        tokio::task::yield_now().await;
        Ok(Self { started: std::time::Instant::now(), device: Device::default() })
    }

    /// Whether the probe has been started: always true.
    pub fn is_started(&self) -> bool {
        self.started.elapsed() >= Duration::ZERO
    }

    /// Does nothing, so that only the border is measured.
    pub async fn nothing(&self) -> Result<()> {
        std::future::ready(Ok(())).await
    }

    /// Returns the sample as it arrived in Rust.
    pub async fn echo(&self, sample: Sample) -> Result<Sample> {
        std::future::ready(Ok(sample)).await
    }

    /// Returns a list as it arrived.
    pub async fn echo_many(&self, samples: Vec<Sample>) -> Result<Vec<Sample>> {
        std::future::ready(Ok(samples)).await
    }

    /// Returns a secret as it arrived.
    pub async fn echo_secret(&self, secret: Secret) -> Result<Secret> {
        std::future::ready(Ok(secret)).await
    }

    /// Returns an optional text as it arrived.
    pub async fn echo_optional(&self, text: Option<String>) -> Result<Option<String>> {
        std::future::ready(Ok(text)).await
    }

    /// Opens a sealed record: the golden records of every format version must open for ever.
    pub async fn open_record(&self, sample: SealedSample) -> Result<Bytes> {
        let plain = sample.key().and_then(|key| record::open(&key, &sample.place(), &sample.record.0));
        std::future::ready(plain.map(|plain| Bytes(plain.to_vec()))).await
    }

    /// What an authenticator app with this secret shows so many steps of thirty seconds from now.
    pub async fn totp_code(&self, secret: Secret, steps: i64) -> Result<Secret> {
        let at = Utc::now() + TimeDelta::seconds(30 * steps.clamp(-100, 100));
        std::future::ready(Ok(totp_code(&secret, at))).await
    }

    /// Makes a passkey on the probe's own device, as a page does with these options: `PasskeyChallenge.options`. The page is `https://` and the domain of
    /// the relying party.
    pub async fn create_passkey(&self, options: Json) -> Result<Json> {
        std::future::ready(self.device.create(&options)).await
    }

    /// Signs with the passkey of the probe's own device, as a page does with these options.
    pub async fn use_passkey(&self, options: Json) -> Result<Json> {
        std::future::ready(self.device.get(&options)).await
    }

    /// Waits, so that a caller can cancel or run other work meanwhile.
    pub async fn wait(&self, millis: i64) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(millis.clamp(0, 60_000).unsigned_abs())).await;
        Ok(())
    }

    /// Runs the handler of a kind as a worker would, on made-up jobs, and returns what came of each.
    pub async fn run(&self, handlers: HashMap<String, Handler>, trial: Trial) -> Result<Vec<TrialOutcome>> {
        trial::run(handlers, trial).await
    }

    /// A stream of the numbers from 1 to `last`. With `fails_at`, it fails once instead of giving that number.
    pub async fn count_to(&self, last: i64, fails_at: Option<i64>) -> Result<Ticks> {
        std::future::ready(Ok(Ticks::new(last, fails_at))).await
    }

    /// Fails with the error of this code; provider, status and retry hint are filled in.
    pub async fn fail(&self, code: String) -> Result<()> {
        let kind = ErrorKind::ALL.iter().find(|k| k.code() == code);
        let kind = kind.ok_or_else(|| Error::invalid("unknown_code", "no such error code: see testdata/errors.json"))?;
        let error = Error::new(*kind, "probe", format!("{code} on purpose")).with_provider("probe").with_status(418);
        std::future::ready(Err(error.with_retry_after(Some(Duration::from_millis(1500))))).await
    }
}

impl Probe {
    /// Seals a text where a sample stands, for the benches. The record that the sample holds is not read.
    ///
    /// # Errors
    /// If the sample's data key has not 32 bytes.
    pub fn seal_record(&self, sample: &SealedSample, plain: &[u8]) -> Result<Bytes> {
        record::seal(&sample.key()?, Uuid::nil(), &sample.place(), plain, 0).map(Bytes)
    }
}
