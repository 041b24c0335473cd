//! Tickets and their comments.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// How far a ticket is.
#[model]
pub enum TicketStatus {
    /// Nobody has looked at it.
    New,
    /// Being worked on.
    Open,
    /// Waiting for the requester.
    Pending,
    /// Waiting for somebody else.
    OnHold,
    /// Solved; it may be opened again.
    Solved,
    /// Closed for good.
    Closed,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// How urgent a ticket is.
#[model]
pub enum TicketPriority {
    /// It can wait.
    Low,
    /// As usual.
    Normal,
    /// Sooner than others.
    High,
    /// At once.
    Urgent,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A question or a problem that somebody came with.
#[model]
pub struct SupportTicket {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The first message, as plain text.
    pub description: Option<String>,
    /// How far it is.
    pub status: Option<TicketStatus>,
    /// How urgent it is.
    pub priority: Option<TicketPriority>,
    /// What sort of ticket it is, in the provider's words: `incident`.
    pub kind: Option<String>,
    /// Who asks: the id of a contact.
    pub requester_id: Option<String>,
    /// The same, as far as the ticket says who.
    pub requester: Option<Person>,
    /// The agent who deals with it.
    pub assignee_id: Option<String>,
    /// The group that deals with it.
    pub group_id: Option<String>,
    /// Its tags. On a change, the whole new list.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How it came, in the provider's words: `email`.
    pub channel: Option<String>,
    /// When it is to be done.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was solved.
    pub solved_at: Option<DateTime<Utc>>,
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

/// A page of tickets.
#[model]
pub struct SupportTicketPage {
    /// The tickets.
    pub items: Vec<SupportTicket>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which tickets to list.
#[model(default)]
pub struct ListTickets {
    /// Only those in this state.
    pub status: Option<TicketStatus>,
    /// Only those of this agent.
    pub assignee_id: Option<String>,
    /// Only those of this contact.
    pub requester_id: Option<String>,
    /// Only those of this group.
    pub group_id: Option<String>,
    /// Only those that have this text, or fit this query of the provider's.
    pub search: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A ticket to open.
#[model(default)]
pub struct NewSupportTicket {
    /// What it is about.
    pub subject: Option<String>,
    /// The first message, as plain text.
    pub description: Option<String>,
    /// How far it is.
    pub status: Option<TicketStatus>,
    /// How urgent it is.
    pub priority: Option<TicketPriority>,
    /// What sort of ticket it is, in the provider's words: `incident`.
    pub kind: Option<String>,
    /// Who asks: the id of a contact.
    pub requester_id: Option<String>,
    /// The agent who deals with it.
    pub assignee_id: Option<String>,
    /// The group that deals with it.
    pub group_id: Option<String>,
    /// Its tags. On a change, the whole new list.
    pub tags: Option<Vec<String>>,
    /// When it is to be done.
    pub due_at: Option<DateTime<Utc>>,
}

/// What to change of a ticket. What is left out stays as it is.
#[model(default)]
pub struct SupportTicketPatch {
    /// What it is about.
    pub subject: Option<String>,
    /// How far it is.
    pub status: Option<TicketStatus>,
    /// How urgent it is.
    pub priority: Option<TicketPriority>,
    /// What sort of ticket it is, in the provider's words: `incident`.
    pub kind: Option<String>,
    /// Who asks: the id of a contact.
    pub requester_id: Option<String>,
    /// The agent who deals with it.
    pub assignee_id: Option<String>,
    /// The group that deals with it.
    pub group_id: Option<String>,
    /// Its tags. On a change, the whole new list.
    pub tags: Option<Vec<String>>,
    /// When it is to be done.
    pub due_at: Option<DateTime<Utc>>,
}

/// A message or a note of a ticket.
#[model]
pub struct TicketComment {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The ticket.
    pub ticket_id: Option<String>,
    /// It as plain text.
    pub text: Option<String>,
    /// It as HTML, where the provider has it.
    pub html: Option<String>,
    /// Whether the requester sees it; an internal note is not public.
    pub is_public: Option<bool>,
    /// Who wrote it.
    pub author: Option<Person>,
    /// What is attached.
    #[serde(default)]
    pub attachments: Vec<TicketAttachment>,
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

/// A page of comments.
#[model]
pub struct TicketCommentPage {
    /// The comments.
    pub items: Vec<TicketComment>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which comments to list.
#[model(default)]
pub struct ListTicketComments {
    /// The ticket.
    pub ticket_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A comment to write.
#[model(default)]
pub struct NewTicketComment {
    /// The ticket.
    pub ticket_id: String,
    /// It as plain text.
    pub text: Option<String>,
    /// It as HTML, where the provider has it.
    pub html: Option<String>,
    /// Whether the requester sees it; an internal note is not public.
    pub is_public: Option<bool>,
}

/// A file that is attached to a comment.
#[model]
pub struct TicketAttachment {
    /// The provider's id.
    pub id: Option<String>,
    /// The file's name.
    pub name: Option<String>,
    /// Its MIME type.
    pub mime_type: Option<String>,
    /// Its size in bytes.
    pub size: Option<i64>,
    /// Where its content is.
    pub url: Option<String>,
}
