//! What the chat API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Who talks in a channel.
#[model]
pub enum ChannelKind {
    /// Whoever joins it.
    Channel,
    /// Two people.
    Direct,
    /// A few people.
    Group,
    /// A kind of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A place where people write to each other.
#[model]
pub struct ChatChannel {
    /// The provider's id: pass it as `channel_id`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name; conversations of two have none.
    pub name: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// Who talks in it.
    pub kind: Option<ChannelKind>,
    /// Whether only its members see it.
    #[serde(default)]
    pub is_private: bool,
    /// Whether it is closed.
    #[serde(default)]
    pub is_archived: bool,
    /// How many people are in it.
    pub member_count: Option<i64>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of channels.
#[model]
pub struct ChatChannelPage {
    /// The channels.
    pub items: Vec<ChatChannel>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which channels to list.
#[model(default)]
pub struct ListChannels {
    /// Only those whose name has this text.
    pub search: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A message in a channel.
#[model]
pub struct ChatMessage {
    /// The provider's id, which names it within its channel.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The channel.
    pub channel_id: Option<String>,
    /// Its text, as the provider writes it.
    pub text: Option<String>,
    /// Its HTML. It comes from a stranger: clean it before showing it.
    pub html: Option<String>,
    /// Who wrote it.
    pub author: Option<Person>,
    /// The message that began the thread.
    pub thread_id: Option<String>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of messages.
#[model]
pub struct ChatMessagePage {
    /// The messages.
    pub items: Vec<ChatMessage>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which messages to list.
#[model(default)]
pub struct ListChatMessages {
    /// The channel.
    pub channel_id: String,
    /// Only the answers to this message.
    pub thread_id: Option<String>,
    /// Only those sent after this moment.
    pub after: Option<DateTime<Utc>>,
    /// Only those sent before this moment.
    pub before: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A message to send.
#[model(default)]
pub struct NewChatMessage {
    /// The channel.
    pub channel_id: String,
    /// Its text, as the provider writes it.
    pub text: String,
    /// The message to answer to.
    pub thread_id: Option<String>,
}

/// Someone who can be written to.
#[model]
pub struct ChatUser {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The name to show.
    pub name: Option<String>,
    /// The name to mention.
    pub handle: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// A picture.
    pub avatar_url: Option<String>,
    /// Whether it is a program.
    #[serde(default)]
    pub is_bot: bool,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of people.
#[model]
pub struct ChatUserPage {
    /// The people.
    pub items: Vec<ChatUser>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
