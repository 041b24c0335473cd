//! What the push API takes and returns.

use crate::{Json, RawRecord};
use atom_macros::model;

/// How urgent a notification is.
#[model]
pub enum PushPriority {
    /// It may wait until the device is awake.
    Normal,
    /// It wakes the device.
    High,
}

/// A notification to send. Give exactly one of `tokens`, `topic` and `user_ids`.
#[model(default)]
pub struct NewPush {
    /// The devices: the tokens that the vendor's library gave to the app, at most 500.
    pub tokens: Option<Vec<String>>,
    /// Everybody who has subscribed to this topic or belongs to this segment.
    pub topic: Option<String>,
    /// The users, by the ids that the host has given them, at most 500.
    pub user_ids: Option<Vec<String>>,
    /// The line in bold.
    pub title: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// A picture to show: its address.
    pub image_url: Option<String>,
    /// What opens when it is tapped: an address.
    pub open_url: Option<String>,
    /// What the app gets with it: an object whose values are texts.
    pub data: Option<Json>,
    /// For how long it is worth delivering, in seconds.
    pub ttl_seconds: Option<i64>,
    /// How urgent it is. Default: as the provider does.
    pub priority: Option<PushPriority>,
    /// A newer notification with the same key takes the place of an older one on the device.
    pub collapse_key: Option<String>,
    /// A UUID by which the provider recognizes a repetition, so that the call can be repeated. A provider that does not refuses it with `unsupported`.
    pub idempotency_key: Option<String>,
}

/// What became of a notification at one target.
#[model]
pub enum PushOutcome {
    /// The provider took it. It does not say that it was shown.
    Accepted,
    /// The token is not known any more, or the user has no device: forget it.
    InvalidTarget,
    /// It was not sent, for another reason: see `reason`. Try this target again later.
    Failed,
}

/// One target of a notification.
#[model]
pub struct PushTarget {
    /// The token, the topic or the user's id, as it was given.
    pub target: String,
    /// The provider's id of the notification at this target, where it has one of its own.
    pub id: Option<String>,
    /// What became of it.
    pub outcome: PushOutcome,
    /// Why it failed: the `reason` of an error.
    pub reason: Option<String>,
}

/// What became of a notification.
#[model]
pub struct PushResult {
    /// The provider's id of the notification; none where each target has one of its own, or nobody was reached.
    pub id: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// Every target, in the order in which they were given.
    pub targets: Vec<PushTarget>,
    /// The provider's answers, in the order in which they came.
    pub raw: Vec<RawRecord>,
}
