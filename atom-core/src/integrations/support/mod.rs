//! Support: one shape for tickets, their comments, and who asks and answers.

mod people;
mod tickets;

pub use people::{
    ListSupportContacts, NewSupportContact, SupportAgent, SupportAgentPage, SupportContact, SupportContactPage,
    SupportContactPatch, SupportGroup, SupportGroupPage,
};
pub use tickets::{
    ListTicketComments, ListTickets, NewSupportTicket, NewTicketComment, SupportTicket, SupportTicketPage, SupportTicketPatch,
    TicketAttachment, TicketComment, TicketCommentPage, TicketPriority, TicketStatus,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The help desk of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{NewSupportTicket, NewTicketComment, SupportTicketPatch, TicketStatus};
///
/// let support = connection.support();
/// let ticket = NewSupportTicket { subject: Some("The engine stands still".into()), ..Default::default() };
/// let ticket = support.create_ticket(ticket).await?;
/// let answer = NewTicketComment { ticket_id: ticket.id.clone(), text: Some("Oil it.".into()), ..Default::default() };
/// support.add_comment(answer).await?;
///
/// let solved = SupportTicketPatch { status: Some(TicketStatus::Solved), ..Default::default() };
/// assert!(matches!(support.update_ticket(ticket.id, solved).await?.status, Some(TicketStatus::Solved)));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Support {
    pub(crate) connection: Connection,
}

#[api]
impl Support {
    /// Lists tickets, a page at a time.
    pub async fn list_tickets(&self, filter: ListTickets) -> Result<SupportTicketPage> {
        let page = engine::list(&self.connection, "support.list_tickets", MAX_PAGE, &filter).await?;
        Ok(SupportTicketPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One ticket.
    pub async fn get_ticket(&self, id: String) -> Result<SupportTicket> {
        engine::one(&self.connection, "support.get_ticket", &json!({ "id": id })).await
    }

    /// Creates a ticket. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_ticket(&self, ticket: NewSupportTicket) -> Result<SupportTicket> {
        engine::one(&self.connection, "support.create_ticket", &ticket).await
    }

    /// Changes a ticket: only what is given.
    pub async fn update_ticket(&self, id: String, changes: SupportTicketPatch) -> Result<SupportTicket> {
        engine::one(&self.connection, "support.update_ticket", &changed(&id, &changes)?).await
    }

    /// Deletes a ticket.
    pub async fn delete_ticket(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "support.delete_ticket", &json!({ "id": id })).await
    }

    /// Lists comments, a page at a time.
    pub async fn list_comments(&self, filter: ListTicketComments) -> Result<TicketCommentPage> {
        let page = engine::list(&self.connection, "support.list_comments", MAX_PAGE, &filter).await?;
        Ok(TicketCommentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Answers a ticket, or leaves a note for the agents. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn add_comment(&self, comment: NewTicketComment) -> Result<TicketComment> {
        engine::one(&self.connection, "support.create_comment", &comment).await
    }

    /// Lists contacts, a page at a time.
    pub async fn list_contacts(&self, filter: ListSupportContacts) -> Result<SupportContactPage> {
        let page = engine::list(&self.connection, "support.list_contacts", MAX_PAGE, &filter).await?;
        Ok(SupportContactPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One contact.
    pub async fn get_contact(&self, id: String) -> Result<SupportContact> {
        engine::one(&self.connection, "support.get_contact", &json!({ "id": id })).await
    }

    /// Creates a contact. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_contact(&self, contact: NewSupportContact) -> Result<SupportContact> {
        engine::one(&self.connection, "support.create_contact", &contact).await
    }

    /// Changes a contact: only what is given.
    pub async fn update_contact(&self, id: String, changes: SupportContactPatch) -> Result<SupportContact> {
        engine::one(&self.connection, "support.update_contact", &changed(&id, &changes)?).await
    }

    /// Deletes a contact.
    pub async fn delete_contact(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "support.delete_contact", &json!({ "id": id })).await
    }

    /// Lists agents, a page at a time.
    pub async fn list_agents(&self, filter: Paging) -> Result<SupportAgentPage> {
        let page = engine::list(&self.connection, "support.list_agents", MAX_PAGE, &filter).await?;
        Ok(SupportAgentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One agent.
    pub async fn get_agent(&self, id: String) -> Result<SupportAgent> {
        engine::one(&self.connection, "support.get_agent", &json!({ "id": id })).await
    }

    /// Lists groups, a page at a time.
    pub async fn list_groups(&self, filter: Paging) -> Result<SupportGroupPage> {
        let page = engine::list(&self.connection, "support.list_groups", MAX_PAGE, &filter).await?;
        Ok(SupportGroupPage { items: page.items, next_cursor: page.next_cursor })
    }
}
