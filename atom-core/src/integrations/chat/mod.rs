//! Chat: one shape for channels and messages of every messenger.

mod model;

pub use model::{
    ChannelKind, ChatChannel, ChatChannelPage, ChatMessage, ChatMessagePage, ChatUser, ChatUserPage, ListChannels,
    ListChatMessages, NewChatMessage,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The channels of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListChatMessages, NewChatMessage};
///
/// let chat = connection.chat();
/// let hello = NewChatMessage { channel_id: "engine".into(), text: "Hello".into(), ..Default::default() };
/// let hello = chat.send_message(hello).await?;
/// chat.update_message("engine".into(), hello.id, "Hello, Charles".into()).await?;
///
/// let messages = chat.list_messages(ListChatMessages { channel_id: "engine".into(), ..Default::default() }).await?;
/// assert_eq!(messages.items[0].text.as_deref(), Some("Hello, Charles"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Chat {
    pub(crate) connection: Connection,
}

#[api]
impl Chat {
    /// Lists channels, a page at a time.
    pub async fn list_channels(&self, filter: ListChannels) -> Result<ChatChannelPage> {
        let page = engine::list(&self.connection, "chat.list_channels", MAX_PAGE, &filter).await?;
        Ok(ChatChannelPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One channel.
    pub async fn get_channel(&self, id: String) -> Result<ChatChannel> {
        engine::one(&self.connection, "chat.get_channel", &json!({ "id": id })).await
    }

    /// Lists a channel's messages, newest first, a page at a time. With `thread_id`: the thread's, oldest first.
    pub async fn list_messages(&self, filter: ListChatMessages) -> Result<ChatMessagePage> {
        let page = engine::list(&self.connection, "chat.list_messages", MAX_PAGE, &filter).await?;
        Ok(ChatMessagePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Sends a message. Repeating the call sends it again.
    pub async fn send_message(&self, chat_message: NewChatMessage) -> Result<ChatMessage> {
        engine::one(&self.connection, "chat.send_message", &chat_message).await
    }

    /// Writes a message anew.
    pub async fn update_message(&self, channel_id: String, id: String, text: String) -> Result<ChatMessage> {
        engine::one(&self.connection, "chat.update_message", &json!({ "channel_id": channel_id, "id": id, "text": text })).await
    }

    /// Deletes a message.
    pub async fn delete_message(&self, channel_id: String, id: String) -> Result<()> {
        engine::done(&self.connection, "chat.delete_message", &json!({ "channel_id": channel_id, "id": id })).await
    }

    /// Lists people, a page at a time.
    pub async fn list_users(&self, filter: Paging) -> Result<ChatUserPage> {
        let page = engine::list(&self.connection, "chat.list_users", MAX_PAGE, &filter).await?;
        Ok(ChatUserPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One person.
    pub async fn get_user(&self, id: String) -> Result<ChatUser> {
        engine::one(&self.connection, "chat.get_user", &json!({ "id": id })).await
    }
}
